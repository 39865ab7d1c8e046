package cacheme_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// refillWorld has a bound node whose refills can be held up, and collects what is told of them.
type refillWorld struct {
	cache *cachetest.Cache
	bound *cacheme.Bound[goodNode, int64]

	mu      sync.Mutex
	batches [][]int64
	told    chan cacheme.Event
}

func newRefillWorld(t *testing.T, o cacheme.RefillOptions, load func(ids []int64) error) *refillWorld {
	t.Helper()
	w := &refillWorld{told: make(chan cacheme.Event, 1000)}
	w.cache = cachetest.NewWith(t, cacheme.Options{Refill: o, Observer: func(_ context.Context, e cacheme.Event) {
		switch e.Kind {
		case cacheme.EventRefilled, cacheme.EventRefillDropped:
			w.told <- e
		default:
		}
	}}, goodNode{}, goodChange{})
	var err error
	w.bound, err = cacheme.Bind(w.cache.Cache, func(_ context.Context, n goodNode) (int64, error) { return n.ID, nil })
	if err != nil {
		t.Fatal(err)
	}
	cacheme.Refillable(w.bound, func(_ context.Context, nodes []goodNode) (map[goodNode]int64, error) {
		var ids []int64
		found := map[goodNode]int64{}
		for _, n := range nodes {
			ids = append(ids, n.ID)
			found[n] = -n.ID
		}
		w.mu.Lock()
		w.batches = append(w.batches, ids)
		w.mu.Unlock()
		return found, load(ids)
	})
	return w
}

// fill loads entries and makes them wrong.
func (w *refillWorld) fill(t *testing.T, ids ...int64) (nodes []cacheme.Declaration) {
	t.Helper()
	for _, id := range ids {
		if _, err := w.bound.Get(within(t), goodNode{ID: id}); err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, goodNode{ID: id})
	}
	if err := w.cache.Invalidate(within(t), cacheme.Class[goodNode]()); err != nil {
		t.Fatal(err)
	}
	return nodes
}

func (w *refillWorld) refill(t *testing.T, nodes ...cacheme.Declaration) {
	t.Helper()
	if err := w.cache.Refill(nodes...); err != nil {
		t.Fatal(err)
	}
}

func (w *refillWorld) wait(t *testing.T) cacheme.Event {
	t.Helper()
	select {
	case e := <-w.told:
		return e
	case <-time.After(soon):
		t.Fatal("nothing is told of a refill")
		return cacheme.Event{}
	}
}

func (w *refillWorld) ids() (all []int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	all = slices.Concat(w.batches...)
	slices.Sort(all)
	return all
}

func TestRefillLoadsWhatRedisHasAnOldEntryOf(t *testing.T) {
	t.Parallel()
	w := newRefillWorld(t, cacheme.RefillOptions{}, func([]int64) error { return nil })
	nodes := w.fill(t, 1, 2)
	fresh := goodNode{ID: 3}
	if _, err := w.bound.Get(within(t), fresh); err != nil {
		t.Fatal(err)
	}
	before := w.cache.Stats()
	w.refill(t, append(nodes, nodes[0], fresh, goodNode{ID: 4})...)
	if e := w.wait(t); e.Kind != cacheme.EventRefilled || e.Count != 2 {
		t.Errorf("told %+v, want two to be refilled", e)
	}
	if diff := cmp.Diff([]int64{1, 2}, w.ids()); diff != "" {
		t.Errorf("refilled (-want +got):\n%s", diff)
	}
	after := w.cache.Stats()
	if after.Hits != before.Hits || after.Misses != before.Misses {
		t.Errorf("hits and misses went from %+v to %+v: nobody has asked", before, after)
	}
	for id, want := range map[int64]int64{1: -1, 2: -2, 3: 3, 4: 4} {
		if v, err := w.bound.Get(within(t), goodNode{ID: id}); v != want || err != nil {
			t.Errorf("Get(%d) = %d, %v, want %d", id, v, err, want)
		}
	}
}

func TestRefillKeepsToItsBudget(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	w := newRefillWorld(t, cacheme.RefillOptions{Concurrency: 1, Pending: 2, Age: 10 * time.Second}, func(ids []int64) error {
		if ids[0] == 1 {
			<-release
		}
		return nil
	})
	nodes := w.fill(t, 1, 2, 3, 4)
	w.refill(t, nodes[0])
	for len(w.ids()) == 0 {
		time.Sleep(time.Millisecond) // the only one who may load is at work now
	}
	w.refill(t, nodes[1:]...)
	if e := w.wait(t); e.Kind != cacheme.EventRefillDropped || e.Count != 1 || e.Reason != "too many wait" {
		t.Errorf("told %+v, want one of three to be dropped", e)
	}
	close(release)
	for range 2 {
		w.wait(t)
	}
	if diff := cmp.Diff([]int64{1, 2, 3}, w.ids()); diff != "" {
		t.Errorf("refilled (-want +got):\n%s", diff)
	}
}

func TestRefillDropsWhatWaitsForTooLong(t *testing.T) {
	t.Parallel()
	w := newRefillWorld(t, cacheme.RefillOptions{Concurrency: 1, PerSecond: 5, Age: 50 * time.Millisecond}, func([]int64) error { return nil })
	nodes := w.fill(t, 1, 2)
	w.refill(t, nodes[0])
	w.wait(t)
	w.refill(t, nodes[1]) // the rate has it wait for 200 ms
	if dropped := w.wait(t); dropped.Kind != cacheme.EventRefillDropped || dropped.Count != 1 || dropped.Reason != "they have waited for too long" {
		t.Errorf("told %+v, want one to have waited for too long", dropped)
	}
}

func TestRefillGoesNoFasterThanItsRate(t *testing.T) {
	t.Parallel()
	var at []time.Time
	w := newRefillWorld(t, cacheme.RefillOptions{Concurrency: 1, PerSecond: 20}, func([]int64) error {
		at = append(at, time.Now())
		return nil
	})
	nodes := w.fill(t, 1, 2, 3, 4, 5)
	w.refill(t, nodes[:4]...)
	w.wait(t)
	w.refill(t, nodes[4])
	w.wait(t)
	if pause := at[1].Sub(at[0]); pause < 150*time.Millisecond {
		t.Errorf("the fifth is loaded %v after four, want 200ms at 20 a second", pause)
	}
}

func TestRefillEndsWithTheCache(t *testing.T) {
	t.Parallel()
	w := newRefillWorld(t, cacheme.RefillOptions{Concurrency: 1, PerSecond: 1}, func([]int64) error { return nil })
	nodes := w.fill(t, 1, 2)
	w.refill(t, nodes[0])
	w.wait(t)
	w.refill(t, nodes[1]) // the rate has it wait for a second
	began := time.Now()
	if err := w.cache.Close(within(t)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 500*time.Millisecond {
		t.Errorf("Close took %v", took)
	}
	if diff := cmp.Diff([]int64{1}, w.ids()); diff != "" {
		t.Errorf("refilled (-want +got):\n%s", diff)
	}
}

func TestRefillSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, goodNode{}, goodChange{})
	var usage *cacheme.UsageError
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"no loader", cache.Refill(goodNode{ID: 1}), `cacheme: cacheme_test.goodNode: has no loader to be refilled by; call cacheme.Refillable with its Bound`},
		{"no node", cache.Refill(nil), `cacheme: nil: is no node; write a value such as Shelf{User: 7}`},
		{"no cache", cacheme.RefillRows(nil, func(storedBook) []cacheme.Declaration { return nil }), `cacheme: RefillRows[cacheme_test.storedBook]: has a nil cache; give it what cacheme.New returned`},
		{"no func", cacheme.RefillRows[storedBook](cache.Cache, nil), `cacheme: RefillRows[cacheme_test.storedBook]: has a nil func; give it one that names what to load again`},
	} {
		if !errors.As(c.err, &usage) || c.err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, c.err, c.want)
		}
	}
	want := `cacheme: cacheme_test.refillsBadly.Refill: is func(int) []cacheme.Declaration and would not be found; write Refill(cacheme_test.storedBook) []cacheme.Declaration`
	if err := cache.Register(refillsBadly{}); err == nil || err.Error() != want {
		t.Errorf("Register(refillsBadly{}) = %v, want %s", err, want)
	}
}

// refillsBadly asks for something that is no row.
type refillsBadly struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}

func (refillsBadly) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "badly:<id>", Model: (*storedBook)(nil)}
}

func (refillsBadly) Refill(int) []cacheme.Declaration { return nil }
