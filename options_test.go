package cacheme_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
	"github.com/cacheme/cacheme/internal/embedded"
)

func TestNewRefusesOptionsThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	server, err := embedded.Start(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	for _, c := range []struct {
		name string
		give cacheme.Options
		want string
	}{
		{
			"all negative",
			cacheme.Options{TTL: -1, Stale: -2, StaleIfError: -3, HerdWait: -4, HerdRetries: -5, Lease: -6, LoadTimeout: -7, Hold: -8, Budget: -9, WriteBudget: -10, MaxValue: -11, CompressOver: -12},
			"cacheme: cacheme.Options: TTL is negative: -1ns; leave it out for the default; Stale is negative: -2ns; leave it out for the default; StaleIfError is negative: -3ns; leave it out for the default; HerdWait is negative: -4ns; leave it out for the default; " +
				"Lease is negative: -6ns; leave it out for the default; LoadTimeout is negative: -7ns; leave it out for the default; Hold is negative: -8ns; leave it out for the default; Budget is negative: -9ns; leave it out for the default; WriteBudget is negative: -10ns; leave it out for the default; " +
				"HerdRetries is negative: -5; leave it out for the default; MaxValue is negative: -11; leave it out for the default; CompressOver is negative: -12; leave it out for the default",
		},
		{"large values", cacheme.Options{MaxValue: 8<<20 + 1}, "cacheme: cacheme.Options: MaxValue is 8388609: at most 8388608 (8 MiB)"},
		{"short lease", cacheme.Options{Lease: 9 * time.Millisecond}, "cacheme: cacheme.Options: Lease is 9ms: at least 10ms, or every slow moment would end it"},
		{"short hold", cacheme.Options{Hold: time.Microsecond}, "cacheme: cacheme.Options: Hold is 1µs: at least 10ms, or every slow moment would end it"},
		{"brace", cacheme.Options{Prefix: "{shop}:"}, `cacheme: cacheme.Options: Prefix "{shop}:" holds a brace: entries use them to choose their slot, write a prefix without`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cache, err := cacheme.New(server.Client(), c.give)
			var usage *cacheme.UsageError
			if cache != nil || !errors.As(err, &usage) {
				t.Fatalf("New = %v, %v, want a *UsageError", cache, err)
			}
			if got := err.Error(); got != c.want {
				t.Errorf("New says\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestNewRefusesClientsThatCannotWork(t *testing.T) {
	t.Parallel()
	ring := redis.NewRing(&redis.RingOptions{})
	defer ring.Close()
	for want, rdb := range map[string]redis.UniversalClient{
		"cacheme: cacheme.New: got no Redis client; give it a *redis.Client or *redis.ClusterClient":                    nil,
		"cacheme: cacheme.New: got a *redis.Ring, whose servers know nothing of each other; use a *redis.ClusterClient": ring,
	} {
		if _, err := cacheme.New(rdb, cacheme.Options{}); err == nil || err.Error() != want {
			t.Errorf("New = %v, want %s", err, want)
		}
	}
}

// The smallest settings that are allowed.
func TestNewAcceptsTheEdge(t *testing.T) {
	t.Parallel()
	cachetest.NewWith(t, cacheme.Options{
		TTL: time.Millisecond, HerdWait: 1, HerdRetries: 1, Lease: 10 * time.Millisecond, Hold: 10 * time.Millisecond, MaxValue: 8 << 20, CompressOver: 1, Prefix: "ü\n*[",
	})
}

func TestDefaultsHoldUntilSaidOtherwise(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	plain := cachetest.New(t, keyNumbered{})
	get := func(c *cachetest.Cache, opts ...cacheme.CallOption) {
		t.Helper()
		if _, err := cacheme.GetFrom(ctx, c.Cache, keyNumbered{ID: 1}, func(context.Context, keyNumbered) (string, error) { return "v", nil }, opts...); err != nil {
			t.Fatal(err)
		}
	}
	life := func(c *cachetest.Cache, key string) time.Duration {
		t.Helper()
		d, err := c.Redis().PTTL(ctx, key).Result()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	within := func(what string, got, want time.Duration) {
		t.Helper()
		if got > want || got < want*9/10-time.Second {
			t.Errorf("%s lives %v, want nine tenths to all of %v", what, got, want)
		}
	}
	get(plain)
	within("an entry by default", life(plain, "CM:{numbered:1}"), time.Hour)
	if !plain.Enabled() {
		t.Error("a new cache is off")
	}

	mine := cachetest.NewWith(t, cacheme.Options{Prefix: "mine:", TTL: time.Minute, Disabled: true}, keyNumbered{})
	if mine.Enabled() {
		t.Error("a cache with Disabled is on")
	}
	get(mine)
	if n := mine.Redis().Exists(ctx, "mine:{numbered:1}").Val(); n != 0 {
		t.Error("a disabled cache stores")
	}
	mine.Enable()
	get(mine)
	within("an entry by option", life(mine, "mine:{numbered:1}"), time.Minute)
	if err := mine.Remove(ctx, keyNumbered{ID: 1}); err != nil {
		t.Fatal(err)
	}
	get(mine, cacheme.TTL(time.Hour))
	within("an entry by call", life(mine, "mine:{numbered:1}"), time.Hour)
}

func TestValueOverMaxValueIsReturnedAndNotStored(t *testing.T) {
	t.Parallel()
	var reasons []string
	cache := cachetest.NewWith(t, cacheme.Options{MaxValue: 100, Observer: func(_ context.Context, e cacheme.Event) {
		if e.Kind == cacheme.EventNotStored {
			reasons = append(reasons, e.Reason)
		}
	}}, keyNumbered{})
	long := make([]byte, 200)
	for range 2 {
		v, err := cacheme.GetFrom(context.Background(), cache.Cache, keyNumbered{ID: 1}, func(context.Context, keyNumbered) (string, error) { return string(long), nil })
		if v != string(long) || err != nil {
			t.Fatalf("GetFrom = %d bytes, %v", len(v), err)
		}
	}
	if want := []string{"it is larger than MaxValue", "it is larger than MaxValue"}; !reflect.DeepEqual(reasons, want) {
		t.Errorf("reasons = %v, want %v", reasons, want)
	}
}
