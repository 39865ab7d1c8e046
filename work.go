package cacheme

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"github.com/cacheme/cacheme/internal/envelope"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/store"
)

// beginning is what a flight began with: what others have to have seen to join it.
type beginning struct {
	owner  string
	tokens []store.Dependency
	alone  bool // without Redis: nobody can have seen anything
}

// seenBy reports whether a look shows that nothing changed since the flight began.
func (b beginning) seenBy(s sight, rules guard.Set) bool {
	if b.alone || len(b.tokens) != len(s.tokens) {
		return false
	}
	if s.lease != b.owner && !rules.Off(guard.JoinSameLease) {
		return false
	}
	if rules.Off(guard.JoinSameTokens) {
		return true
	}
	for i, now := range s.tokens {
		then := b.tokens[i]
		if !now.Exists || now.Token != then.Token || now.Held != then.Held {
			return false
		}
		// Two held tokens are never the same: an invalidation of a dirty one leaves no mark.
		if now.Held && !rules.Off(guard.JoinHeldNever) {
			return false
		}
	}
	return true
}

// outcome is what came of a load, for all who get it.
type outcome struct {
	loaded
	notFound bool
	payload  []byte           // of the value, encoded; nil where it was not needed
	names    []string         // what it depends on
	tokens   []envelope.Token // ... and was loaded under
	expires  uint64           // Redis's time; 0: it does not
	spoiled  string           // why nothing may be built on it; empty: it may
}

// valueFor gives one caller the value: shared, or with Meta.Copy a new one.
func (o *outcome) valueFor(p *nodePlan) (any, error) {
	if !p.meta.Copy || o.payload == nil {
		return o.value, o.err
	}
	return p.carrier.decode(p.codec, o.payload)
}

// handUp gives what the value depends on to the load that the Get is part of.
func (o *outcome) handUp(outer *scope) {
	if o.spoiled != "" {
		outer.spoil(o.spoiled)
		return
	}
	outer.hand(o.names, o.tokens, o.expires)
}

// work is one key on its way through a load.
type work struct {
	r       *request
	f       *inFlight
	missing bool // the look found a token missing
	begun   store.Begun
	before  map[string]store.Token // result dependencies of the last load, as they were before this one
	alone   bool                   // without Redis
	out     *outcome
	entry   envelope.Entry
	late    []string // names of the dependencies that are known only now
	until   uint64   // end of probation; 0: none
	skip    string   // why the value is not stored; empty: it is
	born    bool     // born invalid
}

func newWork(r *request, f *inFlight, s sight) *work {
	missing := false
	for _, d := range s.tokens {
		missing = missing || !d.Exists
	}
	return &work{r: r, f: f, missing: missing, out: &outcome{}}
}

func (w *work) refuse(reason string) {
	if w.skip == "" {
		w.skip = reason
	}
}

// start runs the flights that ws lead, detached from the caller, whose context's values they keep. It is false after
// Close.
func (c *Cache) start(ctx context.Context, ws []*work, money purse, load loader) bool {
	if !c.loads.Enter() {
		for _, w := range ws {
			w.f.End(w.out, false, true)
		}
		return false
	}
	go func() {
		defer c.loads.Leave()
		c.fly(context.WithoutCancel(ctx), ws, money, load)
	}()
	return true
}

// fly takes the leases, loads and fills. A purse without money flies alone: nothing is asked of Redis or stored there.
func (c *Cache) fly(ctx context.Context, ws []*work, money purse, load loader) {
	owner := store.NewOwner()
	ws = c.begin(ctx, ws, owner, &money)
	if len(ws) == 0 {
		return
	}
	sc := &scope{outer: scopeOf(ctx), keys: map[string]bool{}, handed: map[string]envelope.Token{}}
	for _, w := range ws {
		sc.keys[w.r.entry] = true
		w.f.Begin(beginning{owner: owner, tokens: w.begun.Tokens, alone: w.alone})
	}
	stop := c.keepLeases(ctx, owner, ws)
	began := time.Now()
	results := c.callLoader(sc.into(ctx), ws, load)
	took := time.Since(began)
	var firstErr error
	for i, w := range ws {
		w.out.loaded = results[i]
		w.out.notFound = isNotFound(results[i].err)
		w.out.err = notFoundToo(results[i].err)
		if firstErr == nil && !w.out.notFound {
			firstErr = results[i].err
		}
	}
	c.happened(ctx, ws[0].r.plan, Event{Kind: EventLoad, Key: ws[0].r.key, Duration: took, Err: firstErr})
	c.breakTokenOrder(ctx, ws, &money)
	for _, w := range ws {
		c.prepare(w, sc)
	}
	c.readLate(ctx, ws, sc, &money)
	stop()
	c.fill(ctx, ws, owner, &money)
	for _, w := range ws {
		c.land(ctx, w)
	}
}

// begin takes the leases and the tokens as they are before the load. Flights whose lease somebody else has end here.
func (c *Cache) begin(ctx context.Context, ws []*work, owner string, money *purse) []*work {
	wants := make([]store.Want, len(ws))
	guesses := make([][]string, len(ws))
	for i, w := range ws {
		// What the last load depended on, this one may too: a token read before the load needs no comparing of times.
		guesses[i] = c.lists.get(w.r.entry)
		tokens := slices.Concat(c.tokensToBegin(w), c.tokenKeys(guesses[i]))
		wants[i] = store.Want{Entry: w.r.entry, Owner: owner, Tokens: tokens, Life: c.tokenLife(w), Force: w.r.call.force}
	}
	begun, err := spend(money, func(budget time.Duration) ([]store.Begun, error) {
		return c.store.Begin(ctx, budget, c.options.Lease, wants)
	})
	if err != nil {
		c.redisError(ctx, err)
		for _, w := range ws {
			w.alone = true
			w.refuse("redis is away")
		}
		return ws
	}
	mine := ws[:0]
	for i, w := range ws {
		if !begun[i].Mine {
			w.f.End(w.out, false, true)
			continue
		}
		if begun[i].Garbage {
			c.happened(ctx, w.r.plan, Event{Kind: EventGarbage, Key: w.r.key, Err: &envelope.CorruptError{Reason: "another redis type"}})
		}
		w.begun, w.until = begun[i], begun[i].Until
		w.knowBefore(guesses[i])
		for _, d := range w.begun.Tokens {
			if d.Held {
				w.refuse("a writer's outcome is open")
			}
		}
		mine = append(mine, w)
	}
	return mine
}

// knowBefore splits off the tokens of the dependencies that were only guessed.
func (w *work) knowBefore(guess []string) {
	declared := len(w.begun.Tokens) - len(guess)
	w.before = make(map[string]store.Token, len(guess))
	for i, name := range guess {
		if d := w.begun.Tokens[declared+i]; !d.Held {
			w.before[name] = d.Token
		}
	}
	w.begun.Tokens = w.begun.Tokens[:declared]
}

// tokenLife is how long a token has to live for an entry that is loaded now.
func (c *Cache) tokenLife(w *work) time.Duration {
	return w.r.call.policy.life() + c.options.LoadTimeout
}

// keepLeases renews the leases while the load runs and until LoadTimeout, and returns what ends that.
func (c *Cache) keepLeases(ctx context.Context, owner string, ws []*work) (stop func()) {
	var entries []string
	for _, w := range ws {
		if !w.alone {
			entries = append(entries, w.r.entry)
		}
	}
	if len(entries) == 0 {
		return func() {}
	}
	ctx, cancel := context.WithTimeout(ctx, c.options.LoadTimeout)
	var renew func()
	renew = func() {
		if ctx.Err() != nil {
			return
		}
		if err := c.store.Renew(ctx, c.options.WriteBudget, c.options.Lease, owner, entries); err != nil {
			c.redisError(ctx, err)
		}
		time.AfterFunc(c.options.Lease/3, renew)
	}
	time.AfterFunc(c.options.Lease/3, renew)
	return cancel
}

// callLoader calls the user's loader on a goroutine of its own, so that neither a panic, nor runtime.Goexit, nor a
// loader that ignores its context takes the flight along.
func (c *Cache) callLoader(ctx context.Context, ws []*work, load loader) []loaded {
	ctx, cancel := context.WithTimeout(ctx, c.options.LoadTimeout)
	defer cancel()
	rs := make([]*request, len(ws))
	for i, w := range ws {
		rs[i] = w.r
	}
	results := make(chan []loaded, 1)
	go func() {
		var out []loaded
		returned := false
		defer func() {
			if !returned {
				out = allFailed(len(rs), &PanicError{Value: recover(), Stack: debug.Stack()})
			}
			results <- out
		}()
		out = load(ctx, rs)
		returned = true
	}()
	select {
	case out := <-results:
		return out
	case <-ctx.Done():
	}
	// A loader that heeds its context is about to say so, in its own words.
	grace := time.NewTimer(loadGrace)
	defer grace.Stop()
	select {
	case out := <-results:
		return out
	case <-grace.C:
		return allFailed(len(rs), ErrLoadTimeout)
	}
}

// loadGrace is how long a loader has, past LoadTimeout, to return its context's error.
const loadGrace = 10 * time.Millisecond

func allFailed(n int, err error) []loaded {
	out := make([]loaded, n)
	for i := range out {
		out[i].err = err
	}
	return out
}

// prepare makes the entry of what was loaded, as far as it does not hang on what is read late.
func (c *Cache) prepare(w *work, sc *scope) {
	p, policy := w.r.plan, w.r.call.policy
	handed, expires, spoiled := sc.result()
	if spoiled != "" {
		w.refuse(spoiled)
	}
	ttl := jittered(policy.ttl)
	w.entry = envelope.Entry{Epoch: w.begun.Epoch, Fingerprint: p.fingerprint, Loaded: w.begun.Start}
	switch {
	case w.out.notFound && policy.negative > 0:
		w.entry.Kind = envelope.NotFound
		ttl = policy.negative
	case w.out.err != nil:
		w.refuse("the load failed")
		return
	default:
		c.encode(w)
	}
	if expires != 0 && !w.alone {
		ttl = min(ttl, time.Duration(expires-min(expires, w.begun.Start))*time.Microsecond)
	}
	w.entry.TTL = uint64(ttl.Microseconds())
	w.out.expires = w.begun.Start + w.entry.TTL

	late := dependencies{}
	if w.out.err == nil && p.resultInvalidNodes != nil {
		if err := c.appendInvalids(&late, p.resultInvalidNodes(w.r.node, w.out.value), p.name, (*invalidPlan).appendDependencies); err != nil {
			w.out.err = err // a mistake in the declaration: better an error than an entry that nothing ends
			w.refuse("its result dependencies are wrong")
			return
		}
	}
	for name := range handed {
		late.addName(name)
	}
	w.late = without(late, w.r.names, handed)
}

// without drops the names that are declared anyway. One that was also handed up stays: the inner value may have been
// loaded under another token.
func without(late, declared []string, handed map[string]envelope.Token) []string {
	known := map[string]bool{}
	for _, name := range declared {
		known[name] = true
	}
	kept := late[:0]
	for _, name := range late {
		if _, up := handed[name]; up || !known[name] {
			kept = append(kept, name)
		}
	}
	return kept
}

// jittered shortens d by a random part of up to a tenth.
func jittered(d time.Duration) time.Duration {
	if tenth := int64(d / 10); tenth > 0 {
		return d - time.Duration(rand.Int64N(tenth))
	}
	return d
}

// encode turns the value into bytes, where somebody needs them.
func (c *Cache) encode(w *work) {
	p := w.r.plan
	if w.skip != "" && !p.meta.Copy {
		return
	}
	payload, err := p.codec.Marshal(w.out.value)
	switch {
	case err != nil:
		w.refuse("the codec refuses it: " + err.Error())
		return
	case len(payload) > p.maxValue:
		w.refuse("it is larger than MaxValue")
	}
	w.out.payload, w.entry.Payload = payload, payload
}

// readLate reads the tokens of what is known only after the load: result dependencies, and what inner loads handed up.
func (c *Cache) readLate(ctx context.Context, ws []*work, sc *scope, money *purse) {
	var names dependencies
	var life time.Duration
	var first *work
	for _, w := range ws {
		if len(w.late) == 0 || w.alone {
			continue
		}
		if !c.rules.Off(guard.JoinBeforeLateRead) {
			// What is read now speaks for those who joined before, and for nobody after.
			w.f.CloseToJoiners()
		}
		for _, name := range w.late {
			names.addName(name)
		}
		life = max(life, c.tokenLife(w))
		if first == nil || w.begun.Start < first.begun.Start {
			first = w
		}
	}
	if first == nil {
		return
	}
	late, err := spend(money, func(budget time.Duration) (store.Late, error) {
		return c.store.ReadLate(ctx, budget, first.begun, c.tokenKeys(names), life)
	})
	if err == nil && late.Tokens == nil {
		err = errors.New("redis was restarted during the load")
	}
	if err != nil {
		c.redisError(ctx, err)
	}
	index := map[string]int{}
	for i, name := range names {
		index[name] = i
	}
	handed, _, _ := sc.result()
	for _, w := range ws {
		if len(w.late) == 0 || w.alone {
			continue
		}
		if err != nil {
			w.refuse("the tokens of its result could not be read")
			continue
		}
		for _, name := range w.late {
			under, up := handed[name]
			c.adopt(w, name, late, index[name], under, up)
		}
		if late.Until != 0 && (w.until == 0 || late.Until < w.until) {
			w.until = late.Until
		}
	}
}

// adopt decides whether the entry may carry a token that was read after the load. What an inner load handed up has its
// token from before that load, and must still be the same; so must one that the last load depended on. Any other has to
// be older than the load.
func (c *Cache) adopt(w *work, name string, late store.Late, i int, under envelope.Token, handedUp bool) {
	d, off := late.Tokens[i], c.rules.Off
	switch {
	case d.Held && !off(guard.LateHeldIsBornInvalid):
		w.born = true
		if !off(guard.LateHeldIsNotStored) {
			w.refuse("a writer's outcome is open on its result")
		}
	case handedUp:
		w.born = w.born || d.Token != under || under == envelope.Token{}
		d.Token = under
	case d.Token == w.before[name] && d.Token != store.Token{}:
		// Unchanged since before the load.
	case late.Created[i]:
		w.born = w.born || !off(guard.LateMissingIsBornInvalid)
	case !late.Agreed && !off(guard.LateClocksAgree):
		w.born = true
	case off(guard.LateTokenIsOlder):
	case off(guard.LateTimeIsStrict):
		w.born = w.born || d.Token.Time > w.begun.Start
	default:
		w.born = w.born || d.Token.Time >= late.Before
	}
	w.entry.Results = append(w.entry.Results, envelope.Named{Name: name, Token: d.Token})
}

// fill stores what may be stored and gives the leases back.
func (c *Cache) fill(ctx context.Context, ws []*work, owner string, money *purse) {
	var fills []store.Fill
	var filled []*work
	for _, w := range ws {
		if w.alone {
			continue
		}
		if w.born && w.r.call.policy.life() <= w.r.call.policy.ttl {
			w.refuse("it was born invalid and may not stand in")
		}
		f := store.Fill{Entry: w.r.entry, Owner: owner, Store: w.skip == "", Until: w.until}
		if f.Store {
			w.entry.Born = w.born
			w.entry.Declared = make([]envelope.Token, len(w.begun.Tokens))
			for i, d := range w.begun.Tokens {
				w.entry.Declared[i] = d.Token
			}
			f.Bytes = w.entry.Append(nil, w.r.plan.compress)
			f.Life = w.r.call.policy.life()
			if w.entry.Kind == envelope.NotFound {
				f.Life = w.r.call.policy.negative
			}
			f.Life = min(f.Life, time.Duration(w.entry.TTL)*time.Microsecond+max(w.r.call.policy.stale, w.r.call.policy.staleIfError))
		}
		fills, filled = append(fills, f), append(filled, w)
	}
	if len(fills) == 0 {
		return
	}
	results, err := spend(money, func(budget time.Duration) ([]store.Filled, error) {
		return c.store.Fill(ctx, budget, fills)
	})
	if err != nil {
		c.redisError(ctx, err)
	}
	for i, w := range filled {
		switch {
		case err != nil:
			w.refuse("redis is away")
		case !results[i].Mine:
			w.refuse("the lease was lost")
		case w.skip == "" && !results[i].Stored:
			w.refuse("its probation was over before it was loaded")
		}
	}
}

// land gives the outcome to all who wait, and says what became of it.
func (c *Cache) land(ctx context.Context, w *work) {
	p := w.r.plan
	switch {
	case w.out.err != nil && !w.out.notFound:
	case w.skip != "":
		c.happened(ctx, p, Event{Kind: EventNotStored, Key: w.r.key, Reason: w.skip})
	case w.born:
		c.happened(ctx, p, Event{Kind: EventBornInvalid, Key: w.r.key})
	}
	w.out.names = append([]string(nil), w.r.names...)
	for _, d := range w.begun.Tokens {
		w.out.tokens = append(w.out.tokens, d.Token)
	}
	for _, result := range w.entry.Results {
		token := result.Token
		if w.born {
			token = envelope.Token{}
		}
		w.out.names, w.out.tokens = append(w.out.names, result.Name), append(w.out.tokens, token)
	}
	if w.alone || len(w.begun.Tokens) != len(w.r.names) {
		w.out.spoiled = "an inner load ran without redis"
	}
	for _, d := range w.begun.Tokens {
		if d.Held {
			w.out.spoiled = "an inner load ran while a writer's outcome was open"
		}
	}
	if !w.alone && w.out.err == nil {
		c.lists.set(w.r.entry, w.late)
	}
	w.f.End(w.out, w.born && !c.rules.Off(guard.JoinNotBornInvalid), false)
}
