package cacheme

import (
	"context"
	"time"
)

// rest waits for another process's load, under the lease that the call saw: until it says that it is over, or a pause
// has passed.
func (v *visit) rest(ctx context.Context, lease string) error {
	if v.rested.IsZero() {
		v.rested = time.Now()
	}
	v.rebuffs = rebuffs{}
	o := &v.c.options
	woken, done := v.c.store.Woken(ctx, o.Budget, v.r.entry, lease)
	defer done()
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

// rebuffs are refusals of the lease, in a row, after looks that saw the same: no lease, and this head of the entry.
type rebuffs struct {
	head string
	n    int
}

// maxRebuffs bounds them: then the call loads for itself.
const maxRebuffs = 10

// rebuffed counts that the call was refused the lease which it saw to be free.
func (v *visit) rebuffed(s sight) {
	if v.rebuffs.head != s.head {
		v.rebuffs = rebuffs{head: s.head}
	}
	v.rebuffs.n++
}

// catchBreath pauses before the next look of a call that was rebuffed. The first time somebody was quicker. Where the next
// look shows nothing of that, reads and scripts do not see the same Redis, as behind a proxy that reads from replicas, and
// to ask again at once would be all that the call does.
func (v *visit) catchBreath(ctx context.Context) error {
	if v.rebuffs.n <= 1 {
		return nil
	}
	o := &v.c.options
	pause := time.NewTimer(herdPause(o.HerdWait, o.HerdRetries, v.rebuffs.n-2))
	defer pause.Stop()
	select {
	case <-pause.C:
		return nil
	case <-ctx.Done():
		return wrap("get", v.r.key, ctx.Err())
	}
}
