package cacheme

import (
	"context"
	"slices"

	"github.com/maypok86/otter/v2"

	"github.com/cacheme/cacheme/internal/flight"
	"github.com/cacheme/cacheme/internal/guard"
)

// refresher loads entries again before their time is over, in the background, while everybody is served the one that is
// there. In the fleet one does it: the lease is refused to whoever saw another entry than Redis has by now, and while
// somebody else has it. So a load that was made is not made again, and an entry that is gone stays away.
type refresher struct {
	c     *Cache
	lane  lane[*renewal]
	tried *otter.Cache[string, uint64] // until which time of Redis an entry is left alone, by its key
}

// maxTried bounds the memory of what was tried: about half a megabyte. What is forgotten is tried again sooner.
const maxTried = 1 << 12

// renewal is an entry that is to be loaded again.
type renewal struct {
	r    *request
	seen sight
	by   *served
}

// served is a call that was given entries which are due.
type served struct {
	ctx  context.Context //nolint:containedctx // its values are those of the load, which outlives the call
	load loader
}

func newRefresher(c *Cache) *refresher {
	f, o := &refresher{c: c, tried: otter.Must(&otter.Options[string, uint64]{MaximumSize: maxTried})}, c.options.Refresh
	f.lane = lane[*renewal]{
		c:       c,
		limits:  limits{concurrency: o.Concurrency, perSecond: o.PerSecond, pending: o.Pending},
		id:      func(n *renewal) string { return n.r.entry },
		joins:   func(first, next *renewal) bool { return first.by == next.by },
		do:      f.load,
		dropped: EventRefreshDropped,
	}
	return f
}

// dueNow reports whether what the call is served is to be loaded again: nobody does, and this process has not tried of late.
func (v *visit) dueNow(s sight) bool {
	if !s.due(v.r.call.policy.refresh) || v.r.call.refill || s.lease != "" && !v.c.rules.Off(guard.EarlyByLease) {
		return false
	}
	until, ok := v.c.refresher.tried.GetIfPresent(v.r.entry)
	return !ok || s.now >= until
}

// decide is what Cache.decide says, but that an early load has what is inside of it loaded early as well: the value would
// end no later than before.
func (v *visit) decide(ctx context.Context, s sight) verdict {
	verdict := v.c.decide(v, s)
	if verdict == serve && scopeOf(ctx).renews() && s.lease == "" && s.due(insideShare*v.r.call.policy.refresh) {
		return load
	}
	return verdict
}

// add takes what a call was served and found due.
func (f *refresher) add(ctx context.Context, load loader, due ...*renewal) {
	// What the load gets inside is no part of a load that the call is inside of.
	by := &served{ctx: (*scope)(nil).into(context.WithoutCancel(ctx)), load: load}
	for _, n := range due {
		n.by = by
		f.tried.Set(n.r.entry, n.seen.now+n.seen.pause(n.r.call.policy.refresh))
	}
	f.lane.add(due...)
}

// load is one load of entries that one call was served.
func (f *refresher) load(batch []*renewal) {
	c, by := f.c, batch[0].by
	if !c.Enabled() || c.store.Away() {
		return
	}
	ws, led := f.lead(batch)
	if ws == nil || !c.start(by.ctx, slices.Clone(ws), purse{c.options.Budget}, by.load) {
		return
	}
	stored := 0
	for i, w := range ws {
		out, ok, _ := w.f.Wait(by.ctx, flight.Early) // a flight ends by itself
		if !ok || w.skip != "" {
			continue
		}
		stored++
		f.again(led[i], out.expires)
	}
	if stored > 0 {
		c.happened(by.ctx, ws[0].r.plan, Event{Kind: EventRefreshed, Count: stored})
	}
}

// lead begins the flights of those that nobody of this process loads. What has expired meanwhile is left to the next reader,
// if there is one.
func (f *refresher) lead(batch []*renewal) (ws []*work, led []*renewal) {
	now := f.c.store.Now()
	for _, n := range batch {
		if now >= n.seen.ends() {
			continue
		}
		k := f.c.flights.Enter(n.r.entry)
		if fl, lead := k.Lead(); lead {
			w := newWork(n.request(f.c.rules), fl, n.seen)
			w.early = true
			ws, led = append(ws, w), append(led, n)
		}
		k.Leave()
	}
	return ws, led
}

// again says when an entry that was stored may be tried again. Where something inside it ends no later than the old one
// did, another load before that would bring nothing.
func (f *refresher) again(n *renewal, expires uint64) {
	if ended := n.seen.ends(); expires <= ended {
		f.tried.Set(n.r.entry, ended)
		return
	}
	f.tried.Invalidate(n.r.entry)
}

// request is that of the call, for a load that nobody waits for.
func (n *renewal) request(rules guard.Set) *request {
	r := *n.r
	r.call.force = rules.Off(guard.EarlyByLease)
	return &r
}

// spare ends the early ones of ws whose value could not be stored, before they are loaded: nobody waits for it.
func (c *Cache) spare(ctx context.Context, ws []*work, owner string) []*work {
	var spared []*work
	kept := ws[:0]
	for _, w := range ws {
		if w.early && w.skip != "" {
			spared = append(spared, w)
		} else {
			kept = append(kept, w)
		}
	}
	if spared != nil {
		c.giveBack(ctx, spared, owner)
	}
	for _, w := range spared {
		w.f.End(w.out, false, true)
	}
	return kept
}
