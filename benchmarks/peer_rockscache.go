package main

import (
	"context"
	"slices"

	"github.com/dtm-labs/rockscache"
	"github.com/redis/go-redis/v9"
)

// rocks is rockscache, whose entries are hashes with a lock in them. It has its strong consistency on: without it a Get after a
// write is given the old value while the new one is loaded, and nothing could be compared. All else is its default.
// https://pkg.go.dev/github.com/dtm-labs/rockscache
type rocks struct {
	p     place
	codec encoding
	rdb   *redis.Client
	cache *rockscache.Client
}

func openRocks(e encoding) func(place) (Peer, error) {
	return func(p place) (Peer, error) {
		rdb := newClient(p.addr)
		options := rockscache.NewDefaultOptions()
		options.StrongConsistency = true
		return &rocks{p, e, rdb, rockscache.NewClient(rdb, options)}, nil
	}
}

func (r *rocks) Get(ctx context.Context, id int64) (Item, error) {
	text, err := r.cache.Fetch2(ctx, keyOf(r.p.prefix, id), lifetime, func() (string, error) {
		item, err := r.p.source.load(ctx, id)
		if err != nil {
			return "", err
		}
		b, err := r.codec.marshal(item)
		return string(b), err
	})
	if err != nil {
		return Item{}, err
	}
	return r.codec.decode([]byte(text))
}

func (r *rocks) Invalidate(ctx context.Context, ids ...int64) error {
	for some := range slices.Chunk(ids, inOneCommand) {
		if err := r.cache.TagAsDeletedBatch2(ctx, keysOf(r.p.prefix, some)); err != nil {
			return err
		}
	}
	return nil
}

func (r *rocks) Close() error { return r.rdb.Close() }

func (r *rocks) FillGroup(ctx context.Context, ids []int64) error {
	b, err := r.codec.marshal(newItem(0, 0, 10))
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := r.cache.RawSet(ctx, keyOf(r.p.prefix, id), string(b), lifetime); err != nil {
			return err
		}
	}
	return nil
}

// InvalidateGroup has to be told what depends on the group: there is nothing like it.
func (r *rocks) InvalidateGroup(ctx context.Context, ids []int64) error {
	return r.Invalidate(ctx, ids...)
}
