package herd

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

var errBroken = errors.New("the database is broken")

func aFailure(t *testing.T, open suite.Open) {
	isPanic := func(err error) bool {
		var p *cacheme.PanicError
		return errors.As(err, &p) && len(p.Stack) > 0
	}
	for _, way := range []struct {
		name string
		fail func() (string, error)
		is   func(error) bool
	}{
		{"an error", func() (string, error) { return "", errBroken }, func(err error) bool { return errors.Is(err, errBroken) }},
		{"a panic", func() (string, error) { panic("no such shelf") }, isPanic},
		{"a panic with an error", func() (string, error) { panic(errBroken) }, func(err error) bool { return isPanic(err) && errors.Is(err, errBroken) }},
		{"an end of its goroutine", func() (string, error) { runtime.Goexit(); return "", nil }, isPanic},
	} {
		t.Run("with "+way.name+" fails every waiter and stores nothing", func(t *testing.T) {
			t.Parallel()
			failure(t, open, way.fail, way.is)
		})
	}
}

// failure gathers a crowd behind a load and lets it fail. The lease outlasts the test: had it not been given back, the
// call after that would find no end.
func failure(t *testing.T, open suite.Open, fail func() (string, error), is func(error) bool) {
	const callers = 1000
	// A look that is lost on a busy machine would cost a load more.
	patient := cacheme.Options{Lease: 10 * time.Minute, LoadTimeout: 10 * time.Minute, Budget: time.Minute}
	c := fleet(t, open(t), 1, patient)
	var calls, waiting atomic.Int64
	all := make(chan struct{})
	a := crowd(c, callers, func(c *cacheme.Cache) (any, error) {
		ctx := &waiter{Context: t.Context(), waits: func() {
			if waiting.Add(1) == callers {
				close(all)
			}
		}}
		return cacheme.GetFrom(ctx, c, Page{ID: 1}, func(context.Context, Page) (string, error) {
			calls.Add(1)
			select {
			case <-all:
			case <-time.After(5 * time.Minute):
				t.Errorf("%d of %d callers wait for the load", waiting.Load(), callers)
			}
			return fail()
		}, cacheme.OnMiss(func(context.Context, string) { ctx.missed.Store(true) }))
	})
	a.checkFailed(t, callers, is)
	if n := calls.Load(); n != 1 {
		t.Errorf("loads = %d for %d callers who waited for the first, want 1", n, callers)
	}

	b, err := cacheme.Bind(c[0], func(context.Context, Page) (string, error) { return "whole again", nil })
	if err != nil {
		t.Fatal(err)
	}
	if r, err := b.Peek(t.Context(), Page{ID: 1}); !errors.Is(err, cacheme.ErrNoEntry) {
		t.Errorf("Peek() = %v, %v after the failure, want %v", r, err, cacheme.ErrNoEntry)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if v, err := b.Get(ctx, Page{ID: 1}); v != "whole again" || err != nil {
		t.Errorf("Get() = %q, %v after the failure, want a new load at once", v, err)
	}
}

// checkFailed wants an error of one kind for everybody.
func (a tale) checkFailed(t testing.TB, callers int, is func(error) bool) {
	t.Helper()
	if len(a.errs) != callers {
		t.Errorf("%d of %d callers got an error, others %v", len(a.errs), callers, a.values)
	}
	for _, err := range a.errs {
		if !is(err) {
			t.Fatalf("a caller got %v (%T), want the load's own failure", err, err)
		}
	}
}

// waiter is the context of a caller, and tells when he waits for a load: whoever waits for something listens for his
// context's end too, and once nothing usable was found the load is all that is left to wait for.
type waiter struct {
	context.Context
	missed atomic.Bool
	once   sync.Once
	waits  func()
}

// Done is asked for by whoever is about to wait.
func (w *waiter) Done() <-chan struct{} {
	if w.missed.Load() {
		w.once.Do(w.waits)
	}
	return w.Context.Done()
}
