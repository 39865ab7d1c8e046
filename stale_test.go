package cacheme_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// staleNode may stand in for ten minutes, and for a failed load for twenty.
type staleNode struct {
	cacheme.Node[string]
	ID int64 `cacheme:"field"`
}

func (staleNode) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "stale:<id>", TTL: time.Hour, Stale: 10 * time.Minute, StaleIfError: 20 * time.Minute}
}

func (s staleNode) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{goodChange{ID: s.ID}} }

// elsewhere is another process on the same server: its writes are not the first one's own.
func elsewhere(t *testing.T, c *cachetest.Cache) *cacheme.Cache {
	t.Helper()
	other, err := cacheme.New(c.Redis(), cacheme.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close(context.Background()) })
	if err := other.Register(staleNode{}, goodChange{}); err != nil {
		t.Fatal(err)
	}
	return other
}

// while runs a call while a load of the node goes on, and ends the load when the call is back, or waits itself.
func while(t *testing.T, c *cachetest.Cache, call func(b *cacheme.Bound[staleNode, string], onMiss cacheme.CallOption) (cacheme.Result[string], error)) (cacheme.Result[string], error) {
	t.Helper()
	entered, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	b, err := cacheme.Bind(c.Cache, func(context.Context, staleNode) (string, error) {
		close(entered)
		<-release
		return "new", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(done)
		if v, err := b.Get(context.Background(), staleNode{ID: 1}); v != "new" || err != nil {
			t.Errorf("the loading Get = %q, %v", v, err)
		}
	}()
	<-entered
	waits := make(chan struct{}, 1)
	type outcome struct {
		r   cacheme.Result[string]
		err error
	}
	back := make(chan outcome, 1)
	go func() {
		r, err := call(b, cacheme.OnMiss(func(context.Context, string) { waits <- struct{}{} }))
		back <- outcome{r, err}
	}()
	var o outcome
	select {
	case o = <-back:
		close(release)
	case <-waits:
		close(release)
		o = <-back
	}
	<-done
	return o.r, o.err
}

func second(b *cacheme.Bound[staleNode, string], onMiss cacheme.CallOption) (cacheme.Result[string], error) {
	return b.GetResult(context.Background(), staleNode{ID: 1}, onMiss)
}

func TestOldValueStandsInForTheStatedAgeOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		age    time.Duration // after the invalidation
		expire bool          // or the expiry
		own    bool
		want   string
	}{
		{"just invalidated", 0, false, false, "old"},
		{"nine minutes ago", 9 * time.Minute, false, false, "old"},
		{"eleven minutes ago", 11 * time.Minute, false, false, "new"},
		{"expired nine minutes ago at most", 69*time.Minute - 6*time.Minute, true, false, "old"},
		{"expired eleven minutes ago", 71 * time.Minute, true, false, "new"},
		{"invalidated by this process itself", 0, false, true, "new"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cache := cachetest.New(t, staleNode{}, goodChange{})
			writer := elsewhere(t, cache)
			if c.own {
				writer = cache.Cache
			}
			ctx := context.Background()
			if _, err := cacheme.GetFrom(ctx, cache.Cache, staleNode{ID: 1}, func(context.Context, staleNode) (string, error) { return "old", nil }); err != nil {
				t.Fatal(err)
			}
			cache.Advance(time.Minute)
			if !c.expire {
				if err := writer.Invalidate(ctx, goodChange{ID: 1}); err != nil {
					t.Fatal(err)
				}
			}
			cache.Advance(c.age)
			r, err := while(t, cache, second)
			if err != nil || r.Value != c.want || r.Stale != (c.want == "old") {
				t.Errorf("GetResult while loading = %+v, %v, want %q", r, err, c.want)
			}
			if r.Stale && (r.Tier != cacheme.TierRedis || r.Age < c.age+time.Minute) {
				t.Errorf("GetResult = %+v, want it from redis and older than %v", r, c.age+time.Minute)
			}
		})
	}
}

func TestFirstReaderAfterAnInvalidationLoads(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, staleNode{}, goodChange{})
	load := func(context.Context, staleNode) (string, error) { return "x", nil }
	ctx := context.Background()
	for range 3 {
		if _, err := cacheme.GetFrom(ctx, cache.Cache, staleNode{ID: 1}, load); err != nil {
			t.Fatal(err)
		}
		if err := elsewhere(t, cache).Invalidate(ctx, goodChange{ID: 1}); err != nil {
			t.Fatal(err)
		}
		if r, err := peekAt(cache, staleNode{ID: 1}); !errors.Is(err, cacheme.ErrNoEntry) {
			t.Errorf("Peek = %+v, %v, want no entry: an old value stands in only while somebody loads", r, err)
		}
	}
	if n := cache.LoadsOf(staleNode{ID: 1}); n != 3 {
		t.Errorf("%d loads for three invalidations, want 3: nobody else was at work", n)
	}
}

func TestOldValueStandsInForAFailedLoad(t *testing.T) {
	t.Parallel()
	broken := errors.New("the database is down")
	for _, c := range []struct {
		name string
		age  time.Duration
		own  bool
		want error
	}{
		{"at once", 0, false, nil},
		{"nineteen minutes later", 19 * time.Minute, false, nil},
		{"twenty-one minutes later", 21 * time.Minute, false, broken},
		{"after an own write", 0, true, broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cache := cachetest.New(t, staleNode{}, goodChange{})
			writer := elsewhere(t, cache)
			if c.own {
				writer = cache.Cache
			}
			ctx := context.Background()
			b, err := cacheme.Bind(cache.Cache, func(ctx context.Context, _ staleNode) (string, error) {
				if ctx.Value(brokenKey{}) != nil {
					return "", broken
				}
				return "old", nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Get(ctx, staleNode{ID: 1}); err != nil {
				t.Fatal(err)
			}
			if err := writer.Invalidate(ctx, goodChange{ID: 1}); err != nil {
				t.Fatal(err)
			}
			cache.Advance(c.age)
			r, err := b.GetResult(context.WithValue(ctx, brokenKey{}, true), staleNode{ID: 1})
			if !errors.Is(err, c.want) || err == nil && (r.Value != "old" || !r.Stale) {
				t.Errorf("GetResult = %+v, %v, want %v", r, err, c.want)
			}
			if v, err := b.Get(ctx, staleNode{ID: 1}); v != "old" || err != nil {
				t.Errorf("Get with the database back = %q, %v", v, err)
			}
		})
	}
}

type brokenKey struct{}
