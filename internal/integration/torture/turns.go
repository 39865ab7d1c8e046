package torture

import (
	"context"
	"time"
)

// turns keep a worker to his share of a rate. Who has been kept waiting does not make up for it.
type turns struct {
	pause time.Duration // from one turn to the next; 0: none
	due   time.Time
}

// newTurns shares a rate per second among workers; 0: there is none.
func newTurns(rate, workers int) *turns {
	t := &turns{due: time.Now()}
	if rate > 0 {
		t.pause = time.Second * time.Duration(workers) / time.Duration(rate)
	}
	return t
}

// next waits for the next turn; it is false once ctx has ended.
func (t *turns) next(ctx context.Context) bool {
	if wait := time.Until(t.due); wait > 0 {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
	}
	t.due = time.Now().Add(t.pause)
	return ctx.Err() == nil
}
