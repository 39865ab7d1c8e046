package outage

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

func reads(t *testing.T, open suite.Open) {
	t.Run("comes from the loader within the load time plus 50 ms", func(t *testing.T) {
		each(t, open, func(t *testing.T, w *world, way broken) {
			c := w.warm(cacheme.Options{})
			way.by(w.wire)
			// From the first call on: the breaker is still closed, and each pays for finding out.
			for range 10 {
				inTime(t, w, c)
			}
			w.eventually("the breaker opens", func() bool { w.get(c); return c.Stats().Away })
			inTime(t, w, c)
		})
	})
	for _, load := range []time.Duration{5 * time.Millisecond, 200 * time.Millisecond} {
		t.Run("of 100 callers at once comes from one load of "+load.String()+" in the process", func(t *testing.T) {
			each(t, open, func(t *testing.T, w *world, way broken) {
				c := w.warm(cacheme.Options{})
				way.by(w.wire)
				crowded(t, w, c, load)
				w.eventually("the breaker opens", func() bool { w.get(c); return c.Stats().Away })
				crowded(t, w, c, load)
			})
		})
	}
	t.Run("never meets a process that has not reached Redis yet", func(t *testing.T) {
		each(t, open, func(t *testing.T, w *world, way broken) {
			way.by(w.wire)
			c := w.cache(w.client(), cacheme.Options{})
			for range 5 {
				inTime(t, w, c)
			}
		})
	})
}

// inTime gets one value and wants it within the load time plus the budget of a Get.
func inTime(t *testing.T, w *world, c *cacheme.Cache) {
	t.Helper()
	within(t, "Get", func() (time.Duration, time.Duration) { return onceInTime(t, w, c) })
}

func onceInTime(t *testing.T, w *world, c *cacheme.Cache) (got, limit time.Duration) {
	t.Helper()
	const load, budget = 20 * time.Millisecond, 50 * time.Millisecond
	var took time.Duration
	r, err := bound(t, c, func(context.Context, Price) (int64, error) {
		began := time.Now()
		time.Sleep(load)
		took = time.Since(began)
		return w.row.Load(), nil
	}).timed(t.Context(), Price{Shop: w.cold.Add(1)})
	if err != nil || r.Value != w.row.Load() || r.Tier != cacheme.TierSource {
		t.Errorf("GetResult() = %+v, %v, want %d from the loader", r.Result, err, w.row.Load())
	}
	return r.took, took + budget
}

// crowded has 100 callers ask for a cold key at once.
func crowded(t *testing.T, w *world, c *cacheme.Cache, load time.Duration) {
	t.Helper()
	within(t, "the slowest of 100 callers", func() (time.Duration, time.Duration) {
		return onceCrowded(t, w, c, load), load + 50*time.Millisecond
	})
}

func onceCrowded(t *testing.T, w *world, c *cacheme.Cache, load time.Duration) (slowest time.Duration) {
	t.Helper()
	node := Price{Shop: w.cold.Add(1)}
	var loads, running, most atomic.Int64
	b := bound(t, c, func(context.Context, Price) (int64, error) {
		loads.Add(1)
		for now := running.Add(1); ; {
			seen := most.Load()
			if now <= seen || most.CompareAndSwap(seen, now) {
				break
			}
		}
		defer running.Add(-1)
		time.Sleep(load)
		return 7, nil
	})
	const callers = 100
	var mu sync.Mutex
	start := make(chan struct{})
	var ready, done sync.WaitGroup
	for range callers {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			r, err := b.timed(t.Context(), node)
			if err != nil || r.Value != 7 {
				t.Errorf("Get() = %v, %v, want 7", r.Value, err)
			}
			mu.Lock()
			defer mu.Unlock()
			slowest = max(slowest, r.took)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	if n := most.Load(); n != 1 {
		t.Errorf("%d loads ran at a time, want 1", n)
	}
	// Who arrives when the load of the first is over has a load of his own; nobody was there longer than a budget.
	if n := loads.Load(); n > 1 && load >= 100*time.Millisecond {
		t.Errorf("%d loads of %v for callers who came together, want 1", n, load)
	}
	t.Logf("%d loads of %v, the slowest caller took %v", loads.Load(), load, slowest)
	return slowest
}

// source is a bound loader whose calls are timed.
type source struct {
	*cacheme.Bound[Price, int64]
}

type timed struct {
	cacheme.Result[int64]
	took time.Duration
}

func bound(t testing.TB, c *cacheme.Cache, load func(context.Context, Price) (int64, error)) source {
	t.Helper()
	b, err := cacheme.Bind(c, load)
	if err != nil {
		t.Fatal(err)
	}
	return source{b}
}

func (s source) timed(ctx context.Context, node Price) (timed, error) {
	began := time.Now()
	r, err := s.GetResult(ctx, node)
	return timed{r, time.Since(began)}, err
}
