package main

import (
	"context"
	"errors"

	"github.com/go-redis/cache/v9"
	"github.com/redis/go-redis/v9"
)

// redisCache is go-redis/cache, read by Once as its readme does: msgpack, s2 from 64 bytes on, one load a process. With
// local it has its TinyLFU in front.
// https://redis.uptrace.dev/guide/go-redis-cache.html
type redisCache struct {
	p     place
	rdb   *redis.Client
	cache *cache.Cache
}

func openRedisCache(local bool) func(place) (Peer, error) {
	return func(p place) (Peer, error) {
		rdb := newClient(p.addr)
		o := &cache.Options{Redis: rdb}
		if local {
			// The readme has a minute here. A longer one is to its favour where speed is measured: nothing expires.
			o.LocalCache = cache.NewTinyLFU(roomFor, lifetime)
		}
		return &redisCache{p, rdb, cache.New(o)}, nil
	}
}

func (r *redisCache) Get(ctx context.Context, id int64) (Item, error) {
	var item Item
	err := r.cache.Once(&cache.Item{
		Ctx: ctx, Key: keyOf(r.p.prefix, id), Value: &item, TTL: lifetime,
		Do: func(i *cache.Item) (any, error) { return r.p.source.load(i.Ctx, id) },
	})
	return item, err
}

func (r *redisCache) Invalidate(ctx context.Context, ids ...int64) error {
	for _, id := range ids {
		if err := r.cache.Delete(ctx, keyOf(r.p.prefix, id)); err != nil && !errors.Is(err, cache.ErrCacheMiss) {
			return err
		}
	}
	return nil
}

func (r *redisCache) Close() error { return r.rdb.Close() }

func (r *redisCache) FillGroup(ctx context.Context, ids []int64) error {
	for _, id := range ids {
		item := newItem(0, 0, 10)
		if err := r.cache.Set(&cache.Item{Ctx: ctx, Key: keyOf(r.p.prefix, id), Value: &item, TTL: lifetime}); err != nil {
			return err
		}
	}
	return nil
}

// InvalidateGroup has to be told what depends on the group: there is nothing like it.
func (r *redisCache) InvalidateGroup(ctx context.Context, ids []int64) error {
	return r.Invalidate(ctx, ids...)
}
