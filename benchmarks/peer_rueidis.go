package main

import (
	"context"

	"github.com/redis/rueidis"
)

// viaRueidis is GET, and at a miss load and SET, on rueidis, which pipelines by itself. With tracked it reads by DoCache:
// Redis tells the client what changes in what it keeps.
// https://github.com/redis/rueidis#server-assisted-client-side-caching
type viaRueidis struct {
	p       place
	codec   encoding
	tracked bool
	rdb     rueidis.Client
}

func openRueidis(e encoding, tracked bool) func(place) (Peer, error) {
	return func(p place) (Peer, error) {
		rdb, err := rueidis.NewClient(rueidis.ClientOption{
			InitAddress: []string{p.addr}, DisableCache: !tracked,
			CacheSizeEachConn: 1 << 30, // room for all items
		})
		if err != nil {
			return nil, err
		}
		return &viaRueidis{p, e, tracked, rdb}, nil
	}
}

func (r *viaRueidis) Get(ctx context.Context, id int64) (Item, error) {
	key := keyOf(r.p.prefix, id)
	var got rueidis.RedisResult
	if r.tracked {
		got = r.rdb.DoCache(ctx, r.rdb.B().Get().Key(key).Cache(), lifetime)
	} else {
		got = r.rdb.Do(ctx, r.rdb.B().Get().Key(key).Build())
	}
	b, err := got.AsBytes()
	switch {
	case err == nil:
		return r.codec.decode(b)
	case !rueidis.IsRedisNil(err):
		return Item{}, err
	}
	item, err := r.p.source.load(ctx, id)
	if err != nil {
		return Item{}, err
	}
	if b, err = r.codec.marshal(item); err != nil {
		return Item{}, err
	}
	set := r.rdb.B().Set().Key(key).Value(rueidis.BinaryString(b)).Ex(lifetime).Build()
	return item, r.rdb.Do(ctx, set).Error()
}

func (r *viaRueidis) Invalidate(ctx context.Context, ids ...int64) error {
	return r.rdb.Do(ctx, r.rdb.B().Unlink().Key(keysOf(r.p.prefix, ids)...).Build()).Error()
}

func (r *viaRueidis) Close() error {
	r.rdb.Close()
	return nil
}
