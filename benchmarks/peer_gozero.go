package main

import (
	"context"
	"errors"
	"slices"

	"github.com/zeromicro/go-zero/core/logx"
	"github.com/zeromicro/go-zero/core/stores/cache"
	"github.com/zeromicro/go-zero/core/stores/redis"
	"github.com/zeromicro/go-zero/core/syncx"
)

// goZero is one node of go-zero's cache, read by Take as the code does that its goctl generates for models: JSON, one load
// a process, a breaker before Redis.
// https://go-zero.dev/docs/tutorials/redis/cache
type goZero struct {
	p    place
	node cache.Cache
}

var errNoItem = errors.New("no such item")

// silenceGoZero stops the lines that go-zero writes of each slow call, and of the machine each minute from its import on.
func silenceGoZero() { logx.Disable() }

func openGoZero(p place) (Peer, error) {
	rdb, err := redis.NewRedis(redis.RedisConf{
		Host: p.addr, Type: redis.NodeType,
		// As its comment says: servers before 7.2 refuse CLIENT SETINFO, which opens the breaker.
		DisableIdentity: true,
	})
	if err != nil {
		return nil, err
	}
	node := cache.NewNode(rdb, syncx.NewSingleFlight(), cache.NewStat("benchmarks"), errNoItem, cache.WithExpiry(lifetime))
	return &goZero{p, node}, nil
}

func (z *goZero) Get(ctx context.Context, id int64) (Item, error) {
	var item Item
	err := z.node.TakeCtx(ctx, &item, keyOf(z.p.prefix, id), func(v any) error {
		loaded, err := z.p.source.load(ctx, id)
		*v.(*Item) = loaded
		return err
	})
	return item, err
}

func (z *goZero) Invalidate(ctx context.Context, ids ...int64) error {
	for some := range slices.Chunk(ids, inOneCommand) {
		if err := z.node.DelCtx(ctx, keysOf(z.p.prefix, some)...); err != nil {
			return err
		}
	}
	return nil
}

// Close does nothing: go-zero keeps its clients for the life of the process.
func (*goZero) Close() error { return nil }

func (z *goZero) FillGroup(ctx context.Context, ids []int64) error {
	for _, id := range ids {
		if err := z.node.SetCtx(ctx, keyOf(z.p.prefix, id), newItem(0, 0, 10)); err != nil {
			return err
		}
	}
	return nil
}

// InvalidateGroup has to be told what depends on the group: there is nothing like it.
func (z *goZero) InvalidateGroup(ctx context.Context, ids []int64) error {
	return z.Invalidate(ctx, ids...)
}
