package outage

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// patient is a client that would wait for ever, and a cache whose budgets would let it: nothing but the context is left
// to end a call.
func patient(o *redis.Options) {
	*o = redis.Options{Addr: o.Addr, Dialer: o.Dialer, DialTimeout: time.Hour, ReadTimeout: -1, WriteTimeout: -1, PoolTimeout: time.Hour}
}

var noBudgets = cacheme.Options{Budget: time.Hour, WriteBudget: time.Hour}

func deadlines(t *testing.T, open suite.Open) {
	source := func(context.Context, Price) (int64, error) { return 1, nil }
	for _, op := range []struct {
		name string
		call func(ctx context.Context, c *cacheme.Cache) error
	}{
		{"Get", func(ctx context.Context, c *cacheme.Cache) error {
			_, err := cacheme.GetFrom(ctx, c, Price{Shop: 1}, source)
			return err
		}},
		{"GetMany", func(ctx context.Context, c *cacheme.Cache) error {
			_, err := cacheme.GetManyFrom(ctx, c, []Price{{Shop: 1}, {Shop: 2}}, func(context.Context, []Price) (map[Price]int64, error) { return nil, nil })
			return err
		}},
		{"Refresh", func(ctx context.Context, c *cacheme.Cache) error {
			b, err := cacheme.Bind(c, source)
			if err == nil {
				_, err = b.Refresh(ctx, Price{Shop: 1})
			}
			return err
		}},
		{"Peek", func(ctx context.Context, c *cacheme.Cache) error {
			b, err := cacheme.Bind(c, source)
			if err == nil {
				_, err = b.Peek(ctx, Price{Shop: 1})
			}
			return err
		}},
		{"Set", func(ctx context.Context, c *cacheme.Cache) error {
			b, err := cacheme.Bind(c, source)
			if err == nil {
				err = b.Set(ctx, Price{Shop: 1}, 1)
			}
			return err
		}},
		{"Invalidate", func(ctx context.Context, c *cacheme.Cache) error { return c.Invalidate(ctx, ShopChanged{ID: 1}) }},
		{"Remove", func(ctx context.Context, c *cacheme.Cache) error { return c.Remove(ctx, Price{Shop: 1}) }},
		{"RemovePattern", func(ctx context.Context, c *cacheme.Cache) error {
			_, err := c.RemovePattern(ctx, "shop:*")
			return err
		}},
		{"Count", func(ctx context.Context, c *cacheme.Cache) error {
			_, err := c.Count(ctx, Price{})
			return err
		}},
		{"Hold", func(ctx context.Context, c *cacheme.Cache) error {
			_, err := c.Hold(ctx, ShopChanged{ID: 1})
			return err
		}},
	} {
		t.Run("bounds "+op.name+" on a client that knows none", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, open, patient)
			c := w.warm(noBudgets)
			w.wire.BlackHole()
			defer w.heal()
			inDeadline(t, func(ctx context.Context) error { return op.call(ctx, c) })
		})
	}
	for _, setting := range settings {
		t.Run("that is too short says nothing of Redis, "+setting.name+" client", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, open, setting.set)
			c := w.warm(cacheme.Options{Budget: 5 * time.Second, WriteBudget: 5 * time.Second})
			w.wire.Delay(50 * time.Millisecond)
			for range 20 {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
				_, _ = cacheme.GetFrom(ctx, c, Price{Shop: 1}, source) // in the last moment it may even succeed
				cancel()
				if c.Stats().Away {
					t.Fatal("the breaker is open, for a Redis that answers within 50 ms, a hundredth of the budget")
				}
			}
		})
	}
	t.Run("bounds the wait for another process on a network that takes no new connection", func(t *testing.T) {
		t.Parallel()
		waitingForAnother(t, open)
	})
}

// inDeadline wants a call to end with its context.
func inDeadline(t *testing.T, call func(ctx context.Context) error) {
	t.Helper()
	const deadline = 100 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	began := time.Now()
	returned := make(chan error, 1)
	go func() { returned <- call(ctx) }()
	select {
	case err := <-returned:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it returned %v, want context.DeadlineExceeded", err)
		}
		t.Logf("returned after %v", time.Since(began))
	case <-time.After(deadline + 3*time.Second):
		t.Errorf("it did not return within 3 s after its deadline")
	}
}

// waitingForAnother has another process at work, so that the caller waits for its wake-up call: for that the cache has
// to subscribe, on a connection of its own.
func waitingForAnother(t *testing.T, open suite.Open) {
	t.Helper()
	w := newWorld(t, open, patient)
	other := w.cache(w.server.Client(), suite.Patient(cacheme.Options{}))
	began, release := make(chan struct{}), make(chan struct{})
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		_, _ = cacheme.GetFrom(context.Background(), other, Price{Shop: 5}, func(context.Context, Price) (int64, error) {
			close(began)
			<-release
			return 5, nil
		})
	}()
	<-began

	var hang atomic.Bool
	over := make(chan struct{})
	rdb := w.client(func(o *redis.Options) {
		next := o.Dialer
		if next == nil {
			next = (&net.Dialer{}).DialContext
		}
		o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if hang.Load() {
				select {
				case <-ctx.Done():
					return nil, ctx.Err()
				case <-over:
				}
			}
			return next(ctx, network, addr)
		}
	})
	c := w.cache(rdb, noBudgets)
	w.eventually("the cache has a connection", func() bool { w.get(c); return c.Stats().Hits > 0 })
	hang.Store(true)
	inDeadline(t, func(ctx context.Context) error {
		_, err := cacheme.GetFrom(ctx, c, Price{Shop: 5}, w.read)
		return err
	})
	close(over)
	close(release)
	<-loaded
}
