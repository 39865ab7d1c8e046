package store

import (
	"context"
	"sync"
	"time"

	"github.com/cacheme/cacheme/internal/gate"
)

// errand is something that is done once for all who need it at the same time.
type errand struct {
	mu    sync.Mutex
	going *errandRun
}

// errandRun is one time that it is done.
type errandRun struct {
	done chan struct{}
	err  error
}

// start returns the run under way, or starts one that takes at most budget: a client that does not heed the context may go
// on, but nobody waits for it. What do returns is called before those who wait go on, unless the run was given up. Nil:
// the store is closed.
func (e *errand) start(g *gate.Gate, budget time.Duration, do func(context.Context) (keep func(), err error)) *errandRun {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.going != nil {
		return e.going
	}
	if !g.Enter() {
		return nil
	}
	run := &errandRun{done: make(chan struct{})}
	e.going = run
	end := func(keep func(), err error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.going != run {
			return // it was given up
		}
		if err == nil {
			keep()
		}
		e.going, run.err = nil, err
		close(run.done)
	}
	go func() {
		defer g.Leave()
		ctx, cancel := context.WithTimeout(context.Background(), budget)
		defer cancel()
		stop := context.AfterFunc(ctx, func() { end(nil, context.DeadlineExceeded) })
		defer stop()
		end(do(ctx))
	}()
	return run
}

// wait waits for the end of a run.
func (r *errandRun) wait(ctx context.Context) error {
	if r == nil {
		return ErrAway
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}
