package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// NearChannel carries the Redis keys of what near caches must not use any more. Its name has no slot: on a cluster every
// master publishes on it what is changed there.
func (s *Store) NearChannel() string { return s.nearChannel }

// Servers returns where keys are changed: the one server, or each master of a cluster as the client knows them.
func (s *Store) Servers(ctx context.Context) (map[string]redis.UniversalClient, error) {
	if s.cluster == nil {
		return map[string]redis.UniversalClient{"": s.rdb}, nil
	}
	var mu sync.Mutex
	masters := map[string]redis.UniversalClient{}
	err := s.cluster.ForEachMaster(ctx, func(_ context.Context, node *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		masters[node.Options().Addr] = node
		return nil
	})
	return masters, err
}

// nearLife is how long the mark lives by which a flush is noticed, without anybody who looks for it.
const nearLife = 24 * time.Hour

// Pulse returns what differs once another run of Redis answers, or a flush has taken everything (on a cluster: a flush of
// the master that has the mark). It is one round trip, three where the mark is gone.
func (s *Store) Pulse(ctx context.Context) (string, error) {
	return call(ctx, s, s.deadlines.budget, func(ctx context.Context) (string, error) {
		key := s.nearChannel + ":mark"
		mark, err := s.rdb.GetEx(ctx, key, nearLife).Result()
		if errors.Is(err, redis.Nil) {
			if err = s.rdb.SetNX(ctx, key, rand.Uint64(), nearLife).Err(); err == nil {
				mark, err = s.rdb.GetEx(ctx, key, nearLife).Result()
			}
		}
		if err != nil {
			return "", err
		}
		epoch, err := s.currentEpoch(ctx)
		return epoch.String() + mark, err
	})
}
