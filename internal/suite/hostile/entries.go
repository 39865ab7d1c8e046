package hostile

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/envelope"
	"github.com/cacheme/cacheme/internal/suite"
)

func entries(t *testing.T, open suite.Open) {
	server := open(t)
	t.Run("cut short anywhere is a miss", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, server)
		for n := range len(w.fresh(t)) {
			w.plant(t, w.fresh(t)[:n])
			w.survives(t, fmt.Sprintf("the first %d bytes", n), cacheme.EventGarbage)
		}
	})
	t.Run("with any bit turned is a miss", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, server)
		for range suite.Count(2000) {
			b := slices.Clone(w.fresh(t))
			bit := rand.IntN(8 * len(b))
			b[bit/8] ^= 1 << (bit % 8)
			w.plant(t, b)
			w.survives(t, fmt.Sprintf("bit %d turned", bit), cacheme.EventGarbage)
		}
	})
	t.Run("of noise is a miss", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, server)
		for range suite.Count(1000) {
			noise := make([]byte, rand.IntN(300))
			for i := range noise {
				noise[i] = byte(rand.Uint32())
			}
			w.plant(t, noise)
			w.survives(t, fmt.Sprintf("noise %x", noise), cacheme.EventGarbage)
		}
	})
	t.Run("of another version of the format is a miss", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, server)
		b := slices.Clone(w.fresh(t))
		b[2]++ // behind the magic
		w.plant(t, b)
		w.survives(t, "version 2", cacheme.EventGarbage)
	})
	t.Run("whose payload is no value of the type is a miss", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, server)
		for _, payload := range [][]byte{{}, {0xff}, {0x01}, []byte("text"), {0x81}, {0x81, 0x01}, {0xa1, 0x01, 0x02}} {
			w.plant(t, w.forged(t, func(e *envelope.Entry) { e.Payload = payload }, 0))
			w.survives(t, fmt.Sprintf("payload %x", payload), cacheme.EventGarbage)
		}
	})
	t.Run("that is another type of Redis is a miss", func(t *testing.T) {
		t.Parallel()
		for name, put := range map[string]func(ctx context.Context, rdb redis.UniversalClient, key string) error{
			"a hash": func(ctx context.Context, rdb redis.UniversalClient, key string) error {
				return rdb.HSet(ctx, key, "a", "b").Err()
			},
			"a list": func(ctx context.Context, rdb redis.UniversalClient, key string) error {
				return rdb.RPush(ctx, key, "a").Err()
			},
			"a set": func(ctx context.Context, rdb redis.UniversalClient, key string) error {
				return rdb.SAdd(ctx, key, "a").Err()
			},
			"a sorted set": func(ctx context.Context, rdb redis.UniversalClient, key string) error {
				return rdb.ZAdd(ctx, key, redis.Z{Member: "a"}).Err()
			},
			"a stream": func(ctx context.Context, rdb redis.UniversalClient, key string) error {
				return rdb.XAdd(ctx, &redis.XAddArgs{Stream: key, Values: []string{"a", "b"}}).Err()
			},
		} {
			w := newWorld(t, server)
			w.fresh(t)
			if err := errors.Join(w.rdb.Del(t.Context(), w.prefix+entryKey).Err(), put(t.Context(), w.rdb, w.prefix+entryKey)); err != nil {
				t.Fatal(err)
			}
			w.survives(t, name, cacheme.EventGarbage)
		}
	})
	t.Run("that cannot be read is no entry to Peek", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, server)
		for _, b := range [][]byte{{}, []byte("garbage"), w.forged(t, func(e *envelope.Entry) { e.Payload = []byte{0xff} }, 0)} {
			w.plant(t, b)
			if r, err := w.bound(t).Peek(t.Context(), Words{ID: 1}); !errors.Is(err, cacheme.ErrNoEntry) {
				t.Errorf("Peek() = %+v, %v for %q, want %v", r, err, b, cacheme.ErrNoEntry)
			}
		}
	})
	t.Run("of a batch that cannot be read is loaded with the others left alone", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, server)
		nodes := []Words{{ID: 1}, {ID: 2}, {ID: 3}}
		asked := 0
		get := func() {
			t.Helper()
			values, err := cacheme.GetManyFrom(t.Context(), w.cache, nodes, func(_ context.Context, ns []Words) (map[Words][]string, error) {
				asked += len(ns)
				found := map[Words][]string{}
				for _, n := range ns {
					found[n] = value
				}
				return found, nil
			})
			if err != nil || len(values) != 3 || !slices.Equal(values[0], value) {
				t.Errorf("GetMany() = %v, %v", values, err)
			}
		}
		get()
		get()
		asked = 0
		w.plant(t, []byte("garbage"))
		get()
		if asked != 1 {
			t.Errorf("the loader was asked for %d nodes, want the one whose entry is garbage", asked)
		}
	})
}
