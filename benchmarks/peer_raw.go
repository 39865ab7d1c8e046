package main

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// newClient is the client that every peer on go-redis has, cacheme too. Contexts bound its I/O, as cacheme's
// documentation advises; everything else is go-redis's default.
func newClient(addr string) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true})
}

// raw is what a service writes by itself: GET, and at a miss load and SET.
// https://redis.io/docs/latest/develop/clients/go/
type raw struct {
	p       place
	codec   encoding
	rdb     redis.UniversalClient
	release func() error
}

func openRaw(e encoding) func(place) (Peer, error) {
	return func(p place) (Peer, error) {
		rdb := newClient(p.addr)
		return &raw{p, e, rdb, rdb.Close}, nil
	}
}

// openPipelined is raw on go-redis's own automatic pipelining, blocking face, with its defaults.
// https://pkg.go.dev/github.com/redis/go-redis/v9#Client.AutoPipeline
func openPipelined(e encoding) func(place) (Peer, error) {
	return func(p place) (Peer, error) {
		rdb := newClient(p.addr)
		piped, err := rdb.AutoPipeline()
		if err != nil {
			return nil, err
		}
		return &raw{p, e, piped, func() error { return errors.Join(piped.Close(), rdb.Close()) }}, nil
	}
}

// openTracked is raw on go-redis's own client-side cache, with its defaults and room for all items.
// https://pkg.go.dev/github.com/redis/go-redis/v9#CacheConfig
func openTracked(e encoding) func(place) (Peer, error) {
	return func(p place) (Peer, error) {
		rdb := redis.NewClient(&redis.Options{
			Addr: p.addr, ContextTimeoutEnabled: true,
			ClientSideCacheConfig: &redis.CacheConfig{MaxEntries: roomFor},
		})
		return &raw{p, e, rdb, rdb.Close}, nil
	}
}

// roomFor is how many items a peer may keep in the process: more than any workload has.
const roomFor = 200_000

func (r *raw) Get(ctx context.Context, id int64) (Item, error) {
	key := keyOf(r.p.prefix, id)
	b, err := r.rdb.Get(ctx, key).Bytes()
	switch {
	case err == nil:
		return r.codec.decode(b)
	case !errors.Is(err, redis.Nil):
		return Item{}, err
	}
	item, err := r.p.source.load(ctx, id)
	if err != nil {
		return Item{}, err
	}
	if b, err = r.codec.marshal(item); err != nil {
		return Item{}, err
	}
	return item, r.rdb.Set(ctx, key, b, cmp.Or(r.p.ttl, lifetime)).Err()
}

func (r *raw) Invalidate(ctx context.Context, ids ...int64) error {
	return r.rdb.Unlink(ctx, keysOf(r.p.prefix, ids)...).Err()
}

func (r *raw) Close() error { return r.release() }

// inOneCommand is how many keys go into one command: more would have the server answer nobody else meanwhile.
const inOneCommand = 1000

// FillGroup keeps the names of the entries in a set: the usual way to have a group in Redis.
func (r *raw) FillGroup(ctx context.Context, ids []int64) error {
	b, err := r.codec.marshal(newItem(0, 0, 10))
	if err != nil {
		return err
	}
	keys := keysOf(r.p.prefix, ids)
	members := make([]any, len(keys))
	for i, key := range keys {
		members[i] = key
	}
	_, err = r.rdb.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, key := range keys {
			pipe.Set(ctx, key, b, lifetime)
		}
		pipe.SAdd(ctx, r.p.prefix+"members", members...)
		pipe.Expire(ctx, r.p.prefix+"members", lifetime+time.Minute)
		return nil
	})
	return err
}

// InvalidateGroup reads the set, and removes what it names.
func (r *raw) InvalidateGroup(ctx context.Context, _ []int64) error {
	members, err := r.rdb.SMembers(ctx, r.p.prefix+"members").Result()
	if err != nil {
		return err
	}
	for len(members) > 0 {
		n := min(inOneCommand, len(members))
		if err := r.rdb.Unlink(ctx, members[:n]...).Err(); err != nil {
			return err
		}
		members = members[n:]
	}
	return r.rdb.Unlink(ctx, r.p.prefix+"members").Err()
}
