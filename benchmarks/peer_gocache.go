package main

import (
	"context"
	"errors"

	"github.com/eko/gocache/lib/v4/cache"
	"github.com/eko/gocache/lib/v4/store"
	redisstore "github.com/eko/gocache/store/redis/v4"
	"github.com/redis/go-redis/v9"
)

// goCache is gocache's loadable cache on its Redis store, as its readme has it. What was loaded it stores behind the caller's back.
// https://pkg.go.dev/github.com/eko/gocache/lib/v4/cache#NewLoadable
type goCache struct {
	p     place
	codec encoding
	rdb   *redis.Client
	cache *cache.LoadableCache[string]
}

// goCacheKey is a key with the id that its load needs.
type goCacheKey struct {
	key string
	id  int64
}

// GetCacheKey is what gocache asks for.
func (k goCacheKey) GetCacheKey() string { return k.key }

func openGoCache(e encoding) func(place) (Peer, error) {
	return func(p place) (Peer, error) {
		rdb := newClient(p.addr)
		load := func(ctx context.Context, key any) (string, []store.Option, error) {
			item, err := p.source.load(ctx, key.(goCacheKey).id)
			if err != nil {
				return "", nil, err
			}
			b, err := e.marshal(item)
			return string(b), nil, err
		}
		inRedis := redisstore.NewRedis(rdb, store.WithExpiration(lifetime))
		return &goCache{p, e, rdb, cache.NewLoadable(load, cache.New[string](inRedis))}, nil
	}
}

func (g *goCache) key(id int64) goCacheKey { return goCacheKey{keyOf(g.p.prefix, id), id} }

func (g *goCache) Get(ctx context.Context, id int64) (Item, error) {
	text, err := g.cache.Get(ctx, g.key(id))
	if err != nil {
		return Item{}, err
	}
	return g.codec.decode([]byte(text))
}

func (g *goCache) Invalidate(ctx context.Context, ids ...int64) error {
	for _, id := range ids {
		if err := g.cache.Delete(ctx, g.key(id)); err != nil {
			return err
		}
	}
	return nil
}

func (g *goCache) Close() error { return errors.Join(g.cache.Close(), g.rdb.Close()) }

// FillGroup gives each item a tag, which is a set of the keys that have it.
func (g *goCache) FillGroup(ctx context.Context, ids []int64) error {
	b, err := g.codec.marshal(newItem(0, 0, 10))
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := g.cache.Set(ctx, g.key(id), string(b), store.WithTags([]string{g.p.prefix})); err != nil {
			return err
		}
	}
	return nil
}

// InvalidateGroup removes what has the tag.
func (g *goCache) InvalidateGroup(ctx context.Context, _ []int64) error {
	return g.cache.Invalidate(ctx, store.WithInvalidateTags([]string{g.p.prefix}))
}
