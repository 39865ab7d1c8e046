package cacheme

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/cacheme/cacheme/internal/envelope"
	"github.com/cacheme/cacheme/internal/store"
)

// Explain is Cache.Explain of the default cache.
func Explain(ctx context.Context, node Declaration) (*Explanation, error) {
	c, err := mustHaveDefault()
	if err != nil {
		return nil, err
	}
	return c.Explain(ctx, node)
}

// Explain says what has become of the entry of a node, or of Bound.Node, and why: whether a Get with this context would
// be served it, what it depends on, and which write made that wrong last. It decides as Get does, and does nothing else:
// it neither loads nor makes tokens, and counts as no hit. It takes up to four round trips of WriteBudget each.
//
// That Redis does not answer is a state and no error. Which writes are told of, and for how long, says Write.
func (c *Cache) Explain(ctx context.Context, node Declaration) (*Explanation, error) {
	p, n, err := c.nodeOf(node)
	if err != nil {
		return nil, err
	}
	r, err := c.newRequest(p, n, nil)
	if err != nil {
		return nil, err
	}
	return c.explain(ctx, r), nil
}

func (c *Cache) explain(ctx context.Context, r *request) *Explanation {
	x := &Explanation{Node: r.plan.name, Key: r.key, process: clipped(c.process, maxProcess, true)}
	if last, ok := c.refusals.get(r.entry); ok {
		x.Refused, x.RefusedAt = last.reason, last.at
	}
	v := c.visit(r)
	defer v.k.Leave()
	g, err := c.glimpse(ctx, r)
	if err != nil {
		x.State, x.Reason, x.Next = StateAway, "Redis does not answer: "+err.Error(), nextDirect
		for _, name := range c.names(r.keys) {
			x.Dependencies = append(x.Dependencies, c.dependencyState(name))
		}
		c.overrule(ctx, x, r)
		return x
	}
	s := v.distrust(g.sight)
	verdict := c.decide(v, s)
	x.fill(c, v, g)
	x.State, x.Reason, x.Next = stateOf(s, g, verdict), g.problem, nextOf[verdict]
	if s.entry == nil && g.entry != nil {
		x.State = StateUndelivered
	}
	if r.near.plan != nil {
		_, _, x.Near = c.near.Get(r.near)
	}
	x.giveReason()
	c.overrule(ctx, x, r)
	return x
}

// What a Get does.
const nextDirect = "a Get calls its loader, and stores nothing"

var nextOf = map[verdict]string{
	serve:      "a Get is served it",
	serveStale: "a Get is served it as stale, while somebody loads",
	load:       "a Get loads it",
	wait:       "a Get waits for the load under way",
}

// overrule is for what Get does not even ask Redis for.
func (c *Cache) overrule(ctx context.Context, x *Explanation, r *request) {
	switch {
	case !c.Enabled():
		x.State, x.Reason, x.Next = StateDisabled, "the cache is disabled or closed in this process", nextDirect
	case bypassed(ctx):
		x.State, x.Reason, x.Next = StateBypassed, "the context is that of Bypass, or of a transaction", nextDirect
	case r.plan.skip != nil && r.plan.skip(ctx, r.node):
		x.State, x.Reason, x.Next = StateBypassed, "the node's Skip says so", nextDirect
	}
}

// glimpse is what Explain sees of an entry.
type glimpse struct {
	sight
	life    store.Life
	size    int
	foreign EventKind // what is under the key, if it is no entry of the node's; empty: one, or nothing
	problem string    // ... in words
	records map[uint64][]byte
}

// glimpse looks as Get does, and tells nobody.
func (c *Cache) glimpse(ctx context.Context, r *request) (g glimpse, err error) {
	budget := c.options.WriteBudget
	if g.life, err = c.store.Inspect(ctx, budget, r.entry); err != nil {
		return g, err
	}
	values, err := c.store.Read(ctx, budget, r.asks)
	if err != nil {
		return g, err
	}
	g.sight = sight{epoch: values.Epoch(), now: g.life.Now, tokens: make([]store.Dependency, len(r.keys))}
	g.lease, _ = values.Text(1)
	for i := range r.keys {
		g.tokens[i] = values.Dependency(2 + i)
	}
	var results []string
	if text, ok := values.Text(0); ok {
		g.size = len(text)
		var what Event
		if g.entry, g.plain, what = r.plan.read(text); what.Kind != "" {
			g.foreign, g.problem = what.Kind, what.Reason
			if what.Err != nil {
				g.problem = what.Err.Error()
			}
		}
	} else if g.life.Kind != "none" && g.life.Kind != "string" {
		g.foreign, g.problem = EventGarbage, "Redis has a "+g.life.Kind+" there"
	}
	if g.entry != nil {
		for _, result := range g.entry.Results {
			results = append(results, result.Name)
		}
	}
	if len(results) > 0 {
		values, err := c.store.Read(ctx, budget, c.tokenKeys(results))
		if err != nil {
			return g, err
		}
		for i := range results {
			g.results = append(g.results, values.Dependency(i))
		}
	}
	// Of tokens that a load made there is no record: to ask for it would cost each entry that nobody wrote a round trip.
	var nonces []uint64
	for _, d := range slices.Concat(g.tokens, g.results) {
		if n := madeBy(d); d.Exists && n != 0 && store.OriginOf(n) == store.ByWrite && !slices.Contains(nonces, n) {
			nonces = append(nonces, n)
		}
	}
	g.records, err = c.store.Records(ctx, budget, nonces)
	return g, err
}

// madeBy is the nonce of what made a token last, or makes it once a hold ends.
func madeBy(d store.Dependency) uint64 {
	if d.Held && d.Dirty {
		return d.Writer
	}
	return d.Token.Nonce
}

// fill takes over what a look showed.
func (x *Explanation) fill(c *Cache, v *visit, g glimpse) {
	x.Now, x.Size = atMicro(g.life.Now), g.size
	if g.size > 0 {
		x.Kept, x.Tier = max(0, g.life.Entry), TierRedis
	}
	if g.lease != "" {
		x.Lease = &LeaseState{Owner: store.OwnerOf(g.lease), Here: v.k.Current() != nil, Left: max(0, g.life.Lease)}
	}
	if e := g.entry; e != nil {
		x.Loaded, x.Age, x.NotFound = atMicro(e.Loaded), g.age(), e.Kind == envelope.NotFound
		if e.TTL != 0 {
			x.Left = time.Duration(int64(e.Loaded+e.TTL)-int64(g.now)) * time.Microsecond
		}
	}
	for i, name := range c.names(v.r.keys) {
		var under store.Token
		if g.entry != nil && i < len(g.entry.Declared) {
			under = g.entry.Declared[i]
		}
		x.Dependencies = append(x.Dependencies, c.explainToken(name, g, g.tokens[i], under))
	}
	if g.entry == nil {
		return
	}
	for i, result := range g.entry.Results {
		d := c.explainToken(result.Name, g, g.results[i], result.Token)
		d.FromResult = true
		x.Dependencies = append(x.Dependencies, d)
	}
}

func (c *Cache) dependencyState(name string) DependencyState {
	k, key := splitName(name)
	d := DependencyState{Name: name, Kind: string(k)}
	switch k {
	case tableKind, rowsKind:
		d.Table = key
	case havingKind:
		d.Table, _, _ = strings.Cut(key, ":")
	case rowKind, sideKind, columnsKind:
		if p := c.registry.table.Load().invalidOf(k, key); p != nil {
			d.Table = p.table
		}
	default:
	}
	return d
}

// splitName is nameOf backwards.
func splitName(name string) (k kind, key string) {
	before, key, _ := strings.Cut(name, ":")
	return kind(before), key
}

// invalidOf is the invalid node that makes such keys; nil: nobody knows. Two Columns of one table and the same columns make
// the same ones: they differ in the Go model alone.
func (p *plans) invalidOf(k kind, key string) *invalidPlan {
	makes := func(i *invalidPlan) bool {
		if i.key.Template == nil || i.kind != k && (k != sideKind || !i.m2m) {
			return false
		}
		_, ok := i.key.Match(key)
		return ok
	}
	for i := range p.invalidPlans() {
		if makes(i) {
			return i
		}
	}
	return nil
}

// planOf is the plan of an invalid node; nil: it has none, as what stands for something else, or was never registered here.
func (p *plans) planOf(i Invalid) *invalidPlan {
	if of, ok := i.(*columnsNode); ok {
		if of.isOf(p) {
			return of.plan
		}
		return nil
	}
	return p.invalids[reflect.TypeOf(i)]
}

// stateOf names what decide has decided on: fresh is only what it serves.
func stateOf(s sight, g glimpse, v verdict) State {
	e := s.entry
	switch {
	case v == serve:
		return StateFresh
	case g.foreign == EventForeign:
		return StateForeign
	case g.foreign != "":
		return StateGarbage
	case e == nil:
		return StateAbsent
	case !s.readable(0):
		return StateOtherRun
	case e.Born:
		return StateBornInvalid
	case len(e.Declared) != len(s.tokens):
		return StateForeign
	}
	var gone, held bool
	for i, d := range slices.Concat(s.tokens, s.results) {
		switch tokenState(d, loadedUnder(e, i)) {
		case tokenWrong:
			return StateMadeWrong
		case tokenMissing:
			gone = true
		case tokenHeld:
			held = true
		case tokenEqual:
		}
	}
	switch {
	case gone:
		return StateTokenGone
	case held:
		return StateHeld
	}
	return StateExpired
}

// loadedUnder is the token of the i-th dependency of an entry, the declared ones first.
func loadedUnder(e *envelope.Entry, i int) store.Token {
	if i < len(e.Declared) {
		return e.Declared[i]
	}
	return e.Results[i-len(e.Declared)].Token
}
