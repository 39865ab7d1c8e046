package cacheme

import (
	"context"
	"fmt"
	"time"

	"github.com/cacheme/cacheme/internal/envelope"
	"github.com/cacheme/cacheme/internal/flight"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/store"
)

// Tier says where a value came from.
type Tier string

// The tiers.
const (
	TierNear   Tier = "near" // this process
	TierRedis  Tier = "redis"
	TierSource Tier = "source" // the loader, called for this caller or for one that he joined
)

// answer is what a Get gives, before it has a type.
type answer struct {
	value any
	stale bool
	age   time.Duration
	tier  Tier
}

// loader loads some nodes at once: one answer for each, in their order.
type loader func(ctx context.Context, rs []*request) []loaded

type loaded struct {
	value any
	err   error
}

type (
	key      = flight.Key[sight, beginning, *outcome]
	inFlight = flight.Flight[sight, beginning, *outcome]
)

// visit is one caller's Get of one node.
type visit struct {
	c        *Cache
	r        *request
	k        *key
	arrived  uint64    // see flight.Group.Now
	missed   bool      // Miss was called
	behind   bool      // when it arrived this process had invalidations that were not delivered
	declined int       // loads of others that it waited for, and whose values were for their callers alone
	rested   time.Time // since when it has waited for another process's lease; zero: it has not
	rebuffs  rebuffs
}

func (c *Cache) visit(r *request) *visit {
	arrived := c.flights.Now()
	return &visit{c: c, r: r, k: c.flights.Enter(r.entry), arrived: arrived, behind: c.journal.pending.Load() > 0}
}

// get is a Get: look, decide, and act until there is an answer.
func (c *Cache) get(ctx context.Context, r *request, load loader) (answer, error) {
	if c.leavesAlone(ctx, r) {
		return c.loadDirectly(ctx, r, load)
	}
	outer := scopeOf(ctx)
	if outer.loading(c, r.entry) {
		outer.spoil("an inner Get asked for what is being loaded")
		return c.failed(ctx, r, &CycleError{Node: r.plan.name, Key: r.key})
	}
	v := c.visit(r)
	defer v.k.Leave()
	for {
		s, err := v.look(ctx)
		if ctx.Err() != nil {
			return v.finish(ctx, answer{}, wrap("get", r.key, ctx.Err()))
		}
		var a answer
		var done bool
		if err != nil {
			a, done, err = v.withoutRedis(ctx, load)
		} else {
			a, done, err = v.act(ctx, s, load)
		}
		if done || err != nil {
			return v.finish(ctx, a, err)
		}
	}
}

// wrap names the operation and the key, once, at the boundary. Loader errors are not wrapped.
func wrap(op, key string, err error) error {
	return fmt.Errorf("cacheme: %s %s: %w", op, key, err)
}

// leavesAlone reports whether this call has to go past the cache.
func (c *Cache) leavesAlone(ctx context.Context, r *request) bool {
	if !c.Enabled() || bypassed(ctx) {
		return true
	}
	return r.plan.skip != nil && r.plan.skip(ctx, r.node)
}

func (c *Cache) loadDirectly(ctx context.Context, r *request, load loader) (answer, error) {
	scopeOf(ctx).spoil("an inner Get went past the cache")
	c.happened(ctx, r.plan, Event{Kind: EventBypass, Key: r.key})
	l := c.callPast(ctx, []*request{r}, load)[0]
	return answer{value: l.value, tier: TierSource}, notFoundToo(l.err)
}

// callPast calls a loader past the cache. What it gets is got inside of a load all the same: it is not near.
func (c *Cache) callPast(ctx context.Context, rs []*request, load loader) []loaded {
	if scopeOf(ctx) == nil {
		s := newScope(c, nil, nil)
		defer s.end()
		ctx = s.into(ctx)
	}
	return load(ctx, rs)
}

// look shares a round trip with those who came at the same time.
func (v *visit) look(ctx context.Context) (sight, error) {
	if v.c.store.Away() {
		return sight{}, store.ErrAway
	}
	s, err := v.k.Ask(ctx, func(ctx context.Context) (sight, error) { return v.c.look(ctx, v.r) })
	if err == nil {
		v.c.tellBlind(ctx)
		s = v.distrust(s)
	}
	return s, err
}

// distrust hides an entry that an invalidation concerns which this process had not delivered when it asked for it.
func (v *visit) distrust(s sight) sight {
	if s.entry != nil && v.isBehind() && v.c.own.afterLoad(append(v.c.resultKeys(s), v.r.writable()...), s.entry.Loaded) {
		s.entry, s.results = nil, nil
	}
	return s
}

// isBehind reports whether Redis may not know, or may not have known when the call looked, what this process wrote.
func (v *visit) isBehind() bool { return v.behind || v.c.journal.pending.Load() > 0 }

func (c *Cache) tellBlind(ctx context.Context) {
	if c.store.Blind() && c.told.CompareAndSwap(false, true) {
		c.tell(ctx, Event{Kind: EventBlind, Reason: "INFO tells no run_id; allow the command, or entries are shared by no other process and every cold key loads twice"})
	}
}

// act does what the sight calls for. It is not done where the call has to look again.
func (v *visit) act(ctx context.Context, s sight, load loader) (a answer, done bool, err error) {
	c := v.c
	if !v.r.call.force {
		verdict := v.decide(ctx, s)
		if verdict == serve || verdict == serveStale {
			if a, done, err = v.serve(ctx, s, verdict == serveStale); done {
				if verdict == serve {
					c.verifier.hit(ctx, v.r, s, load)
					if v.dueNow(s) {
						c.refresher.add(ctx, load, &renewal{r: v.r, seen: s})
					}
				}
				return a, done, err
			}
			s.entry, s.results = nil, nil // its bytes are no value
		}
	}
	if v.isApart() {
		return v.loadApart(ctx, load)
	}
	v.miss(ctx)
	f, lead := v.flight(s)
	switch {
	case lead:
		w := newWork(v.r, f, s)
		if !c.start(ctx, []*work{w}, purse{s.left}, load) {
			a, err = c.loadDirectly(ctx, v.r, load)
			return a, true, err
		}
		if a, done, err = v.take(ctx, f, flight.Early, true); !done && err == nil {
			v.rebuffed(s)
			err = v.catchBreath(ctx)
		}
		return a, done, err
	case f == nil:
		return a, false, v.rest(ctx, s.lease)
	}
	return v.take(ctx, f, v.standing(f, s), false)
}

func (c *Cache) decide(v *visit, s sight) verdict {
	own := false
	if v.r.call.policy.stale > 0 && s.entry != nil {
		own = c.own.afterLoad(append(c.resultKeys(s), v.r.keys...), s.entry.Loaded)
	}
	return decide(s, v.r.call.policy, v.k.Current() != nil, own, c.rules)
}

// flight returns the load to wait for: this process's, begun by this call where nobody leads. Nil: another process
// has the lease.
func (v *visit) flight(s sight) (f *inFlight, lead bool) {
	if s.lease == "" || v.r.call.force || v.doubtsLease() {
		return v.k.Lead()
	}
	return v.k.Current(), false
}

// doubtsLease is true from time to time while a call waits for longer than any lease lives without being renewed: the
// script that takes leases knows one that never ends from one whose owner is alive.
func (v *visit) doubtsLease() bool {
	if v.rested.IsZero() || time.Since(v.rested) < 2*v.c.options.Lease {
		return false
	}
	v.rested = time.Now()
	return true
}

// standing judges whether what the flight began with is what this call has read.
func (v *visit) standing(f *inFlight, s sight) flight.Standing {
	if v.c.rules.Off(guard.NextLoadAfterArrival) {
		return flight.Early
	}
	c := v.c
	return f.Join(v.arrived, func(with beginning, began uint64) bool {
		// An invalidation that this process could not deliver is in no token yet.
		undelivered := v.isBehind() && c.own.afterMoment(v.r.writable(), began)
		return !v.r.call.force && !undelivered && with.seenBy(s, c.rules)
	})
}

// standingBlind judges the same without a look at Redis.
func (v *visit) standingBlind(f *inFlight) flight.Standing {
	return f.Join(v.arrived, func(with beginning, began uint64) bool {
		away := with.alone || v.c.store.Away()
		return away && !v.r.call.force && !v.c.own.afterMoment(v.r.writable(), began)
	})
}

// take waits for a flight and takes its value, if this call may have it. own says that its loader is the call's.
func (v *visit) take(ctx context.Context, f *inFlight, standing flight.Standing, own bool) (a answer, done bool, err error) {
	out, ok, err := f.Wait(ctx, standing)
	switch {
	case err != nil:
		return a, true, wrap("get", v.r.key, err)
	case out.private && !own:
		v.declined++
		return a, false, nil
	case !ok:
		return a, false, nil
	case out.err != nil && !out.notFound:
		if a, ok := v.standInForError(ctx); ok {
			v.c.happened(ctx, v.r.plan, Event{Kind: EventStale, Key: v.r.key, Reason: "the load failed", Err: out.err})
			return a, true, nil
		}
		return a, true, out.err
	}
	// Only now is it known what the result depends on. What this process has written to that since the load began, and
	// could not tell Redis, the joiner's look has not shown.
	if standing == flight.Joined && v.isBehind() && (out.blind || v.c.own.afterMoment(v.c.tokenKeys(out.names), out.began)) {
		return a, false, nil
	}
	a.tier = TierSource
	a.value, err = out.valueFor(v.r.plan)
	out.handUp(v.c, scopeOf(ctx))
	return a, true, err
}

// standInForError serves the old value in place of a failed load, where the node says so.
func (v *visit) standInForError(ctx context.Context) (answer, bool) {
	if v.r.call.policy.staleIfError <= 0 {
		return answer{}, false
	}
	// What was seen before the load says nothing of what was made wrong meanwhile.
	s, err := v.look(ctx)
	if err != nil || s.entry == nil || !s.standsIn(v.r.call.policy.staleIfError) ||
		v.c.own.afterLoad(append(v.c.resultKeys(s), v.r.keys...), s.entry.Loaded) {
		return answer{}, false
	}
	value, err := s.decoded(v.r.plan)
	if err == nil {
		v.handUp(scopeOf(ctx), s)
	}
	return answer{value: value, stale: true, age: s.age(), tier: TierRedis}, err == nil
}

// withoutRedis loads in this process alone. While Redis is away a call may join a load that began before it arrived,
// unless this process itself has written since: nobody can say what others wrote, and one load for a process is worth
// more then. Where it was this look alone that failed, the call waits for a load that Redis knows of and looks again.
func (v *visit) withoutRedis(ctx context.Context, load loader) (a answer, done bool, err error) {
	if v.isApart() {
		return v.loadApart(ctx, load)
	}
	v.miss(ctx)
	f, lead := v.k.Lead()
	if !lead {
		return v.take(ctx, f, v.standingBlind(f), false)
	}
	if !v.c.start(ctx, []*work{newWork(v.r, f, sight{})}, purse{}, load) {
		a, err = v.c.loadDirectly(ctx, v.r, load)
		return a, true, err
	}
	return v.take(ctx, f, flight.Early, true)
}

// serve answers from the entry. It is not done where the entry's bytes do not decode.
func (v *visit) serve(ctx context.Context, s sight, stale bool) (a answer, done bool, err error) {
	c, p := v.c, v.r.plan
	a = answer{stale: stale, age: s.age(), tier: TierRedis}
	if s.entry.Kind == envelope.NotFound {
		err = notFoundToo(ErrNotFound)
	} else if a.value, err = s.decoded(p); err != nil {
		c.happened(ctx, p, Event{Kind: EventGarbage, Key: v.r.key, Err: err})
		return answer{}, false, nil //nolint:nilerr // told as an event: garbage is a miss
	}
	v.handUp(scopeOf(ctx), s)
	if v.r.call.refill {
		return a, true, err
	}
	kind := EventHit
	if stale {
		kind = EventStale
	}
	c.happened(ctx, p, Event{Kind: kind, Key: v.r.key, Tier: TierRedis})
	told := v.missed
	v.missed = true // told by the hit
	switch {
	case told || err != nil: // a miss, when this call first looked; or there is no value to tell
	case v.r.call.onHit != nil:
		v.r.call.onHit(ctx, v.r.key, a.value)
	case p.hit != nil:
		p.hit(ctx, v.r.node, v.r.key, a.value)
	}
	return a, true, err
}

// handUp gives the entry's dependencies to the load that this Get is part of.
func (v *visit) handUp(outer *scope, s sight) {
	if outer == nil {
		return
	}
	e := s.entry
	names := v.c.names(v.r.keys)
	tokens := append([]envelope.Token(nil), e.Declared...)
	if e.Born {
		clear(tokens)
	}
	for _, result := range e.Results {
		names, tokens = append(names, result.Name), append(tokens, result.Token)
	}
	outer.hand(v.c, names, tokens, e.Loaded+e.TTL)
}

// miss tells, once for each call, that nothing usable was there.
func (v *visit) miss(ctx context.Context) {
	if v.missed || v.r.call.refill {
		return
	}
	v.missed = true
	if v.r.call.onMiss != nil {
		v.r.call.onMiss(ctx, v.r.key)
		return
	}
	if v.r.plan.miss != nil {
		v.r.plan.miss(ctx, v.r.node, v.r.key)
	}
}

// finish counts how the call ended.
func (v *visit) finish(ctx context.Context, a answer, err error) (answer, error) {
	switch {
	case err != nil && !isNotFound(err):
		scopeOf(ctx).spoil("an inner Get failed")
		return v.c.failed(ctx, v.r, err)
	case a.tier == TierSource && !v.r.call.refill:
		v.c.happened(ctx, v.r.plan, Event{Kind: EventMiss, Key: v.r.key})
	}
	return a, err
}

func (c *Cache) failed(ctx context.Context, r *request, err error) (answer, error) {
	c.happened(ctx, r.plan, Event{Kind: EventError, Key: r.key, Err: err})
	return answer{}, err
}
