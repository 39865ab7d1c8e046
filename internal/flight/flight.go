// Package flight brings the callers of one key in one process together: they share round trips and loads, as far as
// each may honestly take what another fetched.
//
// Two rules decide who may share what. A round trip may be shared by those who arrived before it was sent. A load may
// be taken by those who arrived before it began, whatever came of it; anybody else has to show that what the load
// began with is what he himself has just read (which is for the caller of this package to judge).
package flight

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

const shards = 64

// Group holds the keys that somebody in this process is asking for. R is what a round trip brings, B what a load
// began with, V what it gives. Make one with New.
type Group[R, B, V any] struct {
	seed   maphash.Seed
	clock  atomic.Uint64 // orders arrivals and the beginnings of loads
	shards [shards]struct {
		mu   sync.Mutex
		keys map[string]*Key[R, B, V]
	}
	// Patience bounds how long Ask waits for somebody else's trip; zero: as long as that takes. A trip has its own bound,
	// but who shares one may have waited for the one before it as well.
	Patience time.Duration
	// ShareEarlierTrips breaks the first rule. For tests.
	ShareEarlierTrips bool
}

// New returns an empty Group.
func New[R, B, V any]() *Group[R, B, V] {
	g := &Group[R, B, V]{seed: maphash.MakeSeed()}
	for i := range g.shards {
		g.shards[i].keys = map[string]*Key[R, B, V]{}
	}
	return g
}

// Now returns a moment that is later than all moments returned before.
func (g *Group[R, B, V]) Now() uint64 { return g.clock.Add(1) }

// Key is one key with its callers of the moment.
type Key[R, B, V any] struct {
	group   *Group[R, B, V]
	name    string
	callers int // guarded by the shard

	mu     sync.Mutex
	busy   bool             // a round trip is on the wire
	sent   *trip[R]         // ... if it is one that gathered callers
	next   *trip[R]         // gathers callers until the one on the wire is back
	flight *Flight[R, B, V] // the load under way
	rest   *rest            // those who wait for another process
}

// Enter brings a caller to a key. Every Enter wants a Leave.
func (g *Group[R, B, V]) Enter(name string) *Key[R, B, V] {
	s := &g.shards[maphash.String(g.seed, name)%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.keys[name]
	if !ok {
		k = &Key[R, B, V]{group: g, name: name}
		s.keys[name] = k
	}
	k.callers++
	return k
}

// Leave ends the visit that Enter began.
func (k *Key[R, B, V]) Leave() {
	s := &k.group.shards[maphash.String(k.group.seed, k.name)%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.callers--; k.callers == 0 {
		delete(s.keys, k.name)
	}
}

// trip is a round trip that several callers wait for.
type trip[R any] struct {
	send  func(context.Context) (R, error)
	ctx   context.Context //nolint:containedctx // of the first who waits: the trip outlives his call
	done  chan struct{}
	reply R
	err   error
}

// Ask returns the reply of a round trip that is sent after the call. A caller who is alone sends it himself, under his
// own context. Those who arrive while one is on the wire share the next, which runs under the values, but not the
// deadline, of the first of them.
func (k *Key[R, B, V]) Ask(ctx context.Context, send func(context.Context) (R, error)) (R, error) {
	k.mu.Lock()
	if !k.busy {
		k.busy = true
		k.mu.Unlock()
		defer k.landed()
		return send(ctx)
	}
	t := k.next
	if k.group.ShareEarlierTrips && k.sent != nil {
		t = k.sent
	}
	if t == nil {
		t = &trip[R]{send: send, ctx: context.WithoutCancel(ctx), done: make(chan struct{})}
		k.next = t
	}
	k.mu.Unlock()
	var late <-chan time.Time
	if k.group.Patience > 0 {
		timer := time.NewTimer(k.group.Patience)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-t.done:
		return t.reply, t.err
	case <-late:
		var none R
		return none, context.DeadlineExceeded
	case <-ctx.Done():
		var none R
		return none, ctx.Err()
	}
}

// landed sends the trip that gathered meanwhile.
func (k *Key[R, B, V]) landed() {
	k.mu.Lock()
	defer k.mu.Unlock()
	t := k.next
	k.sent, k.next, k.busy = t, nil, t != nil
	if t == nil {
		return
	}
	go func() {
		defer k.landed()
		defer close(t.done)
		t.reply, t.err = t.send(t.ctx)
	}()
}

// Flight is one load, and those who wait for it.
type Flight[R, B, V any] struct {
	key    *Key[R, B, V]
	done   chan struct{}
	began  uint64 // when the load began; 0: not yet
	with   B      // what it began with
	closed bool   // to those who arrived after it began
	over   bool
	value  V
	own    bool // only for those who arrived before it began
	again  bool // nothing was loaded: ask again
}

// Lead returns the flight of the key, and whether the caller has just started it and has to end it. A flight keeps its
// key until End, so that it is found even if everybody who waited for it has left.
func (k *Key[R, B, V]) Lead() (f *Flight[R, B, V], lead bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.flight != nil {
		return k.flight, false
	}
	k.group.Enter(k.name)
	k.flight = &Flight[R, B, V]{key: k, done: make(chan struct{})}
	return k.flight, true
}

// Current returns the flight of the key, or nil.
func (k *Key[R, B, V]) Current() *Flight[R, B, V] {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.flight
}

// Begin marks the moment directly before the load, and what it begins with.
func (f *Flight[R, B, V]) Begin(with B) (began uint64) {
	f.key.mu.Lock()
	defer f.key.mu.Unlock()
	f.with, f.began = with, f.key.group.Now()
	return f.began
}

// CloseToJoiners ends joining by what the flight began with. Those who joined before still get the value.
func (f *Flight[R, B, V]) CloseToJoiners() {
	f.key.mu.Lock()
	defer f.key.mu.Unlock()
	f.closed = true
}

// End gives the flight's callers what came of it; the first End counts. own keeps the value from those who joined
// after the load began; again tells everybody to ask once more.
func (f *Flight[R, B, V]) End(value V, own, again bool) {
	f.key.mu.Lock()
	defer f.key.mu.Unlock()
	if f.over {
		return
	}
	f.over, f.value, f.own, f.again = true, value, own, again
	if f.key.flight == f {
		f.key.flight = nil
	}
	f.key.Leave()
	close(f.done)
}

// Standing is how a caller stands to a flight.
type Standing int

const (
	// Early callers arrived before the load began: its value is theirs, whatever came of it.
	Early Standing = iota
	// Joined callers showed that the load began with what they read.
	Joined
	// Late callers wait for the end and then ask again.
	Late
)

// Join tells how a caller that arrived at a moment stands to the flight. same judges what the flight began with, and
// when; it must not call the flight.
func (f *Flight[R, B, V]) Join(arrived uint64, same func(with B, began uint64) bool) Standing {
	f.key.mu.Lock()
	defer f.key.mu.Unlock()
	switch {
	case f.began == 0 || f.began > arrived:
		return Early
	case !f.closed && same(f.with, f.began):
		return Joined
	}
	return Late
}

// Wait waits for the end of the flight. ok is false where the caller may not have the value and has to ask again.
func (f *Flight[R, B, V]) Wait(ctx context.Context, s Standing) (value V, ok bool, err error) {
	select {
	case <-f.done:
	case <-ctx.Done():
		var none V
		return none, false, ctx.Err()
	}
	// Nothing is written to a flight that is over.
	return f.value, !f.again && (s == Early || s == Joined && !f.own), nil
}
