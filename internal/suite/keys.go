package suite

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Keys returns the keys that match a glob pattern, on a cluster those of all masters.
func Keys(ctx context.Context, rdb redis.UniversalClient, pattern string) (keys []string, err error) {
	cluster, ok := rdb.(*redis.ClusterClient)
	if !ok {
		return rdb.Keys(ctx, pattern).Result()
	}
	var mu sync.Mutex
	err = cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		some, err := node.Keys(ctx, pattern).Result()
		mu.Lock()
		defer mu.Unlock()
		keys = append(keys, some...)
		return err
	})
	return keys, err
}

// Drop takes keys away, whatever their slots, and returns how many were there.
func Drop(ctx context.Context, rdb redis.UniversalClient, keys ...string) (int, error) {
	return oneByOne(ctx, rdb, keys, redis.Pipeliner.Del)
}

// Exist returns how many of the keys are there, whatever their slots.
func Exist(ctx context.Context, rdb redis.UniversalClient, keys ...string) (int, error) {
	return oneByOne(ctx, rdb, keys, redis.Pipeliner.Exists)
}

func oneByOne(ctx context.Context, rdb redis.UniversalClient, keys []string, do func(redis.Pipeliner, context.Context, ...string) *redis.IntCmd) (n int, err error) {
	pipe := rdb.Pipeline()
	each := make([]*redis.IntCmd, len(keys))
	for i, key := range keys {
		each[i] = do(pipe, ctx, key)
	}
	_, err = pipe.Exec(ctx)
	for _, cmd := range each {
		n += int(cmd.Val())
	}
	return n, err
}

// IsCluster reports whether a client's keys are spread over several servers.
func IsCluster(rdb redis.UniversalClient) bool {
	_, ok := rdb.(*redis.ClusterClient)
	return ok
}

// EveryKeyHasATTL fails the test for each key with the prefix that would stay for ever. A Redis that does not answer, as
// one that a test has taken away, has nothing to be looked at.
func EveryKeyHasATTL(t testing.TB, rdb redis.UniversalClient, prefix string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	literal := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)
	keys, err := Keys(ctx, rdb, literal.Replace(prefix)+"*")
	if err != nil || len(keys) == 0 {
		return
	}
	pipe := rdb.Pipeline()
	lives := make([]*redis.DurationCmd, len(keys))
	for i, key := range keys {
		lives[i] = pipe.PTTL(ctx, key)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return
	}
	for i, key := range keys {
		switch life := lives[i].Val(); {
		case life == -1:
			t.Errorf("%s has no TTL", key)
		case life > 25*time.Hour:
			t.Errorf("%s has a TTL of %v, which is nearly none", key, life)
		}
	}
}
