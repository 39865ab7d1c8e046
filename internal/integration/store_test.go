// Package integration runs the suites against real servers, which are started by its kit.
package integration_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/store"
	"github.com/cacheme/cacheme/internal/store/storetest"
)

// redisServer is a redis-server that can also end its run and come back with its data.
type redisServer struct{ *kit.RedisServer }

func (s redisServer) Restart() error {
	s.Save()
	s.Kill()
	s.Start()
	return nil
}

func openStoreRedis(t testing.TB) storetest.Server {
	t.Helper()
	return redisServer{kit.Redis(t)}
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, openStoreRedis)
}

func TestTheStoreSuiteNoticesWhenARuleIsGone(t *testing.T) {
	t.Parallel()
	storetest.Broken(t, openStoreRedis)
}

// An eviction that Redis itself makes is a loss: what was found missing after it stays on probation.
func TestStoreNoticesAnEviction(t *testing.T) {
	t.Parallel()
	const (
		hold   = 200 * time.Millisecond
		budget = 10 * time.Second
	)
	server := kit.Redis(t, "--maxmemory", "4mb", "--maxmemory-policy", "allkeys-lru")
	patient := func(o *redis.Options) { o.ReadTimeout, o.WriteTimeout = budget, budget }
	rdb, ctx := server.Client(patient), t.Context()
	s := store.New(server.Client(patient), store.Options{Prefix: "T:", Hold: hold})
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	begin := func(key string) store.Begun {
		t.Helper()
		begun, err := s.Begin(ctx, budget, time.Second, []store.Want{{
			Entry: s.EntryKey(key, ""), Owner: store.NewOwner(), Tokens: []string{s.TokenKey("row:" + key)}, Life: time.Minute, Doubtful: true,
		}})
		if err != nil {
			t.Fatal(err)
		}
		return begun[0]
	}
	first := begin("book:1")
	if first.Until == 0 {
		t.Errorf("a cold key at once = %+v, want it on probation", first)
	}
	for calm := first.Start + 3*uint64(hold.Microseconds()); ; {
		if b := begin("book:2"); b.Start > calm {
			break
		}
	}
	if calm := begin("book:3"); calm.Until != 0 {
		t.Errorf("a cold key where nothing was lost = %+v, want no probation", calm)
	}

	evicted := func() bool {
		stats, err := rdb.Info(ctx, "stats").Result()
		if err != nil {
			t.Fatal(err)
		}
		return !strings.Contains(stats, "evicted_keys:0\r\n")
	}
	for i := 0; !evicted(); i++ {
		if err := rdb.Set(ctx, fmt.Sprintf("filler:%d", i), strings.Repeat("x", 64<<10), 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if after := begin("book:4"); after.Until == 0 || after.Until != after.Tokens[0].Until {
		t.Errorf("a cold key after an eviction = %+v, want it on probation", after)
	}
}
