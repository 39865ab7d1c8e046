package near_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/embedded"
	"github.com/cacheme/cacheme/internal/near"
)

// newTestCache returns a cache that believes in its feed without having one.
func newTestCache(t testing.TB, size uint64) *near.Cache[string, weighed] {
	t.Helper()
	return newFedCache(t, near.Options{
		Size: size, Gullible: true,
		Feed: near.FeedOptions{
			Servers: func(context.Context) (map[string]redis.UniversalClient, error) { return nil, errors.New("none") },
		},
	})
}

const lag = time.Second

// newFedCache returns a cache of these options, without a pulse.
func newFedCache(t testing.TB, o near.Options) *near.Cache[string, weighed] {
	t.Helper()
	began := time.Now()
	o.Lag = lag
	o.Clock = func() (int64, uint64) {
		own := time.Since(began).Microseconds()
		return own, uint64(own) + 1
	}
	o.Feed.Pulse = func(context.Context) (string, error) { return "", errors.New("none") }
	c := near.New[string, weighed](o)
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return c
}

func keep(c *near.Cache[string, weighed], key string, until uint64, wires ...string) {
	s := c.Stretch([]string{key}, wires)
	defer s.Release()
	c.Keep(key, &near.Value[weighed]{What: weighed{value: key}, Until: until}, s, nil)
}

func has(c *near.Cache[string, weighed], key string) bool {
	_, _, ok := c.Get(key)
	return ok
}

const forever = 1 << 62

func TestCache(t *testing.T) {
	t.Parallel()
	t.Run("a value is served until one of its keys changes", func(t *testing.T) {
		t.Parallel()
		c := newTestCache(t, 1<<20)
		keep(c, "a", forever, "x", "y")
		keep(c, "b", forever, "y", "z")
		keep(c, "c", forever, "z")
		c.Wrong([]string{"unknown", "x"})
		if has(c, "a") || !has(c, "b") || !has(c, "c") {
			t.Error("x makes a wrong, and nothing else")
		}
		keep(c, "a", forever, "x", "y")
		if !has(c, "a") {
			t.Error("what was read after the change is served")
		}
		c.Wrong([]string{"y"})
		if has(c, "a") || has(c, "b") || !has(c, "c") {
			t.Error("y makes a and b wrong, and nothing else")
		}
		c.Wrong([]string{"c"})
		if has(c, "c") {
			t.Error("its own key makes c wrong")
		}
	})
	t.Run("a change between the look and its end counts", func(t *testing.T) {
		t.Parallel()
		c := newTestCache(t, 1<<20)
		s := c.Stretch([]string{"a", "x"})
		c.Wrong([]string{"x"})
		c.Keep("a", &near.Value[weighed]{Until: forever}, s, nil)
		s.Release()
		if has(c, "a") {
			t.Error("it was kept")
		}
	})
	t.Run("two values that found a key in different states", func(t *testing.T) {
		t.Parallel()
		c := newTestCache(t, 1<<20)
		for i, key := range []string{"a", "b"} {
			s := c.Stretch([]string{key, "x"})
			c.Keep(key, &near.Value[weighed]{Until: forever}, s, []uint64{0, uint64(i + 7)})
			s.Release()
		}
		if has(c, "a") || has(c, "b") {
			t.Error("the key changed without a word: neither may be served")
		}
		keep(c, "b", forever, "x")
		if !has(c, "b") {
			t.Error("whoever looks after that may be served")
		}
	})
	t.Run("Redis's time ends it", func(t *testing.T) {
		t.Parallel()
		c := newTestCache(t, 1<<20)
		keep(c, "a", 1, "x")
		if has(c, "a") {
			t.Error("it is over, and served")
		}
	})
	t.Run("after Close nothing is served", func(t *testing.T) {
		t.Parallel()
		c := newTestCache(t, 1<<20)
		keep(c, "a", forever, "x")
		if err := c.Close(context.Background()); err != nil {
			t.Errorf("Close() = %v", err)
		}
		if has(c, "a") {
			t.Error("it is served")
		}
		c.Stretch([]string{"a"}).Release()
	})
}

// A master of a cluster that goes may have said something that did not arrive any more. Expected: what was kept until then is
// forgotten, though all that are left are heard without a gap.
func TestCache_forgets_what_it_has_where_a_server_goes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		servers := map[string]redis.UniversalClient{}
		for _, name := range []string{"stays", "goes"} {
			server, err := embedded.Start(embedded.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(server.Close)
			servers[name] = server.Client()
		}
		left := map[string]redis.UniversalClient{"stays": servers["stays"]}
		var gone atomic.Bool
		c := newFedCache(t, near.Options{Size: 1 << 20, Feed: near.FeedOptions{
			Channel: "changes",
			Servers: func(context.Context) (map[string]redis.UniversalClient, error) {
				if gone.Load() {
					return left, nil
				}
				return servers, nil
			},
		}})
		c.Stretch().Release()
		time.Sleep(lag / 2)
		keep(c, "a", forever, "x")
		time.Sleep(2 * lag)
		if !has(c, "a") {
			t.Fatal("it is not served, though both servers are heard")
		}
		gone.Store(true)
		for range 30 {
			time.Sleep(lag / 10)
			if !c.Trusted() {
				t.Error("the one that is left is not trusted")
			}
		}
		if has(c, "a") {
			t.Error("it is still served")
		}
		keep(c, "a", forever, "x")
		if !has(c, "a") {
			t.Error("what is read after that is not served")
		}
	})
}
