package cacheme

import (
	"context"
	"errors"
	"reflect"
	"slices"

	"github.com/cacheme/cacheme/internal/flight"
	"github.com/cacheme/cacheme/internal/near"
	"github.com/cacheme/cacheme/internal/store"
)

// member is one key of a GetMany on its way to an answer.
type member struct {
	*visit
	a     answer
	err   error
	done  bool
	s     sight
	blind bool // the look failed
	f     *inFlight
	lead  bool
}

// getMany asks for all keys together, in rounds: look at those without an answer, load those that nobody loads, and
// only then wait for others. What it leads it has loaded and filled before it waits, so that two of them that overlap
// crosswise always make progress.
func (c *Cache) getMany(ctx context.Context, p *nodePlan, nodes []any, opts []CallOption, load loader) ([]answer, error) {
	members, order, err := c.members(ctx, p, nodes, opts)
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, m := range members {
			m.k.Leave()
		}
	}()
	c.passBy(ctx, members, load)
	for {
		var open []*member
		for _, m := range members {
			if !m.done {
				open = append(open, m)
			}
		}
		if len(open) == 0 {
			break
		}
		if err := c.round(ctx, open, load); err != nil {
			err = wrap("get many", p.name, err)
			for _, m := range open {
				if !m.done {
					m.answered(m.finish(ctx, answer{}, err))
				}
			}
			return nil, err
		}
	}
	return collect(members, order)
}

// members makes one member for each different key that this process cannot answer itself, and the member of each node.
func (c *Cache) members(ctx context.Context, p *nodePlan, nodes []any, opts []CallOption) (members []*member, order []*member, err error) {
	byEntry := map[string]*member{}
	requests := make([]*request, len(nodes))
	answers := make([]*member, len(nodes))
	for i, n := range nodes {
		if p.near == nearByNode && len(opts) == 0 {
			answers[i] = c.nearMember(ctx, nearKey{p, n}, n)
		}
		if answers[i] != nil {
			continue
		}
		if requests[i], err = c.newRequest(p, n, opts); err != nil {
			return nil, nil, err
		}
		if p.near == nearByKey && len(opts) == 0 {
			answers[i] = c.nearMember(ctx, requests[i].near, n)
		}
	}
	for i, r := range requests {
		if answers[i] != nil {
			order = append(order, answers[i])
			continue
		}
		m, ok := byEntry[r.entry]
		if !ok {
			m = &member{visit: c.visit(r)}
			byEntry[r.entry] = m
			members = append(members, m)
		}
		order = append(order, m)
	}
	return members, order, nil
}

// nearMember is a node that is answered by this process; nil: it is not.
func (c *Cache) nearMember(ctx context.Context, key nearKey, node any) *member {
	if a, ok, err := c.nearHit(ctx, key, node); ok {
		return &member{a: a, err: err, done: true}
	}
	return nil
}

// passBy loads what the cache is left alone for.
func (c *Cache) passBy(ctx context.Context, members []*member, load loader) {
	var direct []*member
	var rs []*request
	outer := scopeOf(ctx)
	for _, m := range members {
		switch {
		case c.leavesAlone(ctx, m.r):
			direct, rs = append(direct, m), append(rs, m.r)
		case outer.loading(c, m.r.entry):
			outer.spoil("an inner Get asked for what is being loaded")
			m.answered(c.failed(ctx, m.r, &CycleError{Node: m.r.plan.name, Key: m.r.key}))
		}
	}
	if direct == nil {
		return
	}
	outer.spoil("an inner Get went past the cache")
	for i, l := range c.callPast(ctx, rs, load) {
		c.happened(ctx, rs[i].plan, Event{Kind: EventBypass, Key: rs[i].key})
		direct[i].answered(answer{value: l.value, tier: TierSource}, notFoundToo(l.err))
	}
}

// stands judges how the member stands to the flight that it waits for.
func (m *member) stands() flight.Standing {
	switch {
	case m.lead:
		return flight.Early
	case m.blind:
		return m.standingBlind(m.f)
	}
	return m.standing(m.f, m.s)
}

func (m *member) answered(a answer, err error) { m.a, m.err, m.done = a, err, true }

// round looks once at all open members, and brings at least one of them on. The error is the caller's own end.
func (c *Cache) round(ctx context.Context, open []*member, load loader) error {
	money := c.lookAtAll(ctx, open)
	if err := ctx.Err(); err != nil {
		return err
	}
	var due []*renewal
	for _, m := range open {
		if m.done && !m.a.stale { // it is a hit
			c.verifier.hit(ctx, m.r, m.s, load)
			if m.dueNow(m.s) {
				due = append(due, &renewal{r: m.r, seen: m.s})
			}
		}
		if m.r.call.refill && (m.blind || m.s.head == "") && !m.done {
			m.answered(answer{}, nil) // there is nothing to fill again
		}
		if !m.done {
			m.miss(ctx) // the user's code comes first: if it panics nobody leads yet
		}
	}
	if due != nil {
		c.refresher.add(ctx, load, due...)
	}
	var led, apart []*member
	var ledWork, apartWork []*work
	for _, m := range open {
		if m.f = nil; m.done {
			continue
		}
		if m.isApart() {
			w := m.apart()
			m.f, m.lead = w.f, true
			apart, apartWork = append(apart, m), append(apartWork, w)
		} else if m.f, m.lead = m.flight(m.s); m.lead {
			led, ledWork = append(led, m), append(ledWork, newWork(m.r, m.f, m.s))
		}
	}
	c.startAll(ctx, led, ledWork, money, load)
	c.startAll(ctx, apart, apartWork, purse{}, load)
	return c.waitForAll(ctx, open)
}

// startAll runs the work of some members as one load; after Close they are answered past the cache.
func (c *Cache) startAll(ctx context.Context, members []*member, ws []*work, money purse, load loader) {
	if ws == nil || c.start(ctx, ws, money, load) {
		return
	}
	for _, m := range members {
		m.answered(c.loadDirectly(ctx, m.r, load))
	}
}

// waitForAll takes what is led here first, then what others of this process load, and rests once where another process
// is at work.
func (c *Cache) waitForAll(ctx context.Context, open []*member) error {
	var foreign, refused *member
	for _, mine := range []bool{true, false} {
		for _, m := range open {
			switch {
			case m.done || m.lead != mine:
			case m.f == nil:
				foreign = m
			default:
				a, done, err := m.take(ctx, m.f, m.stands(), m.lead)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if done {
					m.answered(m.finish(ctx, a, err))
				} else if m.lead {
					m.rebuffed(m.s)
					if refused == nil || m.rebuffs.n < refused.rebuffs.n {
						refused = m
					}
				}
			}
		}
	}
	switch {
	case foreign != nil:
		return foreign.rest(ctx, foreign.s.lease)
	case refused != nil:
		return refused.catchBreath(ctx)
	}
	return nil
}

// lookAtAll fetches what Redis has of all members in one round trip, answers those that are fresh, and returns what is
// left of the budget: nothing where Redis does not answer.
func (c *Cache) lookAtAll(ctx context.Context, open []*member) purse {
	money := purse{c.options.Budget}
	// The tokens of the node's class, its tables and tags are those of each member, and stand in the same places.
	var keys []string
	var at []int
	asks := make([]string, 0, len(open[0].r.asks))
	first := open[0].r.asks
	guesses := make([][]string, len(open))
	stretched := make([]*near.Stretched, len(open))
	for i, m := range open {
		guesses[i] = c.lists.get(m.r.entry)
		stretched[i] = c.stretch(m.r, guesses[i])
		defer stretched[i].Release()
		asks = c.appendAsks(asks[:0], m.r, guesses[i])
		for j, key := range asks {
			if i > 0 && j < len(first) && key == first[j] {
				at = append(at, j)
				continue
			}
			at = append(at, len(keys))
			keys = append(keys, key)
		}
	}
	values, err := c.fetch(ctx, &money, keys)
	if err == nil {
		err = c.seeAll(ctx, open, values.At(at), guesses, &money)
	}
	for i, m := range open {
		m.lead, m.blind = false, err != nil
		if err != nil {
			m.s = sight{}
			continue
		}
		c.keepNear(m.r, &m.s, guesses[i], stretched[i])
		m.s = m.distrust(m.s)
		if verdict := m.decide(ctx, m.s); verdict == serve || verdict == serveStale {
			if a, done, err := m.serve(ctx, m.s, verdict == serveStale); done {
				m.answered(m.finish(ctx, a, err))
				continue
			}
			m.s.entry, m.s.results = nil, nil
		}
	}
	if err != nil {
		return purse{}
	}
	c.tellBlind(ctx)
	return money
}

// seeAll reads the values as a look at each member.
func (c *Cache) seeAll(ctx context.Context, open []*member, values store.Values, guesses [][]string, money *purse) error {
	at := 0
	rs, sights := make([]*request, len(open)), make([]*sight, len(open))
	for i, m := range open {
		m.s = c.see(ctx, m.r, values, at, guesses[i])
		rs[i], sights[i] = m.r, &m.s
		at += len(m.r.asks) + len(guesses[i])
	}
	return c.seeResults(ctx, rs, sights, money)
}

// collect puts the answers into the order of the nodes.
func collect(members, order []*member) ([]answer, error) {
	var failures []error
	for _, m := range members {
		if m.err != nil && !isNotFound(m.err) && !slices.ContainsFunc(failures, func(e error) bool { return same(e, m.err) }) {
			failures = append(failures, m.err)
		}
	}
	answers := make([]answer, len(order))
	missing := &MissingError{}
	for i, m := range order {
		answers[i] = m.a
		if isNotFound(m.err) {
			answers[i] = answer{}
			missing.Indexes = append(missing.Indexes, i)
		}
	}
	if missing.Indexes != nil {
		failures = append(failures, missing)
	}
	if len(failures) == 1 {
		return answers, failures[0] // as it came
	}
	return answers, errors.Join(failures...)
}

// same reports whether two errors are one. Errors need not be comparable.
func same(a, b error) bool {
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b //nolint:errorlint // one and the same is meant
}
