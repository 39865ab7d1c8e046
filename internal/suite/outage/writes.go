package outage

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// perWrite is how many tokens the invalidation of one row writes: the row, and any row of its table.
const perWrite = 2

func writes(t *testing.T, open suite.Open) {
	t.Run("is told, kept, and delivered first thing on return", func(t *testing.T) {
		each(t, open, func(t *testing.T, w *world, way broken) {
			kept(t, w, way, w.warm(cacheme.Options{}), w.server.Client())
		})
	})
	t.Run("takes no longer than its budget", func(t *testing.T) {
		each(t, open, func(t *testing.T, w *world, way broken) {
			c := w.warm(cacheme.Options{})
			way.by(w.wire)
			for range 5 { // from the first one on, with which the breaker is still closed
				within(t, "Invalidate", func() (time.Duration, time.Duration) {
					began := time.Now()
					undelivered(t, c.Invalidate(t.Context(), ShopChanged{ID: 1}))
					return time.Since(began), 250 * time.Millisecond
				})
			}
		})
	})
	t.Run("comes before any read on return", func(t *testing.T) {
		each(t, open, func(t *testing.T, w *world, way broken) { deliveredFirst(t, w, way) })
	})
	t.Run("that is still kept is told by Close", func(t *testing.T) {
		each(t, open, func(t *testing.T, w *world, way broken) {
			t.Parallel() // it waits for seconds, and measures nothing that is shorter
			c := w.warm(cacheme.Options{})
			way.by(w.wire)
			w.row.Store(2)
			_ = c.Invalidate(t.Context(), ShopChanged{ID: 1}) // the test before this one looks at it
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			began := time.Now()
			err := c.Close(ctx)
			var undelivered *cacheme.UndeliveredError
			if !errors.As(err, &undelivered) || undelivered.Pending != perWrite {
				t.Errorf("Close() = %v, want an *UndeliveredError with %d pending", err, perWrite)
			}
			if took := time.Since(began); took > 4*time.Second {
				t.Errorf("Close took %v, want it to end with its context of 2 s", took)
			}
			if err := c.Invalidate(t.Context(), ShopChanged{ID: 1}); !errors.Is(err, cacheme.ErrClosed) {
				t.Errorf("Invalidate() = %v after Close, want %v", err, cacheme.ErrClosed)
			}
		})
	})
	t.Run("that came once is told once, and never again when it was delivered", func(t *testing.T) {
		w := newWorld(t, open, settings[0].set)
		c := w.warm(cacheme.Options{})
		w.wire.Refuse()
		for range 5 {
			_ = c.Invalidate(t.Context(), ShopChanged{ID: 1})
		}
		if n := c.Stats().Pending; n != perWrite {
			t.Errorf("Stats().Pending = %d after five times the same, want %d", n, perWrite)
		}
		w.heal()
		w.eventually("it is delivered", func() bool { return c.Stats().Pending == 0 })
		if err := c.Close(t.Context()); err != nil {
			t.Errorf("Close() = %v, want nil: everything was delivered", err)
		}
	})
}

func (w *world) heal() {
	w.t.Helper()
	if err := w.wire.Heal(); err != nil {
		w.t.Fatal(err)
	}
}

// kept makes a write while Redis is away and looks at it from this process and, through a client whose way never broke,
// from another.
func kept(t *testing.T, w *world, way broken, c *cacheme.Cache, direct redis.UniversalClient) {
	t.Helper()
	other := w.cache(direct, suite.Patient(cacheme.Options{}))
	if v := w.get(other); v != 1 {
		t.Fatalf("Get() = %d in the other process, want 1", v)
	}
	way.by(w.wire)
	w.row.Store(2)
	err := c.Invalidate(t.Context(), ShopChanged{ID: 1})
	var undelivered *cacheme.UndeliveredError
	if !errors.As(err, &undelivered) || undelivered.Pending != perWrite || undelivered.Err == nil {
		t.Errorf("Invalidate() = %v, want an *UndeliveredError with %d pending and its cause", err, perWrite)
	}
	if n := c.Stats().Pending; n != perWrite {
		t.Errorf("Stats().Pending = %d, want %d", n, perWrite)
	}
	if n := w.events.count(cacheme.EventKept); n != 1 {
		t.Errorf("%d events %q, want 1", n, cacheme.EventKept)
	}
	for range 5 {
		if v := w.get(c); v != 2 {
			t.Errorf("Get() = %d in the process that wrote, want 2", v)
		}
	}
	w.heal()
	w.eventually("the write is delivered", func() bool {
		if v := w.get(c); v != 2 {
			t.Errorf("Get() = %d in the process that wrote, want 2", v)
		}
		return w.events.count(cacheme.EventDelivered) > 0
	})
	if n := c.Stats().Pending; n != 0 {
		t.Errorf("Stats().Pending = %d after the delivery, want 0", n)
	}
	if v := w.get(other); v != 2 {
		t.Errorf("Get() = %d in the other process after the delivery, want 2", v)
	}
}

// deliveredFirst opens the breaker, and lets readers go on asking over the return of Redis.
func deliveredFirst(t *testing.T, w *world, way broken) {
	t.Helper()
	log := &commands{}
	rdb := w.client()
	rdb.AddHook(log)
	c := w.cache(rdb, cacheme.Options{})
	w.eventually("the first value is cached", func() bool { w.get(c); return c.Stats().Hits > 0 })
	way.by(w.wire)
	w.eventually("the breaker opens", func() bool { w.get(c); return c.Stats().Away })
	w.row.Store(2)
	var undelivered *cacheme.UndeliveredError
	if err := c.Invalidate(t.Context(), ShopChanged{ID: 1}); !errors.As(err, &undelivered) {
		t.Fatalf("Invalidate() = %v, want an *UndeliveredError", err)
	}
	log.begin()
	w.heal()
	w.eventually("Redis is back", func() bool {
		if v := w.get(c); v != 2 {
			t.Errorf("Get() = %d, want 2", v)
		}
		return !c.Stats().Away
	})
	w.eventually("a read comes from the cache again", func() bool {
		before := c.Stats().Hits
		if v := w.get(c); v != 2 {
			t.Errorf("Get() = %d, want 2", v)
		}
		return c.Stats().Hits > before
	})
	look := "mget"
	if suite.IsCluster(rdb) {
		look = "get" // a pipeline of them
	}
	write, read := log.first("evalsha"), log.first(look)
	if write < 0 || read < 0 || read < write {
		t.Errorf("the first read was command %d and the first write %d after the return, want the write before it: %v", read, write, log.names())
	}
	order := w.events.order(cacheme.EventAway, cacheme.EventDelivered, cacheme.EventBack)
	if want := []cacheme.EventKind{cacheme.EventAway, cacheme.EventDelivered, cacheme.EventBack}; !slices.Equal(order, want) {
		t.Errorf("events = %v, want %v", order, want)
	}
}

// commands notes what goes to Redis, from the moment it is sent, and what may be trusted of it: errors are not noted.
type commands struct {
	on   atomic.Bool
	seen events // a Kind for each command
}

func (l *commands) begin() { l.on.Store(true) }

func (l *commands) DialHook(next redis.DialHook) redis.DialHook { return next }

func (l *commands) note(sent bool, cmds ...redis.Cmder) {
	for _, cmd := range cmds {
		if sent && cmd.Err() == nil {
			l.seen.see(context.Background(), cacheme.Event{Kind: cacheme.EventKind(cmd.Name())})
		}
	}
}

func (l *commands) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		sent := l.on.Load()
		err := next(ctx, cmd)
		l.note(sent, cmd)
		return err
	}
}

func (l *commands) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		sent := l.on.Load()
		err := next(ctx, cmds)
		l.note(sent, cmds...)
		return err
	}
}

func (l *commands) names() (out []string) {
	l.seen.mu.Lock()
	defer l.seen.mu.Unlock()
	for _, e := range l.seen.seen {
		out = append(out, string(e.Kind))
	}
	return out
}

func (l *commands) first(name string) int { return slices.Index(l.names(), name) }
