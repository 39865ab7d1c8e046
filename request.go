package cacheme

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/cacheme/cacheme/internal/envelope"
	"github.com/cacheme/cacheme/internal/store"
)

// request is one node that a caller asks for, worked out: its keys and what it depends on. All keys are parts of one
// string.
type request struct {
	plan  *nodePlan
	node  any
	call  call
	key   string   // as the template renders it, main or main>field
	entry string   // Redis key
	asks  []string // the Redis keys that a look asks for: entry, lease, tokens
	keys  []string // ... the tokens alone, of the declared dependencies in order
	near  nearKey  // of a node that is near, and is asked for without call options
}

// writable are the Redis keys by which this process may have made the request's entry wrong.
func (r *request) writable() []string { return append(slices.Clone(r.keys), r.entry) }

// newRequest renders the key of a node and what it depends on.
func (c *Cache) newRequest(p *nodePlan, node any, opts []CallOption) (*request, error) {
	r := &request{plan: p, node: node, call: call{policy: p.policy}}
	for _, o := range opts {
		o(&r.call)
	}
	if r.call.policy.stale > p.policy.stale {
		c.own.outlive(r.call.policy.stale)
	}
	d := c.dependencies()
	defer d.free()
	var ends store.EntryEnds
	var err error
	d.buf, ends, err = c.store.AppendEntry(d.buf, p.field, func(dst []byte) ([]byte, error) { return p.appendMain(dst, node) })
	if err != nil {
		return nil, err
	}
	d.head = len(d.buf)
	if err := c.declare(d, p, node, ends); err != nil {
		return nil, err
	}
	all := string(d.buf)
	r.key = all[ends.MainBegin:ends.MainEnd]
	if p.field != "" {
		r.key += ">" + p.field
	}
	r.entry = all[:ends.EntryEnd]
	r.asks = append(make([]string, 0, 2+len(d.ends)), r.entry, all[:d.head])
	r.asks = d.appendKeys(r.asks, all)
	r.keys = r.asks[2:]
	switch {
	case p.near == notNear || len(opts) > 0:
	case p.near == nearByNode:
		r.near = nearKey{p, node}
	default:
		r.near = nearKey{p, r.entry}
	}
	return r, nil
}

// names of the declared dependencies, in order, as entries carry them.
func (c *Cache) names(keys []string) []string {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = c.store.TokenName(key)
	}
	return names
}

func (c *Cache) tokenKeys(names []string) []string {
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = c.store.TokenKey(name)
	}
	return keys
}

// declare adds what an entry of the node depends on before anything is loaded: its class, its main key, the
// tables of a Memo's InvalidModels, and what its InvalidNodes say.
func (c *Cache) declare(d *dependencies, p *nodePlan, node any, ends store.EntryEnds) error {
	if p.published != nil {
		p.published.declare(d, p, string(d.buf[ends.MainBegin:ends.MainEnd]))
		return nil
	}
	d.add(classKind, p.class)
	if p.field != "" {
		d.begin(mainKind)
		d.buf = append(d.buf, d.buf[ends.MainBegin:ends.MainEnd]...)
		d.end()
	}
	for _, m := range p.models {
		d.add(tableKind, tableName(m))
	}
	if p.invalidNodes == nil {
		return nil
	}
	return c.appendInvalids(d, p.invalidNodes(node), p.name, (*invalidPlan).appendDependencies)
}

// appendInvalids adds the dependencies behind invalid nodes, as plan methods see them.
func (c *Cache) appendInvalids(d *dependencies, invalids []Invalid, by string, add func(*invalidPlan, *dependencies, reflect.Value) error) error {
	table := c.registry.table.Load()
	for _, i := range invalids {
		if err := c.appendInvalid(d, table, i, by, add); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cache) appendInvalid(d *dependencies, table *plans, i Invalid, by string, add func(*invalidPlan, *dependencies, reflect.Value) error) error {
	switch i := i.(type) {
	case reference:
		return c.appendReference(d, i)
	case *columnsNode:
		if !i.isOf(table) {
			return &UsageError{Node: i.plan.name, Reason: "was declared with another cache; declare it with the one that is asked"}
		}
		return add(i.plan, d, i.value)
	case *byWrite:
		return &UsageError{Node: by, Reason: "names a cacheme.By, which only Invalidate and Hold understand; name an invalid node"}
	case *writtenHaving:
		return &UsageError{Node: by, Reason: "names a cacheme.Having, which only Invalidate and Hold understand; name an invalid node, or set Meta.Observe to cacheme.Auto"}
	case *namedDependencies:
		return &UsageError{Node: by, Reason: "names a cacheme.Named, which only Invalidate and Hold understand; name an invalid node"}
	case *writtenRow:
		return &UsageError{Node: by, Reason: "names a cacheme.Row, which only Invalidate and Hold understand; name an invalid node"}
	}
	t := reflect.TypeOf(i)
	p, ok := table.invalids[t]
	switch {
	case t == nil:
		return &UsageError{Node: by, Reason: "names a nil invalid node; leave it out"}
	case t.Kind() == reflect.Pointer:
		return &UsageError{Node: t.String(), Reason: fmt.Sprintf("is a pointer; write the value %s{...}", t.Elem().String())}
	case !ok:
		return notRegistered(t)
	}
	return add(p, d, reflect.ValueOf(i))
}

func (c *Cache) appendReference(d *dependencies, ref reference) error {
	if ref.kind != mainKind {
		d.add(ref.kind, ref.name)
		if ref.kind == tableKind {
			d.add(rowsKind, ref.name)
		}
		return nil
	}
	p, node, err := c.nodeOf(ref.node)
	if err != nil {
		return err
	}
	main, err := p.mainKey(node)
	if err == nil {
		d.add(mainKind, main)
	}
	return err
}

// look fetches what Redis has of a request: the entry, its lease, the declared tokens, and those of the result
// dependencies that the entry had when it was last seen. It is one round trip, and a second one only where the entry
// turns out to have other result dependencies.
func (c *Cache) look(ctx context.Context, r *request) (sight, error) {
	money := purse{c.options.Budget}
	guess := c.lists.get(r.entry)
	stretched := c.stretch(r, guess)
	defer stretched.Release()
	values, err := c.fetch(ctx, &money, c.appendAsks(nil, r, guess))
	if err != nil {
		return sight{}, err
	}
	s := c.see(ctx, r, values, 0, guess)
	if err = c.seeResults(ctx, []*request{r}, []*sight{&s}, &money); err == nil {
		c.keepNear(r, &s, guess, stretched)
	}
	s.left = money.left
	return s, err
}

// appendAsks adds the Redis keys that a look at the request asks for.
func (c *Cache) appendAsks(keys []string, r *request, guess []string) []string {
	if keys == nil && len(guess) == 0 {
		return r.asks
	}
	keys = append(keys, r.asks...)
	for _, name := range guess {
		keys = append(keys, c.store.TokenKey(name))
	}
	return keys
}

func (c *Cache) fetch(ctx context.Context, money *purse, keys []string) (store.Values, error) {
	money.allow(len(keys), c.options.Budget)
	if money.left <= 0 {
		return store.Values{}, store.ErrAway
	}
	began := time.Now()
	values, err := c.store.Read(ctx, money.left, keys)
	money.left -= time.Since(began)
	if err != nil {
		c.redisError(ctx, err)
	}
	return values, err
}

// redisError tells that a round trip failed, unless the caller gave up or Redis was not asked at all.
func (c *Cache) redisError(ctx context.Context, err error) {
	if ctx.Err() == nil && !errors.Is(err, store.ErrAway) {
		c.happened(ctx, nil, Event{Kind: EventRedisError, Err: err})
	}
}

// see reads the values from index at on as a look at the request, but for its result dependencies.
func (c *Cache) see(ctx context.Context, r *request, values store.Values, at int, guess []string) sight {
	s := sight{epoch: values.Epoch(), now: values.Now(), tokens: make([]store.Dependency, len(r.keys))}
	s.lease, _ = values.Text(at + 1)
	for i := range r.keys {
		s.tokens[i] = values.Dependency(at + 2 + i)
	}
	text, ok := values.Text(at)
	if !ok {
		return s
	}
	s.head = text[:min(len(text), envelope.HeadSize)]
	var what Event
	if s.entry, s.plain, what = r.plan.read(text); s.entry == nil {
		what.Key = r.key
		c.happened(ctx, r.plan, what) // garbage is a miss
		return s
	}
	if len(guess) > 0 {
		s.known = make(map[string]store.Dependency, len(guess))
	}
	for i, name := range guess {
		s.known[name] = values.Dependency(at + 2 + len(r.keys) + i)
	}
	return s
}

// read makes an entry of the node of what is under its key, or says what that is instead. plain is as by
// envelope.Entry.DecodeText.
func (p *nodePlan) read(text string) (entry *envelope.Entry, plain string, instead Event) {
	entry = new(envelope.Entry)
	plain, err := entry.DecodeText(text, max(p.maxValue, defaultMaxValue))
	switch {
	case err != nil:
		return nil, "", Event{Kind: EventGarbage, Err: err}
	case entry.Fingerprint != p.fingerprint:
		return nil, "", Event{Kind: EventForeign, Reason: "its type, version or codec differs"}
	}
	return entry, plain, Event{}
}

// seeResults adds the tokens of the entries' result dependencies, fetching in one trip those that were not guessed, and
// remembers their names for the next look.
func (c *Cache) seeResults(ctx context.Context, rs []*request, sights []*sight, money *purse) error {
	found := map[string]store.Dependency{}
	var missing []string
	for _, s := range sights {
		for _, name := range s.unknownResults() {
			if _, asked := found[name]; !asked {
				found[name] = store.Dependency{}
				missing = append(missing, name)
			}
		}
	}
	if missing != nil {
		values, err := c.fetch(ctx, money, c.tokenKeys(missing))
		if err != nil {
			return err
		}
		for i, name := range missing {
			found[name] = values.Dependency(i)
		}
		for _, s := range sights {
			s.epoch = values.Epoch() // where the later look met another run of Redis, the entries are of the last one
		}
	}
	for i, s := range sights {
		if s.entry == nil || len(s.entry.Results) == 0 && len(s.known) == 0 {
			continue
		}
		names := make([]string, len(s.entry.Results))
		s.results = make([]store.Dependency, len(names))
		guessed := len(s.known) == len(names)
		for j, result := range s.entry.Results {
			names[j] = result.Name
			d, ok := s.known[result.Name]
			if !ok {
				d, guessed = found[result.Name], false
			}
			s.results[j] = d
		}
		if !guessed {
			c.lists.set(rs[i].entry, names) //nolint:gosec // there is one request for each sight
		}
	}
	return nil
}

// resultKeys are the Redis keys of the entry's result dependencies.
func (c *Cache) resultKeys(s sight) []string {
	if s.entry == nil || len(s.entry.Results) == 0 {
		return nil
	}
	keys := make([]string, len(s.entry.Results))
	for i, result := range s.entry.Results {
		keys[i] = c.store.TokenKey(result.Name)
	}
	return keys
}
