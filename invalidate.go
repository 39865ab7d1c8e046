package cacheme

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Invalidate makes wrong whatever depends on the given invalid nodes, through the default cache. See Cache.Invalidate.
func Invalidate(ctx context.Context, invalids ...Invalid) error {
	c, err := mustHaveDefault()
	if err != nil {
		return err
	}
	return c.Invalidate(ctx, invalids...)
}

// Invalidate makes wrong whatever depends on the given invalid nodes: rows, sides and pairs of many-to-many relations,
// and what Row, Class, Table, Main and Tag stand for. It costs one small write for each, however many entries depend on it.
// Once it has returned no Get that starts later returns a value that was loaded before it.
//
// Call it after the write is committed; a Hold does better. An error is an *UndeliveredError: the invalidation is kept
// and delivered when Redis answers again, and this process reads past the entries until then. It goes on while the
// cache is disabled. ctx bounds the call, besides Options.WriteBudget; an invalidation that it cuts short is kept too.
func (c *Cache) Invalidate(ctx context.Context, invalids ...Invalid) error {
	if c.closed.Load() {
		return ErrClosed
	}
	t, err := c.account(ctx, "Invalidate", invalids)
	if err != nil || len(t.keys) == 0 {
		return err
	}
	mark := c.mark(t, false)
	return c.invalidateKeys(ctx, t.keys, func(budget time.Duration, batch []string) ([]uint64, error) {
		defer func() { mark = mark.Told() }()
		return c.store.Invalidate(ctx, budget, mark, batch)
	})
}

// writtenKeys are the Redis keys of the tokens that a write to the invalid nodes makes wrong.
func (c *Cache) writtenKeys(invalids []Invalid) ([]string, error) {
	deps := c.dependencies()
	table := c.registry.table.Load()
	rows := rowWriter{tables: table.tables}
	for _, i := range invalids {
		var err error
		switch i := i.(type) {
		case *writtenRow:
			err = rows.append(deps, i)
		case *writtenHaving:
			err = i.append(deps)
		case *namedDependencies:
			err = i.append(deps)
		default:
			err = c.appendInvalid(deps, table, i, "cacheme.Invalidate", (*invalidPlan).appendWritten)
		}
		if err != nil {
			return nil, err
		}
	}
	return deps.keys(), nil
}

// invalidateKeys remembers what this process makes wrong, does it, and keeps what could not be delivered.
func (c *Cache) invalidateKeys(ctx context.Context, keys []string, deliver func(budget time.Duration, batch []string) ([]uint64, error)) error {
	moment := c.flights.Now()
	c.remember(keys, nil, moment)
	money := c.writePurse(len(keys))
	times, err := spendInBatches(&money, keys, deliver)
	if err != nil {
		return c.keep(ctx, keys, nil, err)
	}
	c.remember(keys, slices.Concat(times...), moment)
	c.happened(ctx, nil, Event{Kind: EventInvalidated, Count: len(keys)})
	return nil
}

// keep puts what could not be delivered into the journal.
func (c *Cache) keep(ctx context.Context, tokens, entries []string, cause error) error {
	c.redisError(ctx, cause)
	pending, ok := c.journal.keep(tokens, entries)
	if !ok {
		return errors.Join(ErrClosed, cause)
	}
	// What was looked at while the delivery failed was kept in good faith; from here on nothing is.
	c.near.Wrong(tokens)
	c.near.Wrong(entries)
	c.happened(ctx, nil, Event{Kind: EventKept, Count: len(tokens) + len(entries), Err: cause})
	return &UndeliveredError{Pending: pending, Err: cause}
}

// Remove takes the entries of the given nodes away, and refuses the fills of loads under way. Nothing of them is served
// stale. Use it for an entry that is wrong by itself; for rows that were written, Invalidate. Errors are those of
// Invalidate.
func (c *Cache) Remove(ctx context.Context, nodes ...Declaration) error {
	if c.closed.Load() {
		return ErrClosed
	}
	entries := make([]string, 0, len(nodes))
	for _, node := range nodes {
		p, node, err := c.nodeOf(node)
		if err != nil {
			return err
		}
		main, err := p.mainKey(node)
		if err != nil {
			return err
		}
		entries = append(entries, c.store.EntryKey(main, p.field))
	}
	if len(entries) == 0 {
		return nil
	}
	_, err := c.removeEntries(ctx, entries)
	return err
}

func (c *Cache) removeEntries(ctx context.Context, entries []string) (int, error) {
	moment := c.flights.Now()
	c.remember(entries, nil, moment)
	money := c.writePurse(len(entries))
	batches, err := spendInBatches(&money, entries, func(budget time.Duration, batch []string) (int64, error) {
		return c.store.Remove(ctx, budget, batch)
	})
	if err != nil {
		return 0, c.keep(ctx, nil, entries, err)
	}
	removed := int64(0)
	for _, n := range batches {
		removed += n
	}
	c.remember(entries, c.nowFor(entries), moment)
	c.happened(ctx, nil, Event{Kind: EventRemoved, Count: int(removed)})
	return int(removed), nil
}

// nowFor is Redis's time as it is now, for each of some keys.
func (c *Cache) nowFor(keys []string) []uint64 {
	return slices.Repeat([]uint64{max(1, c.store.Now())}, len(keys))
}

// KeyOf returns the key of a node or invalid node as its template renders it: user:7:shelf, book:100>owner,
// user:7:book:all. An invalid node that stands for its whole table has an empty key.
func (c *Cache) KeyOf(d Declaration) (string, error) {
	if i, ok := d.(Invalid); ok {
		return c.invalidKey(i)
	}
	p, node, err := c.nodeOf(d)
	if err != nil {
		return "", err
	}
	key, err := p.mainKey(node)
	if err == nil && p.field != "" {
		key += ">" + p.field
	}
	return key, err
}

func (c *Cache) invalidKey(i Invalid) (string, error) {
	deps := c.dependencies()
	add := func(p *invalidPlan, d *dependencies, declaration reflect.Value) error {
		_, err := p.appendKey(d, declaration)
		return err
	}
	if err := c.appendInvalids(deps, []Invalid{i}, "cacheme.KeyOf", add); err != nil {
		return "", err
	}
	keys := deps.keys()
	if len(keys) == 0 {
		return "", nil
	}
	_, key, _ := strings.Cut(c.store.TokenName(keys[0]), ":")
	return key, nil
}
