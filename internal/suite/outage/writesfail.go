package outage

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// writesFail has a Redis that answers every read and every load, and refuses what invalidates: so does one that is
// out of memory, or one that a failover made a replica.
func writesFail(t *testing.T, open suite.Open) {
	for _, c := range []struct {
		name string
		get  func(w *world, c *cacheme.Cache) (int64, error)
	}{
		{"a declared dependency", func(w *world, c *cacheme.Cache) (int64, error) {
			return cacheme.GetFrom(context.Background(), c, Price{Shop: 1}, w.read)
		}},
		{"a dependency of the result", func(w *world, c *cacheme.Cache) (int64, error) {
			return cacheme.GetFrom(context.Background(), c, Found{Shop: 1}, func(context.Context, Found) (int64, error) { return w.row.Load(), nil })
		}},
		{"a value that may stand in", func(w *world, c *cacheme.Cache) (int64, error) {
			return cacheme.GetFrom(context.Background(), c, Lasting{Shop: 1}, func(context.Context, Lasting) (int64, error) { return w.row.Load(), nil })
		}},
		{"a batch", func(w *world, c *cacheme.Cache) (int64, error) {
			v, err := cacheme.GetManyFrom(context.Background(), c, []Price{{Shop: 1}}, func(context.Context, []Price) (map[Price]int64, error) {
				return map[Price]int64{{Shop: 1}: w.row.Load()}, nil
			})
			return v[0], err
		}},
	} {
		t.Run("leave "+c.name+" never old to the process that wrote", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, open, settings[0].set)
			refuse := &refusal{}
			cache := refusing(w, refuse)
			get := func(want int64) {
				t.Helper()
				if v, err := c.get(w, cache); v != want || err != nil {
					t.Errorf("Get() = %d, %v, want %d", v, err, want)
				}
			}
			w.eventually("the first value is cached", func() bool { get(1); return cache.Stats().Hits > 0 })
			for row := int64(2); row <= 10; row++ {
				refuse.writes.Store(true)
				w.row.Store(row)
				undelivered(t, cache.Invalidate(t.Context(), ShopChanged{ID: 1}))
				get(row)
				get(row)
				if row%2 == 0 {
					continue // the next write comes on top of one that is kept
				}
				refuse.writes.Store(false)
				w.eventually("the write is delivered", func() bool { get(row); return cache.Stats().Pending == 0 })
				get(row)
			}
		})
	}
	for _, away := range []string{"writes fail", "Redis is away"} {
		for _, of := range []string{"declared", "result"} {
			t.Run("leave a load that began before to those who asked before: "+of+" dependency, "+away, func(t *testing.T) {
				t.Parallel()
				beganBefore(t, open, of == "result", away == "Redis is away")
			})
		}
	}
}

// beganBefore starts a load, writes without being able to tell Redis, and asks again while the load still runs: what it
// brings was read before the write.
func beganBefore(t *testing.T, open suite.Open, ofResult, away bool) {
	t.Helper()
	w := newWorld(t, open, settings[0].set)
	refuse := &refusal{}
	c := refusing(w, refuse)
	// The row's token is there already, and older than the load, as it would be in any cache that is in use.
	w.eventually("a value on the same row is cached", func() bool { w.get(c); return c.Stats().Hits > 0 })
	if away {
		w.wire.Refuse()
		w.eventually("the breaker opens", func() bool { w.get(c); return c.Stats().Away })
	}
	began, release := make(chan struct{}), make(chan struct{})
	slow := func() (int64, error) {
		v := w.row.Load()
		close(began)
		<-release
		return v, nil
	}
	quick := func() (int64, error) { return w.row.Load(), nil }
	get := func(ctx context.Context, load func() (int64, error), options ...cacheme.CallOption) (int64, error) {
		if ofResult {
			return cacheme.GetFrom(ctx, c, Found{Shop: 1}, func(context.Context, Found) (int64, error) { return load() }, options...)
		}
		return cacheme.GetFrom(ctx, c, Lasting{Shop: 1}, func(context.Context, Lasting) (int64, error) { return load() }, options...)
	}
	first := make(chan int64, 1)
	go func() {
		v, err := get(context.Background(), slow)
		if err != nil {
			t.Errorf("Get() = %v", err)
		}
		first <- v
	}()
	<-began
	refuse.writes.Store(true)
	w.row.Store(2)
	undelivered(t, c.Invalidate(t.Context(), ShopChanged{ID: 1}))
	second := make(chan int64, 1)
	waits := make(chan struct{})
	go func() {
		ctx := &waiter{Context: context.Background(), waits: func() { close(waits) }}
		v, err := get(ctx, quick, cacheme.OnMiss(func(context.Context, string) { ctx.missed.Store(true) }))
		if err != nil {
			t.Errorf("Get() = %v", err)
		}
		second <- v
	}()
	select {
	case <-waits: // it has seen what the load began with, and waits for it
	case v := <-second: // or it has loaded by itself
		second <- v
	case <-time.After(time.Minute):
		t.Error("a caller who asked after the write neither waits for the load nor has a value")
	}
	close(release)
	if v := <-first; v != 1 {
		t.Errorf("Get() = %d for the caller who asked before the write, want his own load's 1", v)
	}
	if v := <-second; v != 2 {
		t.Errorf("Get() = %d for a caller who asked after the write, want 2", v)
	}
}

// waiter is the context of a caller, and tells when he waits for a load: whoever waits for something listens for his
// context's end too, and once nothing usable was found the load is all that is left to wait for.
type waiter struct {
	context.Context
	missed atomic.Bool
	once   sync.Once
	waits  func()
}

// Done is asked for by whoever is about to wait.
func (w *waiter) Done() <-chan struct{} {
	if w.missed.Load() {
		w.once.Do(w.waits)
	}
	return w.Context.Done()
}

func undelivered(t testing.TB, err error) {
	t.Helper()
	if _, ok := errors.AsType[*cacheme.UndeliveredError](err); !ok {
		t.Fatalf("Invalidate() = %v, want an *UndeliveredError", err)
	}
}

// refusing returns a cache on a Redis that refuses on command.
func refusing(w *world, r *refusal) *cacheme.Cache {
	w.t.Helper()
	scripts := &scriptNames{}
	rdb := w.client()
	rdb.AddHook(r)
	r.scripts = scripts
	// The suite learns which script is which from the cache's own sources.
	return w.cache(scripts.learn(rdb), suite.Patient(cacheme.Options{}))
}

// refusal answers what invalidates as a Redis does that is out of memory.
type refusal struct {
	writes  atomic.Bool
	scripts *scriptNames
}

var errOutOfMemory = errors.New("OOM command not allowed when used memory > 'maxmemory'")

func (r *refusal) DialHook(next redis.DialHook) redis.DialHook { return next }

func (r *refusal) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (r *refusal) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if r.writes.Load() && slices.ContainsFunc(cmds, r.scripts.invalidates) {
			for _, cmd := range cmds {
				cmd.SetErr(redisError{errOutOfMemory})
			}
			return redisError{errOutOfMemory}
		}
		return next(ctx, cmds)
	}
}

// redisError is an error that the server answered.
type redisError struct{ error }

func (redisError) RedisError() {}
