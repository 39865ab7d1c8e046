package cacheme

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cacheme/cacheme/internal/envelope"
	"github.com/cacheme/cacheme/internal/store"
)

// set is a load whose value is there already. The tokens of its result are known before it begins, so they are read
// with the declared ones.
func (c *Cache) set(ctx context.Context, r *request, value any) error {
	if c.closed.Load() {
		return ErrClosed
	}
	if c.leavesAlone(ctx, r) {
		return wrap("set", r.key, fmt.Errorf("%w: the cache is disabled or bypassed", ErrNotStored))
	}
	results, err := c.resultNames(r, value)
	if err != nil {
		return err
	}
	r.call.force = true
	names := lateNames(results, c.names(r.keys), nil)
	declared := len(r.keys)
	money := purse{c.options.WriteBudget}
	owner := store.NewOwner()
	w := &work{r: r, out: &outcome{}}
	begun, err := spend(&money, func(budget time.Duration) ([]store.Begun, error) {
		return c.store.Begin(ctx, budget, c.options.Lease, []store.Want{{
			Entry: r.entry, Owner: owner, Tokens: append(append([]string(nil), r.keys...), c.tokenKeys(names)...), Life: c.tokenLife(w), Force: r.call.force, Doubtful: true,
		}})
	})
	if err != nil {
		c.giveBack(ctx, []*work{w}, owner) // it may have arrived all the same
		return wrap("set", r.key, err)
	}
	w.begun, w.until = begun[0], begun[0].Until
	for _, d := range w.begun.Tokens {
		if d.Held {
			w.refuse("a writer's outcome is open")
		}
	}
	w.out.value = value
	c.prepare(w, inner{})
	for i, name := range names {
		w.entry.Results = append(w.entry.Results, envelope.Named{Name: name, Token: w.begun.Tokens[declared+i].Token})
	}
	w.begun.Tokens = w.begun.Tokens[:declared]
	c.fill(ctx, []*work{w}, owner, &money)
	if w.skip != "" {
		return wrap("set", r.key, fmt.Errorf("%w: %s", ErrNotStored, w.skip))
	}
	return nil
}

// peek looks and serves, and does nothing else.
func (c *Cache) peek(ctx context.Context, r *request) (answer, error) {
	outer := scopeOf(ctx)
	if c.leavesAlone(ctx, r) {
		outer.spoil("an inner Peek went past the cache")
		return answer{}, wrap("peek", r.key, ErrNoEntry)
	}
	v := c.visit(r)
	defer v.k.Leave()
	s, err := v.look(ctx)
	if err != nil {
		outer.spoil("an inner Peek failed")
		return answer{}, wrap("peek", r.key, err)
	}
	verdict := c.decide(v, s)
	if verdict != serve && verdict != serveStale {
		outer.spoil("an inner Peek found nothing")
		return answer{}, wrap("peek", r.key, ErrNoEntry)
	}
	v.handUp(outer, s)
	if s.entry.Kind == envelope.NotFound {
		return answer{}, notFoundToo(wrap("peek", r.key, ErrNotFound))
	}
	value, err := s.decoded(r.plan)
	if err != nil {
		return answer{}, wrap("peek", r.key, errors.Join(ErrNoEntry, err))
	}
	return answer{value: value, stale: verdict == serveStale, age: s.age(), tier: TierRedis}, nil
}
