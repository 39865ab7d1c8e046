package store

import (
	"context"
	"slices"
	"sync"
	"time"
)

// gather has callers who come at the same time share round trips. While few trips are on the wire a caller sends his own,
// on his own goroutine, and nothing is the dearer for it. Those who come when the lanes are taken gather in a batch, which is
// sent as one trip when a lane is free again: nobody waits for others to come, and the more there are the fewer commands
// each of them costs. While a batch is on the wire there is a crowd, and fewer lanes make larger batches; one that is full
// does not wait for that.
//
// A batch takes callers only until it is sent, so that whoever shares a trip came before it was sent. A caller who
// gives up while he waits takes nobody along; one who gives up before the batch is sent has asked for nothing.
type gather[Q, A any] struct {
	s     *Store
	lanes int                                              // trips on the wire at once
	crowd int                                              // ... while one of them is a batch, and none waits that is full
	room  int                                              // of a batch, in what size measures
	size  func(ask Q) int                                  // of one question
	one   func(ctx context.Context, ask Q) (A, error)      // the trip of a caller alone
	all   func(ctx context.Context, asks []Q) ([]A, error) // the trip of a batch: an answer for each, in their order

	mu      sync.Mutex
	onWire  int
	batches int            // of those on the wire
	pending []*batch[Q, A] // the first is sent next, the last takes callers
}

// batch is a trip that is not sent yet, or on the wire.
type batch[Q, A any] struct {
	ctx    context.Context //nolint:containedctx // of the first who came: his values, not his end
	budget time.Duration
	size   int
	seats  []*seat[Q, A]
	sent   bool // takes nobody any more; guarded by the gather
	done   chan struct{}
	err    error
}

// seat is one caller's part of a batch.
type seat[Q, A any] struct {
	ask    Q
	left   bool // before the batch was sent; guarded by the gather
	answer A
}

// do asks, in at most budget.
func (g *gather[Q, A]) do(ctx context.Context, budget time.Duration, ask Q) (answer A, err error) {
	if g.s.breaker.open() {
		return answer, ErrAway
	}
	if err := ctx.Err(); err != nil {
		return answer, err
	}
	// Held to the end: whoever comes back sends those who wait, which is no more possible once the store is closed.
	if !g.s.gate.Enter() {
		return answer, ErrAway
	}
	defer g.s.gate.Leave()
	b, own, full := g.sit(ctx, budget, ask)
	if b == nil {
		defer g.landed()
		return call(ctx, g.s, budget, func(ctx context.Context) (A, error) { return g.one(ctx, ask) })
	}
	if full != nil {
		g.launch(full)
	}
	late, stop := g.s.deadlines.after(budget)
	defer stop()
	select {
	case <-b.done:
		return own.answer, b.err
	case <-ctx.Done():
		err = ctx.Err()
	case <-late:
		err = context.DeadlineExceeded
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	own.left = !b.sent
	return answer, err
}

// sit takes a lane for the caller, or else a seat in a batch that will be sent. full is a batch to be sent now.
func (g *gather[Q, A]) sit(ctx context.Context, budget time.Duration, ask Q) (b *batch[Q, A], own *seat[Q, A], full *batch[Q, A]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.pending) == 0 && g.hasLane() {
		g.onWire++
		return nil, nil, nil
	}
	size := g.size(ask)
	if last := len(g.pending) - 1; last >= 0 && g.pending[last].size+size <= g.room {
		b = g.pending[last]
	} else {
		b = &batch[Q, A]{ctx: context.WithoutCancel(ctx), done: make(chan struct{})}
		g.pending = append(g.pending, b)
	}
	own = &seat[Q, A]{ask: ask}
	b.seats, b.size, b.budget = append(b.seats, own), b.size+size, max(b.budget, budget)
	if len(g.pending) > 1 {
		full = g.next()
	}
	return b, own, full
}

// hasLane reports whether another trip may be sent.
func (g *gather[Q, A]) hasLane() bool {
	if g.batches > 0 && len(g.pending) < 2 {
		return g.onWire < g.crowd
	}
	return g.onWire < g.lanes
}

// landed frees the lane of a trip that is back, and sends those who wait for one.
func (g *gather[Q, A]) landed() {
	g.mu.Lock()
	g.onWire--
	b := g.next()
	g.mu.Unlock()
	if b != nil {
		g.launch(b)
	}
}

// launch sends a batch on a goroutine of its own.
func (g *gather[Q, A]) launch(b *batch[Q, A]) {
	if g.s.gate.Enter() {
		g.s.workers.run(func() { g.ship(b) })
		return
	}
	for b != nil { // the store is being closed
		b.err = ErrAway
		close(b.done)
		b = g.after()
	}
}

// ship sends one batch after the other, until nobody waits.
func (g *gather[Q, A]) ship(b *batch[Q, A]) {
	defer g.s.gate.Leave()
	for b != nil {
		g.send(b)
		b = g.after()
	}
}

// after frees the lane of a batch, and takes the next one.
func (g *gather[Q, A]) after() *batch[Q, A] {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.onWire--
	g.batches--
	return g.next()
}

// next takes a lane, if there is one, for the next batch that somebody still waits for.
func (g *gather[Q, A]) next() *batch[Q, A] {
	for len(g.pending) > 0 && g.hasLane() {
		b := g.pending[0]
		g.pending[0], g.pending = nil, g.pending[1:]
		b.sent = true
		b.seats = slices.DeleteFunc(b.seats, func(s *seat[Q, A]) bool { return s.left })
		if len(b.seats) > 0 {
			g.onWire++
			g.batches++
			return b
		}
	}
	return nil
}

// send makes the trip of a batch.
func (g *gather[Q, A]) send(b *batch[Q, A]) {
	defer close(b.done)
	asks := make([]Q, len(b.seats))
	for i, s := range b.seats {
		asks[i] = s.ask
	}
	var answers []A
	answers, b.err = call(b.ctx, g.s, b.budget, func(ctx context.Context) ([]A, error) { return g.all(ctx, asks) })
	if b.err == nil {
		for i, s := range b.seats {
			s.answer = answers[i]
		}
	}
}
