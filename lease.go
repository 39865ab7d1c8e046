package cacheme

import (
	"context"
	"runtime/debug"
	"sync"
	"time"
)

// keepLeases renews the leases while the load runs and until LoadTimeout, and returns what ends that.
func (c *Cache) keepLeases(ctx context.Context, owner string, ws []*work) (stop func()) {
	var entries []string
	for _, w := range ws {
		if !w.alone {
			entries = append(entries, w.r.entry)
		}
	}
	if len(entries) == 0 {
		return func() {}
	}
	ctx, cancel := context.WithTimeout(ctx, c.options.LoadTimeout)
	var mu sync.Mutex // guards timer
	var timer *time.Timer
	renew := func() {
		if err := c.store.Renew(ctx, c.options.WriteBudget, c.options.Lease, owner, entries); err != nil {
			c.redisError(ctx, err)
		}
		mu.Lock()
		defer mu.Unlock()
		if ctx.Err() == nil {
			timer.Reset(c.options.Lease / 3)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(c.options.Lease/3, renew)
	return func() {
		cancel()
		mu.Lock()
		defer mu.Unlock()
		timer.Stop()
	}
}

// callLoader calls the user's loader on a goroutine of its own, so that neither a panic, nor runtime.Goexit, nor a
// loader that ignores its context takes the flight along.
func (c *Cache) callLoader(ctx context.Context, rs []*request, behind bool, load loader) []loaded {
	ctx, cancel := context.WithTimeout(ctx, c.options.LoadTimeout)
	defer cancel()
	results := make(chan []loaded, 1)
	owned := c.loads.Enter() // false only where Close came between: the flight is still counted
	go func() {
		if owned {
			defer c.loads.Leave()
		}
		inner, done := c.aroundLoad(ctx, rs, behind)
		var out []loaded
		returned := false
		defer func() {
			if !returned {
				out = allFailed(len(rs), &PanicError{Value: recover(), Stack: debug.Stack()})
			}
			done(out)
			results <- out
		}()
		out = load(inner, rs)
		returned = true
	}()
	select {
	case out := <-results:
		return out
	case <-ctx.Done():
	}
	// A loader that heeds its context is about to say so, in its own words.
	grace := time.NewTimer(loadGrace)
	defer grace.Stop()
	select {
	case out := <-results:
		return out
	case <-grace.C:
		return allFailed(len(rs), ErrLoadTimeout)
	}
}

// loadGrace is how long a loader has, past LoadTimeout, to return its context's error.
const loadGrace = 10 * time.Millisecond

func allFailed(n int, err error) []loaded {
	out := make([]loaded, n)
	for i := range out {
		out[i].err = err
	}
	return out
}
