package transactions

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/suite/tap"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// item is the one that the schedules are about.
const item = 7

// shortHold is short enough to wait for, and long enough for MariaDB's limit, which counts whole seconds.
func shortHold(d writes.Database) time.Duration {
	if d.Dialect == writes.MariaDB {
		return 2500 * time.Millisecond
	}
	return time.Second
}

// errKilled is what a process gets from Redis that is no more.
var errKilled = errors.New("the process was killed")

// stage is a place with one item of version 1, whose writer can be stopped before its COMMIT and killed after it.
type stage struct {
	*place
	beforeCommit func() // on the writer's goroutine, between hold and COMMIT
	killed       atomic.Bool
}

// newStage makes a stage. trips may stop the writer's round trips; nil lets them pass.
func newStage(t *testing.T, d writes.Database, s setup) *stage {
	t.Helper()
	g := &stage{beforeCommit: func() {}}
	trips := s.trips
	s.trips = func(ctx context.Context, trip tap.Trip, send func(...redis.Cmder) error) error {
		switch {
		case g.killed.Load():
			return errKilled
		case trips != nil:
			return trips(ctx, trip, send)
		default:
			return send(trip.Cmds...)
		}
	}
	s.calls = func(_ context.Context, c tap.Call, do func() error) error {
		if c.Commits() {
			g.beforeCommit()
		}
		return do()
	}
	g.place = newPlace(t, d, s)
	// A process that is killed loses what it has not delivered. This one lives, and has to be closed in good order.
	t.Cleanup(func() { g.killed.Store(false) })
	_, err := g.admin.NewInsert().Model(&Item{ID: item, Shelf: 1, Version: 1}).Exec(t.Context())
	check(t, err)
	g.read(t)
	return g
}

// read gets the item in another process.
func (g *stage) read(t *testing.T) int64 {
	t.Helper()
	v, _, err := g.version(t.Context(), item)
	check(t, err)
	return v
}

// freshOrBroken compares what another process gets with what the database holds.
func (g *stage) freshOrBroken(t *testing.T, when string) string {
	t.Helper()
	got := g.read(t)
	want, err := versionOf(t.Context(), g.admin, item)
	check(t, err)
	if got != want {
		return fmt.Sprintf("%s another process gets version %d, and the database holds %d", when, got, want)
	}
	return ""
}

// lapse waits until nobody holds the item any longer, by letting others read it.
func (g *stage) lapse(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(soon); ; {
		g.read(t)
		now, err := g.look(t.Context(), []string{g.itemKey(item)})
		check(t, err)
		if !now[g.itemKey(item)].held {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the item is still held after %v", soon)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func inTransaction(ctx context.Context, db *bun.DB) error {
	return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return setVersionOf(ctx, tx, item, 2) })
}

func alone(ctx context.Context, db *bun.DB) error { return setVersionOf(ctx, db, item, 2) }

// releasedTooEarly: somebody reads between release and COMMIT, and nobody is left to say that it became wrong.
func releasedTooEarly(t *testing.T, d writes.Database, off guard.Set) string {
	g := newStage(t, d, setup{hold: shortHold(d), rules: off})
	g.beforeCommit = func() {
		g.read(t)
		g.killed.Store(true)
	}
	check(t, inTransaction(t.Context(), g.db))
	g.lapse(t)
	return g.freshOrBroken(t, "after a process was killed")
}

// refusedCommit: a constraint that waits for the COMMIT refuses it, so that nothing may become wrong.
func refusedCommit(t *testing.T, d writes.Database, off guard.Set) string {
	g := newStage(t, d, setup{rules: off})
	slip := func() (int64, error) {
		loads := int64(0)
		_, err := cacheme.GetFrom(t.Context(), g.reader, SlipItem{ID: 1}, func(context.Context, SlipItem) (int64, error) {
			loads++
			return 0, nil
		})
		return loads, err
	}
	_, err := slip()
	check(t, err)
	err = g.db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&Slip{ID: 1, Item: 404}).Exec(ctx)
		return err
	})
	if err == nil {
		t.Fatal("the COMMIT of a slip without its item: no error")
	}
	loads, err := slip()
	check(t, err)
	if loads != 0 {
		return "a rollback made an entry wrong"
	}
	return ""
}

// returnedTooEarly: the hold did not reach Redis, so that the entry is fresh until it is made wrong after the COMMIT.
func returnedTooEarly(t *testing.T, d writes.Database, off guard.Set) string {
	const pause = 300 * time.Millisecond
	seen := make(chan struct{}) // a reader has read after Commit returned
	delivered := make(chan struct{})
	g := newStage(t, d, setup{rules: off, trips: func(_ context.Context, trip tap.Trip, send func(...redis.Cmder) error) error {
		switch trip.Purpose {
		case tap.Hold:
			return errors.New("a network that lost it")
		case tap.Invalidate:
			// Time enough for a Commit that does not wait for this.
			select {
			case <-seen:
			case <-time.After(pause):
			}
			defer close(delivered)
		}
		return send(trip.Cmds...)
	}})
	check(t, inTransaction(t.Context(), g.db))
	broke := g.freshOrBroken(t, "after Commit has returned")
	close(seen)
	select {
	case <-delivered:
	case <-time.After(soon):
		t.Fatal("the invalidation never came")
	}
	return broke
}

// slept: the writer sleeps between hold and COMMIT until its hold has lapsed and others have loaded and stored, wakes,
// commits if the database still lets it, and is killed.
func slept(t *testing.T, d writes.Database, off guard.Set, write func(context.Context, *bun.DB) error) string {
	g := newStage(t, d, setup{hold: shortHold(d), rules: off})
	g.beforeCommit = func() {
		g.lapse(t)
		g.read(t)
		g.killed.Store(true)
	}
	err := write(t.Context(), g.db)
	broke := g.freshOrBroken(t, "after a process slept past its hold and was killed")
	if broke == "" && err == nil {
		t.Error("COMMIT after the hold has lapsed: no error, want the database to have given the transaction up")
	}
	return broke
}

// leaked: a Get inside a transaction loads uncommitted rows, which nobody else may find in the cache.
func leaked(itsContext bool) func(t *testing.T, d writes.Database, off guard.Set) string {
	return func(t *testing.T, d writes.Database, off guard.Set) string {
		g := newStage(t, d, setup{rules: off})
		check(t, g.writer.Invalidate(t.Context(), ItemChanged{ID: item})) // so that there is something to load
		err := g.db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
			if err := setVersionOf(ctx, tx, item, 666); err != nil {
				return err
			}
			if !itsContext {
				ctx = t.Context()
			}
			_, err := cacheme.GetFrom(ctx, g.writer, ItemVersion{ID: item}, func(ctx context.Context, v ItemVersion) (int64, error) {
				return versionOf(ctx, tx, v.ID)
			})
			return errors.Join(err, errUndo)
		})
		if !errors.Is(err, errUndo) {
			t.Fatal(err)
		}
		return g.freshOrBroken(t, "after a rollback")
	}
}
