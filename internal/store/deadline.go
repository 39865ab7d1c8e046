package store

import (
	"context"
	"sync/atomic"
	"time"
)

// deadlines gives the reads of a Store their budget without a timer for each: those that begin within a tenth of the
// budget share one, so that each has between nine tenths of the budget and all of it.
type deadlines struct {
	budget  time.Duration
	current atomic.Pointer[deadline]
}

type deadline struct {
	ctx    context.Context //nolint:containedctx // it is what is shared
	cancel context.CancelFunc
	at     time.Time
}

// limit returns a deadline that is just being shared, or starts one.
func (d *deadlines) limit(now time.Time) *deadline {
	shared := d.current.Load()
	if shared != nil && shared.at.Sub(now) >= d.budget-d.budget/10 {
		return shared
	}
	at := now.Add(d.budget)
	ctx, cancel := context.WithDeadline(context.Background(), at)
	next := &deadline{ctx: ctx, cancel: cancel, at: at}
	if d.current.CompareAndSwap(shared, next) {
		return next // the one before ends by itself, under those who still use it
	}
	cancel()
	return d.limit(now)
}

// isUsual reports whether a budget, or what is left of one, is met by the deadline that is shared.
func (d *deadlines) isUsual(budget time.Duration) bool {
	return budget <= d.budget && budget > d.budget-d.budget/10
}

// within returns a context for one trip. A caller whose own deadline comes first, or whose budget is not the usual one,
// gets a timer of his own. One who just cancels is heard when the trip is over, a budget later at the latest.
func (d *deadlines) within(ctx context.Context, budget time.Duration) (context.Context, context.CancelFunc) {
	now := time.Now()
	at, has := ctx.Deadline()
	if !d.isUsual(budget) || has && at.Before(now.Add(budget)) {
		return context.WithTimeout(ctx, budget)
	}
	return tripContext{Context: ctx, limit: d.limit(now)}, func() {}
}

// after returns a channel that is closed when the budget is over, and what gives it back.
func (d *deadlines) after(budget time.Duration) (<-chan struct{}, func()) {
	if d.isUsual(budget) {
		return d.limit(time.Now()).ctx.Done(), func() {}
	}
	ctx, cancel := context.WithTimeout(context.Background(), budget)
	return ctx.Done(), cancel
}

func (d *deadlines) close() {
	if shared := d.current.Load(); shared != nil {
		shared.cancel()
	}
}

// tripContext has the values of the caller's context and a shared deadline.
type tripContext struct {
	context.Context //nolint:containedctx // it is a context
	limit           *deadline
}

func (c tripContext) Deadline() (time.Time, bool) { return c.limit.at, true }

func (c tripContext) Done() <-chan struct{} { return c.limit.ctx.Done() }

func (c tripContext) Err() error {
	if err := c.Context.Err(); err != nil {
		return err
	}
	return c.limit.ctx.Err()
}
