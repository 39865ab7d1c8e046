package sqltx

import (
	"context"
	"sync/atomic"
)

type witnessKey struct{}

// Witness tells whether a statement came through a wrapped connection. It may be asked from any goroutine.
type Witness struct{ seen atomic.Bool }

// Watch returns a context with a Witness in it. Of two in one context the inner one is told.
func Watch(ctx context.Context) (context.Context, *Witness) {
	w := new(Witness)
	return context.WithValue(ctx, witnessKey{}, w), w
}

// Seen reports whether a statement, a BeginTx or a Prepare with the context of the Witness has reached a wrapped
// connection. That it has not, once the call has returned without an error, means that it ran on a pool without one.
func (w *Witness) Seen() bool { return w.seen.Load() }

func notice(ctx context.Context) {
	if w, ok := ctx.Value(witnessKey{}).(*Witness); ok {
		w.seen.Store(true)
	}
}
