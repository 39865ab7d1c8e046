package cacheme

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cacheme/cacheme/internal/envelope"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/store"
)

// prepare makes the entry of what was loaded, as far as it does not hang on what is read late.
func (c *Cache) prepare(w *work, inside inner) {
	p, policy := w.r.plan, w.r.call.policy
	if !c.Enabled() {
		w.refuse("the cache is disabled")
	}
	if inside.private != "" {
		w.refuse(inside.private)
		w.out.spoiled, w.out.private = inside.private, true
	}
	if inside.spoiled != "" {
		w.refuse(inside.spoiled)
		w.out.spoiled, w.out.blind = inside.spoiled, true
	}
	if inside.behind {
		w.refuse(readReplica)
		w.out.spoiled, w.out.blind = readReplica, true
	}
	ttl := jittered(policy.ttl)
	w.entry = envelope.Entry{Epoch: w.begun.Epoch, Fingerprint: p.fingerprint, Loaded: w.begun.Start}
	switch {
	case w.out.notFound && policy.negative > 0:
		w.entry.Kind = envelope.NotFound
		ttl = jittered(min(policy.negative, policy.ttl))
	case w.out.err != nil:
		w.refuse("the load failed")
		if len(inside.handed) > 0 {
			w.out.spoiled = "an inner load failed behind others"
		}
		return
	default:
		c.encode(w)
	}
	if inside.expires != 0 && !w.alone {
		ttl = min(ttl, time.Duration(inside.expires-min(inside.expires, w.begun.Start))*time.Microsecond)
	}
	if ttl <= 0 {
		w.refuse("its time is over already")
		w.out.spoiled = w.skip
		return
	}
	w.entry.TTL = uint64(ttl.Microseconds())
	w.out.expires = w.begun.Start + w.entry.TTL
}

// findLate lists what is known to be depended on only now: what the result shows, and what inner loads handed up.
func (c *Cache) findLate(w *work, inside inner) {
	if w.entry.TTL == 0 {
		return // it is not stored
	}
	var results []string
	if w.out.err == nil {
		var err error
		if results, err = c.resultNames(w.r, w.out.value); err != nil {
			w.out.err = err // a mistake in the declaration: better an error than an entry that nothing ends
			w.refuse("its result dependencies are wrong")
			return
		}
	}
	w.late = lateNames(append(results, inside.observed...), c.names(w.r.keys), inside.handed)
}

// resultNames are what in the value makes the node's entry wrong.
func (c *Cache) resultNames(r *request, value any) ([]string, error) {
	if r.plan.resultInvalidNodes == nil {
		return nil, nil
	}
	d := c.dependencies()
	if err := c.appendInvalids(d, r.plan.resultInvalidNodes(r.node, value), r.plan.name, (*invalidPlan).appendDependencies); err != nil {
		return nil, err
	}
	return c.names(d.keys()), nil
}

// lateNames drops those names of a result that are declared anyway, and adds those that were handed up: the inner value
// may have been loaded under another token.
func lateNames(results, declared []string, handed map[string]envelope.Token) []string {
	known := make(map[string]bool, len(declared))
	for _, name := range declared {
		known[name] = true
	}
	var late []string
	for _, name := range results {
		if _, up := handed[name]; !up && !known[name] {
			known[name] = true
			late = append(late, name)
		}
	}
	return slices.AppendSeq(late, maps.Keys(handed))
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

// fill stores what may be stored and gives the leases back.
func (c *Cache) fill(ctx context.Context, ws []*work, owner string, money *purse) {
	var fills []store.Fill
	var filled []*work
	for _, w := range ws {
		if w.alone {
			continue
		}
		if w.early && w.born {
			w.refuse("the entry that is there is fresh, and it would not be")
		}
		f := store.Fill{Entry: w.r.entry, Owner: owner, Store: w.skip == "", Until: w.until, Tell: w.r.call.force}
		if f.Store {
			w.entry.Born = w.born
			w.entry.Declared = make([]envelope.Token, len(w.begun.Tokens))
			for i, d := range w.begun.Tokens {
				w.entry.Declared[i] = d.Token
			}
			f.Bytes = w.entry.Append(nil, w.r.plan.compress)
			f.Life = time.Duration(w.entry.TTL) * time.Microsecond
			standIn := max(w.r.call.policy.stale, w.r.call.policy.staleIfError)
			switch {
			case w.born && standIn == 0:
				// Nobody may have it, but it tells the next load what to read the tokens of beforehand.
				f.Life = min(f.Life, c.options.LoadTimeout)
			case w.entry.Kind == envelope.Value:
				f.Life += standIn
			}
		}
		fills, filled = append(fills, f), append(filled, w)
	}
	if len(fills) == 0 {
		return
	}
	money.allow(len(fills), c.options.Budget)
	results, err := spend(money, func(budget time.Duration) ([]store.Filled, error) {
		return c.store.Fill(ctx, budget, fills)
	})
	if err != nil {
		c.redisError(ctx, err)
		c.giveBack(ctx, filled, owner)
	}
	for i, w := range filled {
		switch {
		case err != nil:
			w.refuse("redis is away")
		case !results[i].Mine:
			w.refuse("the lease was lost")
		case w.skip == "" && !results[i].Stored:
			w.refuse("its probation was over before it was loaded")
		case w.r.call.force:
			c.near.Wrong([]string{w.r.entry})
		}
	}
}

// land gives the outcome to all who wait, and says what became of it.
func (c *Cache) land(ctx context.Context, w *work) {
	p := w.r.plan
	switch {
	case w.out.err != nil && !w.out.notFound:
	case w.skip != "":
		c.refusals.set(w.r.entry, w.skip)
		c.happened(ctx, p, Event{Kind: EventNotStored, Key: w.r.key, Reason: w.skip})
	case w.born:
		c.happened(ctx, p, Event{Kind: EventBornInvalid, Key: w.r.key})
		fallthrough
	default:
		c.refusals.forget(w.r.entry)
	}
	// Where it is not known what the value depends on, nothing speaks for those who joined after its load began.
	blind := w.out.spoiled != "" && !w.alone
	w.out.names = c.names(w.r.keys)
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
	if w.alone {
		w.out.names = append(w.out.names, w.late...) // no tokens beside them: nothing is handed up
	}
	if w.alone || len(w.begun.Tokens) != len(w.r.keys) {
		w.out.spoiled = "an inner load ran without redis"
	}
	if w.apart {
		w.out.spoiled = loadsApart
	}
	for _, d := range w.begun.Tokens {
		if d.Held {
			w.out.spoiled = "an inner load ran while a writer's outcome was open"
		}
	}
	if !w.alone && w.out.err == nil {
		c.lists.set(w.r.entry, w.late)
		p.seen.add(w.out.names)
	}
	w.f.End(w.out, blind || w.born && !c.rules.Off(guard.JoinOnlyValid), false)
}
