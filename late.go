package cacheme

import (
	"context"
	"errors"
	"time"

	"github.com/cacheme/cacheme/internal/envelope"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/store"
)

// readLate reads the tokens of what is known only after the load: result dependencies, and what inner loads handed up.
func (c *Cache) readLate(ctx context.Context, ws []*work, inside inner, money *purse) {
	var names []string
	index := map[string]int{}
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
			if _, ok := index[name]; !ok {
				index[name] = len(names)
				names = append(names, name)
			}
		}
		life = max(life, c.tokenLife(w))
		if first == nil || w.begun.Start < first.begun.Start {
			first = w
		}
	}
	if first == nil {
		return
	}
	money.allow(len(names), c.options.Budget)
	late, err := spend(money, func(budget time.Duration) (store.Late, error) {
		return c.store.ReadLate(ctx, budget, first.begun, c.tokenKeys(names), life)
	})
	if err == nil && late.Tokens == nil {
		err = errors.New("redis was restarted during the load")
	}
	if err != nil {
		c.redisError(ctx, err)
	}
	for _, w := range ws {
		if len(w.late) == 0 || w.alone {
			continue
		}
		if err != nil {
			w.refuse("the tokens of its result could not be read")
			w.out.spoiled = w.skip
			continue
		}
		for _, name := range w.late {
			under, up := inside.handed[name]
			c.adopt(w, name, late, index[name], under, up)
		}
	}
}

// adopt decides whether the entry may carry a token that was read after the load. What an inner load handed up has its
// token from before that load, and must still be the same; so must one that the last load depended on. Any other has to
// be older than the load. Only a token that was read before the load is excused from its probation; it was then.
func (c *Cache) adopt(w *work, name string, late store.Late, i int, under envelope.Token, handedUp bool) {
	d, off := late.Tokens[i], c.rules.Off
	switch {
	case d.Held && !off(guard.LateHeldIsInvalid):
		w.born = true
		if !off(guard.LateHeldKeepsEntry) {
			w.refuse("a writer's outcome is open on its result")
		}
	case handedUp:
		w.born = w.born || !d.Token.Matches(under)
		d.Token = under
	case d.Token.Matches(w.before[name]):
		// Unchanged since before the load.
	case late.Created[i]:
		w.born = w.born || !off(guard.LateAbsentIsInvalid)
	case !late.Agreed && !off(guard.LateNeedsSteadyClock):
		w.born = true
	case off(guard.LateIsOlder):
	case off(guard.LateIsStrictlyOlder):
		w.born = w.born || d.Token.Time > w.begun.Start
	default:
		w.born = w.born || d.Token.Time >= late.Before
	}
	if began := w.probationFrom(c); d.Until > began && d.Token != w.before[name] && !off(guard.Probation) {
		if w.until == 0 || d.Until < w.until {
			w.until = d.Until
		}
	}
	w.entry.Results = append(w.entry.Results, envelope.Named{Name: name, Token: d.Token})
}

// probationFrom is the time that a probation counts from: when the load began, not when the token was read.
func (w *work) probationFrom(c *Cache) uint64 {
	if c.rules.Off(guard.ProbationFromLoadStart) {
		return c.store.Now()
	}
	return w.begun.Start
}
