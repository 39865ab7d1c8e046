package cacheme

import (
	"context"
	"errors"
	"log/slog"
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
	if store.OwnerOf(s.lease) != b.owner && !rules.Off(guard.JoinOnSameLease) {
		return false
	}
	if rules.Off(guard.JoinOnEqualTokens) {
		return true
	}
	for i, now := range s.tokens {
		then := b.tokens[i]
		if !now.Exists || now.Token != then.Token || now.Held != then.Held {
			return false
		}
		// Two held tokens are never the same: an invalidation of a dirty one leaves no mark.
		if now.Held && !rules.Off(guard.JoinNeverUnderHold) {
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
	began    uint64           // moment of the process, see flight.Group.Now
	spoiled  string           // why nothing may be built on it; empty: it may
	blind    bool             // an inner value came without what it depends on: names is not all
	private  bool             // it is for its caller alone
}

// valueFor gives one caller the value: shared, or with Meta.Copy a new one.
func (o *outcome) valueFor(p *nodePlan) (any, error) {
	if !p.meta.Copy || o.payload == nil {
		return o.value, o.err
	}
	return p.carrier.decode(p.codec, o.payload)
}

// handUp gives what the value depends on to the load that the Get is part of.
func (o *outcome) handUp(c *Cache, outer *scope) {
	if o.spoiled != "" {
		outer.spoil(o.spoiled)
		return
	}
	outer.hand(c, o.names, o.tokens, o.expires)
}

// work is one key on its way through a load.
type work struct {
	r       *request
	f       *inFlight
	seen    string // the head of the entry that the look saw
	missing bool   // the look found a token missing
	young   bool   // ... or on probation
	begun   store.Begun
	before  map[string]store.Token // result dependencies of the last load, as they were before this one
	alone   bool                   // without Redis
	apart   bool                   // ... because nobody else would have its value
	early   bool                   // the entry that is there is fresh, and nobody waits
	out     *outcome
	entry   envelope.Entry
	late    []string // names of the dependencies that are known only now
	until   uint64   // end of probation; 0: none
	skip    string   // why the value is not stored; empty: it is
	born    bool     // born invalid
}

func newWork(r *request, f *inFlight, s sight) *work {
	w := &work{r: r, f: f, seen: s.head, out: &outcome{}}
	for _, d := range s.tokens {
		w.missing = w.missing || !d.Exists
		w.young = w.young || d.Until > s.now
	}
	return w
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
	landed := false
	defer func(all []*work) {
		if !landed {
			c.crashed(ctx, all, owner, &PanicError{Value: recover(), Stack: debug.Stack()})
		}
	}(slices.Clone(ws))
	ws = c.spare(ctx, c.begin(ctx, ws, owner, &money), owner)
	if len(ws) == 0 {
		landed = true
		return
	}
	sc := newScope(c, scopeOf(ctx), ws)
	for _, w := range ws {
		w.out.began = w.f.Begin(beginning{owner: owner, tokens: w.begun.Tokens, alone: w.alone})
	}
	stop := c.keepLeases(ctx, owner, ws)
	defer stop()
	began := time.Now()
	rs := make([]*request, len(ws))
	for i, w := range ws {
		rs[i] = w.r
	}
	results := c.callLoader(sc.into(ctx), rs, ws[0].early || rs[0].call.refill, load)
	inside := sc.end()
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
	c.happened(ctx, ws[0].r.plan, Event{Kind: EventLoad, Key: ws[0].r.key, Keys: c.keysLoaded(ws), Duration: took, Err: firstErr})
	c.breakTokenOrder(ctx, ws, &money)
	c.dependOnSeen(ctx, ws[0].r.plan, &inside, firstErr != nil)
	for _, w := range ws {
		c.prepare(w, inside)
		c.findLate(w, inside)
	}
	c.judge(ctx, ws, inside)
	c.readLate(ctx, ws, inside, &money)
	stop()
	c.fill(ctx, ws, owner, &money)
	for _, w := range ws {
		c.land(ctx, w)
	}
	landed = true
}

// keysLoaded are the keys of a load of several nodes, where somebody wants to know.
func (c *Cache) keysLoaded(ws []*work) []string {
	if len(ws) == 1 || c.options.Observer == nil {
		return nil
	}
	keys := make([]string, len(ws))
	for i, w := range ws {
		keys[i] = w.r.key
	}
	return keys
}

// begin takes the leases and the tokens as they are before the load. Flights whose lease somebody else has, or whose
// entry somebody else has loaded since the look, end here.
func (c *Cache) begin(ctx context.Context, ws []*work, owner string, money *purse) []*work {
	wants := make([]store.Want, len(ws))
	guesses := make([][]string, len(ws))
	for i, w := range ws {
		// What the last load depended on, this one may too: a token read before the load needs no comparing of times.
		guesses[i] = c.lists.get(w.r.entry)
		tokens := slices.Concat(c.tokensToBegin(w), c.tokenKeys(guesses[i]))
		wants[i] = store.Want{
			Entry: w.r.entry, Owner: owner, Tokens: tokens, Life: c.tokenLife(w),
			Seen: w.seen, Force: w.r.call.force, Doubtful: w.missing || w.young || len(guesses[i]) > 0,
		}
	}
	scripts := 0
	for _, want := range wants {
		scripts += 1 + len(want.Tokens)
	}
	money.allow(scripts, c.options.Budget)
	begun, err := spend(money, func(budget time.Duration) ([]store.Begun, error) {
		return c.store.Begin(ctx, budget, c.options.Lease, wants)
	})
	if err != nil {
		c.redisError(ctx, err)
		for _, w := range ws {
			w.alone = true
			w.refuse("redis is away")
		}
		if !errors.Is(err, store.ErrAway) {
			c.giveBack(ctx, ws, owner) // what was abandoned may have arrived all the same
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
			c.happened(ctx, w.r.plan, Event{Kind: EventGarbage, Key: w.r.key, Err: &envelope.CorruptError{Reason: "empty, or another redis type"}})
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

// giveBack ends leases that nobody will fill, in the background. While Redis does not take that it is tried again, until
// they have run out by themselves: whoever comes meanwhile waits for them.
func (c *Cache) giveBack(ctx context.Context, ws []*work, owner string) {
	fills := make([]store.Fill, len(ws))
	for i, w := range ws {
		fills[i] = store.Fill{Entry: w.r.entry, Owner: owner}
	}
	if !c.loads.Enter() {
		return
	}
	go func() {
		defer c.loads.Leave()
		gone := time.Now().Add(c.options.Lease)
		for batch := range slices.Chunk(fills, removeBatch) {
			for {
				_, err := c.store.Fill(context.WithoutCancel(ctx), c.options.WriteBudget, batch)
				if err == nil {
					break
				}
				if time.Now().After(gone) || !c.pause(giveBackPause) {
					return
				}
			}
		}
	}()
}

// giveBackPause is short beside a lease, and longer than most connections take to be made anew.
const giveBackPause = 50 * time.Millisecond

// crashed ends the flights of a load in which the user's code panicked, or ended its goroutine, outside of his loader: in
// a node's ResultInvalidNodes or in a codec. The leases are given back, so that the next load starts at
// once.
func (c *Cache) crashed(ctx context.Context, ws []*work, owner string, err *PanicError) {
	c.giveBack(ctx, ws, owner)
	for _, w := range ws {
		w.f.End(&outcome{loaded: loaded{err: err}, spoiled: "an inner load failed"}, false, false)
	}
	c.log(ctx, slog.LevelError, "cacheme load panicked", slog.String("node", ws[0].r.plan.name), slog.Any("err", err.Value))
}
