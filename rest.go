package cacheme

import (
	"context"
	"time"
)

// rest waits for another process's load: until it says that it is over, or a pause has passed.
func (v *visit) rest(ctx context.Context) error {
	if v.rested.IsZero() {
		v.rested = time.Now()
	}
	woken, done := v.c.store.Woken(v.r.entry) //nolint:contextcheck // the subscription serves all who will ever wait
	defer done()
	o := &v.c.options
	err := v.k.Rest(ctx, woken, func(n int) time.Duration {
		return herdPause(o.HerdWait, o.HerdRetries, n)
	})
	if err != nil {
		return wrap("get", v.r.key, err)
	}
	return nil
}

// longestPause bounds the pause between two looks at another process's load.
const longestPause = 250 * time.Millisecond

// herdPause is the nth pause, counted from 0: wait, and after retries of them twice as long each time.
func herdPause(wait time.Duration, retries, n int) time.Duration {
	doublings := min(max(0, n+1-retries), 16)
	return min(wait<<doublings, max(wait, longestPause))
}
