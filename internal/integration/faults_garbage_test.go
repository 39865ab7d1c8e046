package integration_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
)

// vandalised has somebody write into the cache's keys at random.
func vandalised(t *testing.T) {
	t.Parallel()
	server := kit.Redis(t)
	const lease = 200 * time.Millisecond
	f := newFleetOf(t, shown, 2, suite.Patient(cacheme.Options{Hold: hold, Lease: lease}), func() redis.UniversalClient { return server.Client() })
	f.hits()
	v := vandal{rdb: kit.Admin(t, server.Addr()), prefix: f.prefix}
	all := f.under(habit{}, func() {
		for range suite.Count(20_000) {
			check(t, v.strike(t.Context()))
			time.Sleep(time.Millisecond)
		}
	})
	t.Logf("%d deeds; %d Gets, %d hits, the slowest %v; %d saves, %d kept", suite.Count(20_000), len(all.gets), all.hits, all.gets.slowest(), len(all.saves), all.kept)
	// Two until a lease is doubted, and one more where it was spoilt again.
	if slowest := all.gets.slowest(); slowest > 3*lease+2*time.Second {
		t.Errorf("the slowest Get took %v, want at most some leases of %v", slowest, lease)
	}
	f.servesAgain()
}

// vandal spoils keys. What it writes ends by itself, so that a key without an end is the cache's.
type vandal struct {
	rdb    redis.UniversalClient
	prefix string
}

// strike spoils one key. Leases are there for moments only, so that some are made.
func (v vandal) strike(ctx context.Context) error {
	keys, err := v.rdb.Keys(ctx, v.prefix+"*").Result()
	if err != nil || len(keys) == 0 {
		return err
	}
	key := keys[rand.IntN(len(keys))]
	switch rand.IntN(8) {
	case 0:
		key += ":lease"
	case 1:
		key = v.prefix + "meta:watch"
	}
	old, _ := v.rdb.Get(ctx, key).Result() // nothing, or another type
	noise := make([]byte, rand.IntN(100))
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	const life = time.Minute
	pipe := v.rdb.TxPipeline()
	pipe.Del(ctx, key)
	switch rand.IntN(7) {
	case 0, 1:
		pipe.Set(ctx, key, noise, life)
	case 2:
		pipe.Set(ctx, key, old[:rand.IntN(len(old)+1)], life)
	case 3:
		pipe.HSet(ctx, key, noise, noise)
	case 4:
		pipe.RPush(ctx, key, noise)
	case 5:
		pipe.ZAdd(ctx, key, redis.Z{Member: noise})
	case 6:
		pipe.XAdd(ctx, &redis.XAddArgs{Stream: key, Values: []string{"a", "b"}})
	}
	pipe.PExpire(ctx, key, life)
	_, err = pipe.Exec(ctx)
	return err
}
