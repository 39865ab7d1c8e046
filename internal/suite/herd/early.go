package herd

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/suite"
)

// Hot is a node that is loaded again three seconds after its load, and lives for thirty: on a busy machine too the callers are
// done before the next early load.
type Hot struct {
	cacheme.Node[string]
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (Hot) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "hot:<id>", TTL: 30 * time.Second, Refresh: 0.1}
}

// early: before the time of an entry is over one process loads it, and nobody waits.
func early(t *testing.T, open suite.Open) {
	const processes, each = 4, 25
	t.Run("one process loads and nobody waits", func(t *testing.T) {
		a := ageing(t, open(t), processes, each, 0)
		if n := a.loads.Load(); n != 2 {
			t.Errorf("loads = %d, want 2: the first, and one before the time was over", n)
		}
		if n := a.waited.Load(); n != 0 {
			t.Errorf("%d of %d Gets were answered by a loader, want 0: the entry is there", n, a.gets.Load())
		}
		t.Logf("%d Gets", a.gets.Load())
	})
	t.Run("without the lease each process loads", func(t *testing.T) {
		if n := ageing(t, open(t), processes, each, guard.Without(guard.EarlyByLease)).loads.Load(); n < 3 {
			t.Errorf("loads = %d, want more than 2: nothing else keeps the processes apart", n)
		}
	})
}

type aged struct{ loads, gets, waited atomic.Int64 }

// ageing has so many callers in so many processes ask for one entry until each of them has seen the second load of it, and
// for half a second more.
func ageing(t *testing.T, server suite.Server, processes, each int, off guard.Set) *aged {
	t.Helper()
	a := &aged{}
	load := func(context.Context, Hot) (string, error) {
		n := a.loads.Add(1)
		time.Sleep(300 * time.Millisecond)
		return fmt.Sprintf("load %d", n), nil
	}
	o := suite.Patient(cacheme.Options{Prefix: suite.Prefix()})
	caches := make([]*cacheme.Cache, processes)
	for i := range caches {
		caches[i] = suite.NewCache(t, &guard.Client{UniversalClient: server.Client(suite.PatientClient), Rules: off}, o, Hot{})
	}
	if _, err := cacheme.GetFrom(t.Context(), caches[0], Hot{ID: 1}, load); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second) // before the entry expires
	defer cancel()
	var done sync.WaitGroup
	for _, c := range caches {
		bound, err := cacheme.Bind(c, load)
		if err != nil {
			t.Fatal(err)
		}
		for range each {
			done.Go(func() { a.asks(ctx, t, bound) })
		}
	}
	done.Wait()
	return a
}

// asks is one caller.
func (a *aged) asks(ctx context.Context, t *testing.T, bound *cacheme.Bound[Hot, string]) {
	var until time.Time
	for until.IsZero() || time.Now().Before(until) {
		r, err := bound.GetResult(ctx, Hot{ID: 1})
		if err != nil {
			t.Errorf("GetResult() = %v", err)
			return
		}
		a.gets.Add(1)
		if r.Tier != cacheme.TierRedis {
			a.waited.Add(1)
		}
		if until.IsZero() && r.Value != "load 1" {
			until = time.Now().Add(500 * time.Millisecond)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
