package near_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/near"
)

// newTestCache returns a cache that believes in its feed without having one.
func newTestCache(t testing.TB, size uint64) *near.Cache[string, weighed] {
	t.Helper()
	began := time.Now()
	c := near.New[string, weighed](near.Options{
		Size: size, Lag: time.Second, Gullible: true,
		Clock: func() (int64, uint64) {
			own := time.Since(began).Microseconds()
			return own, uint64(own) + 1
		},
		Feed: near.FeedOptions{
			Servers: func(context.Context) (map[string]redis.UniversalClient, error) { return nil, errors.New("none") },
			Pulse:   func(context.Context) (string, error) { return "", errors.New("none") },
		},
	})
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

func TestCache(t *testing.T) {
	t.Parallel()
	has := func(c *near.Cache[string, weighed], key string) bool {
		_, _, ok := c.Get(key)
		return ok
	}
	const forever = 1 << 62
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
