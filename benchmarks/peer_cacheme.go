package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
)

// itemRow is the table on whose rows items depend.
type itemRow struct {
	ID      int64 `bun:"id,pk"`
	Version int64 `bun:"version"` // counts its writes
}

// RowChanged is one row of it.
type RowChanged struct {
	cacheme.ModelInvalidNode

	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (RowChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*itemRow)(nil)} }

// ItemByID is an item that depends on three rows of its own, and so on five tokens: theirs, the table's, the class's.
type ItemByID struct {
	cacheme.Node[Item]

	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (ItemByID) Meta() cacheme.Meta { return cacheme.Meta{Key: "item:<id>"} }

// InvalidNodes are the three rows.
func (i ItemByID) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{RowChanged{ID: 3 * i.ID}, RowChanged{ID: 3*i.ID + 1}, RowChanged{ID: 3*i.ID + 2}}
}

// ItemNear is ItemByID in the process.
type ItemNear struct {
	cacheme.Node[Item]

	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (ItemNear) Meta() cacheme.Meta { return cacheme.Meta{Key: "near:<id>", Near: cacheme.On} }

// InvalidNodes are the three rows.
func (i ItemNear) InvalidNodes() []cacheme.Invalid { return ItemByID{ID: i.ID}.InvalidNodes() }

// ItemInGroup is an item that depends on three rows on which all of them depend.
type ItemInGroup struct {
	cacheme.Node[Item]

	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (ItemInGroup) Meta() cacheme.Meta { return cacheme.Meta{Key: "part:<id>"} }

// InvalidNodes are the three rows.
func (ItemInGroup) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{RowChanged{ID: 1}, RowChanged{ID: 2}, RowChanged{ID: 3}}
}

// rows says on whose rows items depend.
type rows bool

const (
	ownRows    rows = false
	commonRows rows = true
)

// patience is as long as go-redis waits for a reply by default, which is what the peers do. By its own defaults cacheme would
// load where a machine is so busy that a reply takes 50 ms, and what is measured would be that.
const patience = 5 * time.Second

// viaCacheme is cacheme with its defaults, the budgets aside.
type viaCacheme struct {
	p       place
	rows    rows
	cache   *cacheme.Cache
	own     *cacheme.Bound[ItemByID, Item]
	group   *cacheme.Bound[ItemInGroup, Item]
	release func() error
}

func openCacheme(r rows, pipelined bool) func(place) (Peer, error) {
	return func(p place) (Peer, error) {
		client := newClient(p.addr)
		rdb, release := redis.UniversalClient(client), client.Close
		if pipelined {
			piped, err := client.AutoPipeline()
			if err != nil {
				return nil, err
			}
			rdb, release = piped, func() error { return errors.Join(piped.Close(), client.Close()) }
		}
		c, err := cacheme.New(rdb, cacheme.Options{
			Prefix: p.prefix, TTL: cmp.Or(p.ttl, lifetime), Hold: p.hold, Budget: patience, WriteBudget: patience,
		})
		if err != nil {
			return nil, err
		}
		if err := c.Register(ItemByID{}, ItemInGroup{}, ItemNear{}, RowChanged{}); err != nil {
			return nil, err
		}
		own, err := cacheme.Bind(c, func(ctx context.Context, i ItemByID) (Item, error) { return p.source.load(ctx, i.ID) })
		if err != nil {
			return nil, err
		}
		group, err := cacheme.Bind(c, func(ctx context.Context, i ItemInGroup) (Item, error) { return p.source.load(ctx, i.ID) })
		if err != nil {
			return nil, err
		}
		return &viaCacheme{p, r, c, own, group, release}, nil
	}
}

func (c *viaCacheme) Get(ctx context.Context, id int64) (Item, error) {
	if c.rows == commonRows {
		return c.group.Get(ctx, ItemInGroup{ID: id})
	}
	return c.own.Get(ctx, ItemByID{ID: id})
}

// viaNear is cacheme's near cache.
type viaNear struct {
	*viaCacheme
	items *cacheme.Bound[ItemNear, Item]
}

func openNear(p place) (Peer, error) {
	peer, err := openCacheme(ownRows, false)(p)
	if err != nil {
		return nil, err
	}
	c := peer.(*viaCacheme) //nolint:forcetypeassert // it is what openCacheme opens
	items, err := cacheme.Bind(c.cache, func(ctx context.Context, i ItemNear) (Item, error) { return p.source.load(ctx, i.ID) })
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &viaNear{c, items}, nil
}

func (n *viaNear) Get(ctx context.Context, id int64) (Item, error) {
	return n.items.Get(ctx, ItemNear{ID: id})
}

func (c *viaCacheme) Invalidate(ctx context.Context, ids ...int64) error {
	written := make([]cacheme.Invalid, len(ids))
	for i, id := range ids {
		written[i] = RowChanged{ID: 3 * id}
	}
	return c.cache.Invalidate(ctx, written...)
}

func (c *viaCacheme) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(c.cache.Close(ctx), c.release())
}

// FillGroup stores by GetMany, as a service would that has many.
func (c *viaCacheme) FillGroup(ctx context.Context, ids []int64) error {
	nodes := make([]ItemInGroup, len(ids))
	for i, id := range ids {
		nodes[i] = ItemInGroup{ID: id}
	}
	_, err := cacheme.GetManyBound(ctx, c.group, nodes, func(_ context.Context, asked []ItemInGroup) (map[ItemInGroup]Item, error) {
		found := make(map[ItemInGroup]Item, len(asked))
		for _, i := range asked {
			found[i] = newItem(0, 0, 10)
		}
		return found, nil
	})
	return err
}

// InvalidateGroup needs no names.
func (c *viaCacheme) InvalidateGroup(ctx context.Context, _ []int64) error {
	return c.cache.Invalidate(ctx, RowChanged{ID: 1})
}

// Trouble tells of trips that failed or overran the budget: after some of them cacheme leaves Redis alone for a while, and
// what is loaded then is not stored.
func (c *viaCacheme) Trouble() string {
	s := c.cache.Stats()
	if s.RedisErrors == 0 {
		return ""
	}
	return fmt.Sprintf("%d trips to Redis failed or took longer than %v, and %d of %d loads were not stored: it left Redis alone for a while", s.RedisErrors, patience, s.NotStored, s.Loads)
}

// Settle waits until the prefix has been in use for one hold time, as it has in any service that has not just begun: until
// then a token that is missing may have been held, and entries live no longer than a hold.
func (c *viaCacheme) Settle(ctx context.Context) error {
	if _, err := c.Get(ctx, -1); err != nil {
		return err
	}
	hold := c.p.hold
	if hold == 0 {
		hold = 10 * time.Second // cacheme's default
	}
	return sleep(ctx, hold+hold/10)
}
