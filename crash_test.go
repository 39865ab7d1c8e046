package cacheme_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// crashing is a node of which one method, called on the flight's own goroutine, does not return.
type crashing struct {
	cacheme.Node[string]
	ID  int64 `cacheme:"field"`
	end func()
}

func (crashing) Meta() cacheme.Meta { return cacheme.Meta{Key: "crashing:<id>"} }

func (c crashing) ResultInvalidNodes(string) []cacheme.Invalid {
	if c.end != nil {
		c.end()
	}
	return nil
}

// longLease outlasts any test: a lease that is not given back shows as a Get that finds no end.
var longLease = cacheme.Options{Lease: time.Hour, LoadTimeout: time.Hour}

// crash lets a load with some waiters end by a panic outside of the loader, and wants everybody to be told, and the next
// Get to load at once.
func crash(t *testing.T, cache *cachetest.Cache, end func(), is func(*cacheme.PanicError) bool) {
	t.Helper()
	const callers = 20
	ctx := within(t)
	all := make(chan struct{})
	var missed atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			_, err := cacheme.GetFrom(ctx, cache.Cache, crashing{ID: 1, end: end}, func(ctx context.Context, _ crashing) (string, error) {
				select {
				case <-all:
				case <-ctx.Done():
				}
				return "never seen", nil
			}, cacheme.OnMiss(func(context.Context, string) {
				if missed.Add(1) == callers {
					close(all)
				}
			}))
			if p, ok := errors.AsType[*cacheme.PanicError](err); !ok || !is(p) || len(p.Stack) == 0 {
				t.Errorf("GetFrom = %v, want the panic as a *PanicError", err)
			}
		})
	}
	wg.Wait()
	v, err := cacheme.GetFrom(ctx, cache.Cache, crashing{ID: 1}, func(context.Context, crashing) (string, error) { return "whole again", nil })
	if v != "whole again" || err != nil {
		t.Errorf("GetFrom after the crash = %q, %v, want a load at once", v, err)
	}
	r, err := peekAt(cache, crashing{ID: 1})
	if r.Value != "whole again" || err != nil {
		t.Errorf("Peek after that load = %q, %v, want its value", r.Value, err)
	}
}

func TestCrashInANodesMethodIsToldToAllAndTheNextLoadStartsAtOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func()
		is   func(*cacheme.PanicError) bool
	}{
		{"a panic", func() { panic("no such shelf") }, func(p *cacheme.PanicError) bool { return p.Value == "no such shelf" }},
		{"a panic with an error", func() { panic(errShelf) }, func(p *cacheme.PanicError) bool { return errors.Is(p, errShelf) }},
		{"the end of its goroutine", runtime.Goexit, func(p *cacheme.PanicError) bool { return p.Value == nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			crash(t, cachetest.NewWith(t, longLease, crashing{}), c.end, c.is)
		})
	}
}

func TestObserverThatPanicsFailsNobody(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	broken.Store(true)
	o := longLease
	o.Observer = func(_ context.Context, e cacheme.Event) {
		if e.Kind == cacheme.EventLoad && broken.Load() {
			panic("no news, please")
		}
	}
	cache := cachetest.NewWith(t, o, goodNode{}, goodChange{})
	load := func(context.Context, goodNode) (int64, error) { return 3, nil }
	if v, err := cacheme.GetFrom(within(t), cache.Cache, goodNode{ID: 1}, load); v != 3 || err != nil {
		t.Errorf("GetFrom with an observer that panics = %d, %v, want 3", v, err)
	}
	broken.Store(false)
	if v, err := cacheme.GetFrom(within(t), cache.Cache, goodNode{ID: 1}, load); v != 3 || err != nil {
		t.Errorf("GetFrom with an observer that is whole again = %d, %v, want 3", v, err)
	}
}
