package main

import (
	"context"

	"github.com/maypok86/otter/v2"
	"github.com/viccon/sturdyc"
)

// inOtter keeps items in otter alone: the floor of a hit in the process. Nobody tells it what other processes write.
// https://maypok86.github.io/otter/user-guide/v2/examples/
type inOtter struct {
	p     place
	cache *otter.Cache[int64, Item]
}

func openOtter(p place) (Peer, error) {
	c, err := otter.New(&otter.Options[int64, Item]{
		MaximumSize:      roomFor,
		ExpiryCalculator: otter.ExpiryWriting[int64, Item](lifetime),
	})
	if err != nil {
		return nil, err
	}
	return &inOtter{p, c}, nil
}

func (o *inOtter) Get(ctx context.Context, id int64) (Item, error) {
	return o.cache.Get(ctx, id, otter.LoaderFunc[int64, Item](o.p.source.load))
}

func (o *inOtter) Invalidate(_ context.Context, ids ...int64) error {
	for _, id := range ids {
		o.cache.Invalidate(id)
	}
	return nil
}

func (o *inOtter) Close() error {
	o.cache.StopAllGoroutines()
	return nil
}

// inSturdyc keeps items in sturdyc alone, with the shards and the share of evictions of its readme.
// https://github.com/viccon/sturdyc#stampede-protection
type inSturdyc struct {
	p     place
	cache *sturdyc.Client[Item]
}

func openSturdyc(p place) (Peer, error) {
	const shards, evicted = 10, 10
	return &inSturdyc{p, sturdyc.New[Item](roomFor, shards, lifetime, evicted)}, nil
}

func (s *inSturdyc) Get(ctx context.Context, id int64) (Item, error) {
	return s.cache.GetOrFetch(ctx, keyOf(s.p.prefix, id), func(ctx context.Context) (Item, error) {
		return s.p.source.load(ctx, id)
	})
}

func (s *inSturdyc) Invalidate(_ context.Context, ids ...int64) error {
	for _, id := range ids {
		s.cache.Delete(keyOf(s.p.prefix, id))
	}
	return nil
}

// Close does nothing: sturdyc evicts until the process ends.
func (*inSturdyc) Close() error { return nil }
