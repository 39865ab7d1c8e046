package cacheme

import (
	"context"
	"time"

	"github.com/cacheme/cacheme/internal/envelope"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/near"
	"github.com/cacheme/cacheme/internal/store"
)

// nearby is what the near cache has of an entry.
type nearby struct {
	value    any           // decoded; with Meta.Copy nil
	payload  []byte        // with Meta.Copy, or to watch whether the value changes
	notFound bool          // the entry says that there is nothing
	key      string        // as the template renders it
	age      time.Duration // of the entry, when it was kept
}

type (
	nearCache = near.Cache[nearKey, nearby]
	nearValue = near.Value[nearby]
)

func newNear(c *Cache) *nearCache {
	o := near.Options{
		Size:     uint64(c.options.Near.Size),
		Lag:      c.options.Near.Lag,
		Clock:    c.store.Clock,
		Gullible: c.rules.Off(guard.NearOnlyProven),
		Feed: near.FeedOptions{
			Channel: c.store.NearChannel(),
			Servers: c.store.Servers,
			Pulse:   c.store.Pulse,
			Told:    c.nearTold,
			States:  c.nearStates,
		},
	}
	if c.options.Near.Tracking == On {
		for _, k := range kinds {
			o.Feed.Tracked = append(o.Feed.Tracked, c.options.Prefix+string(k)+":")
		}
	}
	return near.New[nearKey, nearby](o)
}

func (c *Cache) nearTold(err error) {
	if err != nil {
		c.tell(context.Background(), Event{Kind: EventNearAway, Err: err})
		return
	}
	c.tell(context.Background(), Event{Kind: EventNear})
}

// nearStates tells by what tokens the near cache knows whether they are still the same.
func (c *Cache) nearStates(ctx context.Context, keys []string) ([]uint64, error) {
	values, err := c.store.Read(ctx, c.options.Budget, keys)
	if err != nil {
		return nil, err
	}
	states := make([]uint64, len(keys))
	for i := range keys {
		states[i] = nearState(values.Dependency(i))
	}
	return states, nil
}

// nearState is a number that only this state of a dependency has; 1 where nothing can be fresh under it.
func nearState(d store.Dependency) uint64 {
	if !d.Exists || d.Held {
		return 1
	}
	return d.Token.Nonce
}

// nearHit answers from this process, where it may. Inside of a load it may not: what is loaded would be as old as what it
// was made of, and those who get it have not asked for that.
func (c *Cache) nearHit(ctx context.Context, key nearKey, node any) (a answer, ok bool, err error) {
	p := key.plan
	if !c.Enabled() || bypassed(ctx) || scopeOf(ctx) != nil && !c.rules.Off(guard.NearNotInLoads) {
		return answer{}, false, nil
	}
	v, kept, ok := c.near.Get(key)
	if !ok || !c.store.Trusted() || p.skip != nil && p.skip(ctx, node) { //nolint:contextcheck // it asks for later calls
		return answer{}, false, nil
	}
	w := &v.What
	a = answer{value: w.value, age: w.age + kept, tier: TierNear}
	switch {
	case w.notFound:
		err = notFoundToo(ErrNotFound)
	case p.meta.Copy:
		if a.value, err = p.carrier.decode(p.codec, w.payload); err != nil {
			return answer{}, false, nil //nolint:nilerr // Redis has the bytes too, and will be told of
		}
	case w.payload != nil && !c.unchanged(ctx, p, w):
		return answer{}, false, nil
	}
	p.counters.near.Add(1)
	if c.options.Observer != nil {
		c.observe(ctx, Event{Kind: EventHit, Node: p.name, Key: w.key, Tier: TierNear})
	}
	if p.hit != nil && err == nil {
		p.hit(ctx, node, w.key, a.value)
	}
	return a, true, err
}

// unchanged reports whether a value that is near is what it was when it was decoded.
func (c *Cache) unchanged(ctx context.Context, p *nodePlan, w *nearby) bool {
	now, err := p.codec.Marshal(w.value)
	what := ""
	if err == nil {
		what, err = p.differ(&encoded{payload: w.payload}, &encoded{payload: now})
	}
	if err == nil && what == "" {
		return true
	}
	c.happened(ctx, p, Event{
		Kind: EventChanged, Key: w.key, Err: err,
		Reason: "a caller changed the value that it got, which is everybody's: " + what + "; copy it before, or set Meta.Copy",
	})
	return false
}

// stretch is what comes before a look at a request that is near: what changes from now on is heard of.
func (c *Cache) stretch(r *request, guess []string) *near.Stretched {
	if r.near.plan == nil || c.rules.Off(guard.NearBeforeLook) {
		return nil
	}
	return c.near.Stretch([]string{r.entry}, r.keys, c.tokenKeys(guess))
}

// keepNear keeps what a look has shown to be fresh. Nothing is kept where the look knew too late what the result depends on (the
// next one will), or while Redis does not know of everything that this process wrote.
func (c *Cache) keepNear(r *request, s *sight, guess []string, stretched *near.Stretched) {
	if r.near.plan != nil && stretched == nil {
		stretched = c.near.Stretch([]string{r.entry}, r.keys, c.tokenKeys(guess)) // a rule is off
	}
	if stretched == nil || c.journal.pending.Load() > 0 || !s.fresh(c.rules) || len(s.unknownResults()) > 0 {
		return
	}
	// Whoever comes when it is due has to look, so that it is loaded early.
	v := &nearValue{Until: s.dueAt(r.plan.meta.Refresh)}
	states := make([]uint64, 1, 1+len(s.tokens)+len(guess)) // the entry has none
	under := func(d store.Dependency) {
		states = append(states, nearState(d))
		v.Until = endsWith(v.Until, d, s.now)
	}
	for _, d := range s.tokens {
		under(d)
	}
	for _, name := range guess {
		under(s.known[name])
	}
	if v.Until <= s.now || !c.bringNear(&v.What, r, s) {
		return
	}
	v.Weight = uint32(min(near.Weigh(v.What.value)+uint64(cap(v.What.payload)+len(r.key))+near.Weigh(r.near.node), 1<<30))
	c.near.Keep(r.near, v, stretched, states)
}

// bringNear fills in what is to be kept, and decodes the value where all who get it share it: those of this look too. It is false where the
// bytes are no value: whoever serves it will see.
func (c *Cache) bringNear(w *nearby, r *request, s *sight) (ok bool) {
	p, e := r.plan, s.entry
	w.notFound, w.key, w.age = e.Kind == envelope.NotFound, r.key, s.age()
	if w.notFound {
		return true
	}
	if p.meta.Copy || c.options.Near.Watch {
		w.payload = s.payload()
	}
	if p.meta.Copy {
		return true
	}
	var err error
	w.value, err = s.decoded(p)
	s.value = w.value
	return err == nil
}

// endsWith bounds how long a value may be near by the probation of what it depends on: a hold may have been lost with the
// token before, whose end would be told to nobody. Redis drops the entry by then.
func endsWith(until uint64, d store.Dependency, now uint64) uint64 {
	if d.Until > now {
		return min(until, d.Until)
	}
	return until
}

// remember notes what this process made wrong, or is about to: it is never served that again, from near or as stale. times
// are those of Redis; nil: it does not know yet.
func (c *Cache) remember(keys []string, times []uint64, moment uint64) {
	c.own.remember(keys, times, moment)
	c.near.Wrong(keys)
}
