package flight

import (
	"context"
	"time"
)

// rest is a pause that all who wait for another process's load take together, so that a thousand of them poll as one.
type rest struct {
	over  chan struct{}
	polls int
}

// Rest waits until woken is closed, a pause has passed, or ctx ends. pause gives the length of the nth pause of this
// wait of the key, counted from 0; those who come while one lasts wait for its end with the others.
func (k *Key[R, B, V]) Rest(ctx context.Context, woken <-chan struct{}, pause func(n int) time.Duration) error {
	k.mu.Lock()
	r := k.rest
	if r == nil || r.ended() {
		polls := 0
		if r != nil {
			polls = r.polls + 1
		}
		r = &rest{over: make(chan struct{}), polls: polls}
		k.rest = r
		over := r.over
		time.AfterFunc(pause(polls), func() { close(over) })
	}
	k.mu.Unlock()
	select {
	case <-r.over:
	case <-woken:
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
