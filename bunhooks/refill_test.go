package bunhooks_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite"
)

// Fan says that one user follows another.
type Fan struct {
	bun.BaseModel `bun:"table:fans"`

	ID     int64 `bun:",pk,autoincrement"`
	FromID int64
	ToID   int64
}

const fans = `CREATE TABLE fans (id INTEGER PRIMARY KEY, from_id INTEGER, to_id INTEGER)`

// FanCount is how many follow a user.
type FanCount struct {
	cacheme.Node[int64]
	User int64 `cacheme:"field"`
}

func (FanCount) Meta() cacheme.Meta { return cacheme.Meta{Key: "user:<user>:fans"} }

func (n FanCount) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{FansOf{ToID: n.User}} }

// FansOf are the followers of a user. Whoever writes one counts anew.
type FansOf struct {
	cacheme.ModelInvalidNode
	ToID int64 `cacheme:"field"`
}

func (FansOf) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Fan)(nil)} }

func (FansOf) Refill(row Fan) []cacheme.Declaration {
	return []cacheme.Declaration{FanCount{User: row.ToID}, Friends{A: row.FromID, B: row.ToID}, Friends{A: row.ToID, B: row.FromID}}
}

// Friends is whether two users follow each other.
type Friends struct {
	cacheme.Node[bool]
	A, B int64 `cacheme:"field"`
}

func (Friends) Meta() cacheme.Meta { return cacheme.Meta{Key: "friends:<a>:<b>"} }

func (n Friends) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{FansOf{ToID: n.A}, FansOf{ToID: n.B}}
}

// fanWorld counts what its loaders do, and who called them.
type fanWorld struct {
	*world
	refilled chan int // how many nodes, each time
	batches  atomic.Int64
	counts   *cacheme.Bound[FanCount, int64]
	friends  *cacheme.Bound[Friends, bool]
}

func newFanWorld(t *testing.T, s setup) *fanWorld {
	t.Helper()
	s.tables = fans
	w := &fanWorld{world: newBareWorld(t, s), refilled: make(chan int, 100)}
	options := suite.Patient(s.cache)
	options.Observer = func(_ context.Context, e cacheme.Event) {
		if e.Kind == cacheme.EventRefilled {
			w.refilled <- e.Count
		}
	}
	w.cache = suite.NewCache(t, suite.Embedded(t).Client(), options, FanCount{}, FansOf{}, Friends{})
	w.open(s)
	var err error
	w.counts, err = cacheme.Bind(w.cache, func(ctx context.Context, n FanCount) (int64, error) {
		w.loads.Add(1)
		return w.db.NewSelect().Model((*Fan)(nil)).Where("to_id = ?", n.User).Count(ctx)
	})
	w.must(err)
	w.friends, err = cacheme.Bind(w.cache, func(ctx context.Context, n Friends) (bool, error) {
		w.loads.Add(1)
		rows, err := w.db.NewSelect().Model((*Fan)(nil)).
			Where("from_id = ? AND to_id = ? OR from_id = ? AND to_id = ?", n.A, n.B, n.B, n.A).Count(ctx)
		return rows == 2, err
	})
	w.must(err)
	cacheme.Refillable(w.counts, func(ctx context.Context, nodes []FanCount) (map[FanCount]int64, error) {
		w.batches.Add(1)
		found := map[FanCount]int64{}
		for _, n := range nodes {
			count, err := w.db.NewSelect().Model((*Fan)(nil)).Where("to_id = ?", n.User).Count(ctx)
			if err != nil {
				return nil, err
			}
			found[n] = count
		}
		return found, nil
	})
	cacheme.Refillable(w.friends, nil)
	return w
}

// ask returns the counts of some users, and how many loads readers did for them.
func (w *fanWorld) ask(users ...int64) (counts []int64, loads int64) {
	w.t.Helper()
	before := w.loads.Load()
	for _, u := range users {
		n, err := w.counts.Get(background, FanCount{User: u})
		w.must(err)
		counts = append(counts, n)
	}
	return counts, w.loads.Load() - before
}

func (w *fanWorld) wantAsked(what string, want []int64, wantLoads int64, users ...int64) {
	w.t.Helper()
	if counts, loads := w.ask(users...); !slices.Equal(counts, want) || loads != wantLoads {
		w.t.Errorf("%s: counts of %v are %v after %d loads, want %v after %d", what, users, counts, loads, want, wantLoads)
	}
}

// waitFor waits until so many nodes are refilled.
func (w *fanWorld) waitFor(n int) {
	w.t.Helper()
	for n > 0 {
		select {
		case k := <-w.refilled:
			n -= k
		case <-time.After(20 * time.Second):
			w.t.Fatalf("%d nodes are not refilled", n)
		}
	}
	if n < 0 {
		w.t.Errorf("%d nodes too many are refilled", -n)
	}
}

func TestScenario37_the_writer_counts_anew_and_spares_the_next_reader_the_load(t *testing.T) {
	t.Parallel()
	w := newFanWorld(t, setup{})
	w.ask(1, 2)
	if _, err := w.friends.Get(background, Friends{A: 1, B: 2}); err != nil {
		t.Fatal(err)
	}
	fan := Fan{FromID: 2, ToID: 1}
	_, err := w.db.NewInsert().Model(&fan).Exec(background)
	w.must(err)
	w.waitFor(2) // the count, and one of the two orders: nobody has asked for the other
	w.wantAsked("after an insert", []int64{1, 0}, 0, 1, 2)

	// A follower who moves is counted on both sides.
	_, err = w.db.NewUpdate().Model((*Fan)(nil)).Set("to_id = 2").Set("from_id = 1").Where("from_id = 2").Exec(background)
	w.must(err)
	w.waitFor(3)
	w.wantAsked("after a move", []int64{0, 1}, 0, 1, 2)

	// Nobody has asked for these.
	_, err = w.db.NewInsert().Model(&[]Fan{{FromID: 7, ToID: 8}}).Exec(background)
	w.must(err)
	w.wantAsked("of a user that nobody asked for", []int64{1}, 1, 8)

	for _, order := range []Friends{{A: 1, B: 2}, {A: 2, B: 1}} {
		if yes, err := w.friends.Get(background, order); yes || err != nil {
			t.Errorf("Get(%+v) = %v, %v, want no friends yet", order, yes, err)
		}
	}
	_, err = w.db.NewInsert().Model(&Fan{FromID: 2, ToID: 1}).Exec(background)
	w.must(err)
	w.waitFor(3)
	before := w.loads.Load()
	for _, order := range []Friends{{A: 1, B: 2}, {A: 2, B: 1}} {
		if yes, err := w.friends.Get(background, order); !yes || err != nil {
			t.Errorf("Get(%+v) = %v, %v, want friends", order, yes, err)
		}
	}
	if n := w.loads.Load() - before; n != 0 {
		t.Errorf("%d loads of readers, want none", n)
	}
}

func TestRefill_comes_after_the_COMMIT_and_never_before(t *testing.T) {
	t.Parallel()
	for _, afterCommit := range []bool{false, true} {
		t.Run(fmt.Sprint("AfterCommit ", afterCommit), func(t *testing.T) {
			t.Parallel()
			s := setup{}
			if afterCommit {
				s.options = []bunhooks.Option{bunhooks.AfterCommit()}
			}
			w := newFanWorld(t, s)
			w.ask(1)
			tx, err := w.db.BeginTx(background, nil)
			w.must(err)
			_, err = tx.NewInsert().Model(&Fan{FromID: 2, ToID: 1}).Exec(background)
			w.must(err)
			w.must(tx.Rollback())
			tx, err = w.db.BeginTx(background, nil)
			w.must(err)
			_, err = tx.NewInsert().Model(&Fan{FromID: 3, ToID: 1}).Exec(background)
			w.must(err)
			if n := w.batches.Load(); n != 0 {
				t.Errorf("%d refills before the COMMIT", n)
			}
			w.must(tx.Commit())
			w.waitFor(1)
			w.wantAsked("after one of two transactions", []int64{1}, 0, 1)
			_, err = w.db.NewDelete().Model((*Fan)(nil)).Where("from_id = 3").Exec(background)
			w.must(err)
			w.waitFor(1)
			w.wantAsked("after a statement of its own", []int64{0}, 0, 1)
		})
	}
}

func TestRefill_of_many_rows_is_one_batch(t *testing.T) {
	t.Parallel()
	w := newFanWorld(t, setup{})
	var all []Fan
	var users []int64
	for u := range int64(50) {
		users = append(users, u+1)
		all = append(all, Fan{FromID: 99, ToID: u + 1}, Fan{FromID: 98, ToID: u + 1})
	}
	w.ask(users...)
	_, err := w.db.NewInsert().Model(&all).Exec(background)
	w.must(err)
	w.waitFor(50)
	if n := w.batches.Load(); n != 1 {
		t.Errorf("%d batches for 100 rows of 50 users, want 1", n)
	}
	w.wantAsked("after 100 rows", slices.Repeat([]int64{2}, 50), 0, users...)
}

func TestRefill_asks_no_row_that_panics(t *testing.T) {
	t.Parallel()
	w := newFanWorld(t, setup{})
	w.must(cacheme.RefillRows(w.cache, func(Fan) []cacheme.Declaration { panic("no") }))
	w.ask(1)
	_, err := w.db.NewInsert().Model(&Fan{FromID: 2, ToID: 1}).Exec(background)
	w.must(err)
	w.waitFor(1)
	if n := w.log.count("cannot ask a written row what to load again"); n != 1 {
		t.Errorf("%d warnings, want one", n)
	}
}
