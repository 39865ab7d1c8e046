package flight

import (
	"context"
	"time"
)

// rest is a pause that all who wait for another process's load take together, so that a thousand of them poll as one.
type rest struct {
	over  chan struct{}
	polls int
	from  time.Time
	until time.Time
}

// Rest waits until woken is closed, a pause has passed, or ctx ends. pause gives the length of the nth pause of this
// wait of the key, counted from 0; those who come while one lasts wait for its end with the others.
func (k *Key[R, B, V]) Rest(ctx context.Context, woken <-chan struct{}, pause func(n int) time.Duration) error {
	k.mu.Lock()
	r := k.rest
	if r == nil || r.ended() {
		polls := 0
		if r != nil && time.Since(r.until) < r.until.Sub(r.from) {
			polls = r.polls + 1 // the same wait goes on; after a longer time it is another one
		}
		length := pause(polls)
		now := time.Now()
		r = &rest{over: make(chan struct{}), polls: polls, from: now, until: now.Add(length)}
		k.rest = r
		over := r.over
		time.AfterFunc(length, func() { close(over) })
	}
	k.mu.Unlock()
	select {
	case <-r.over:
	case <-woken:
		k.mu.Lock()
		if k.rest == r {
			k.rest = nil // the load that was waited for is over: the next wait begins anew
		}
		k.mu.Unlock()
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func (r *rest) ended() bool {
	select {
	case <-r.over:
		return true
	default:
		return false
	}
}
