package cost

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

func memory(t *testing.T, open suite.Open) {
	t.Run("of an entry with 3 dependencies is at most 150 bytes over its value", func(t *testing.T) {
		t.Parallel()
		c := newCounted(t, open(t), suite.Prefix())
		value := strings.Repeat("v", 1000)
		b := must[*cacheme.Bound[Item, string]](t)(cacheme.Bind(c.Cache, func(context.Context, Item) (string, error) { return value, nil }))
		must[string](t)(b.Get(t.Context(), Item{ID: 1, Deps: 3}))
		stored := must[int64](t)(c.rdb.StrLen(t.Context(), c.prefix+"{item:1:3}").Result())
		over := stored - int64(len(value))
		t.Logf("an entry of a %d byte string, with 3 rows, their table and its class: %d bytes over", len(value), over)
		if over <= 0 || over > 150 {
			t.Errorf("the entry has %d bytes over its value, want 1 to 150", over)
		}
	})
	t.Run("of a token is at most 200 bytes", func(t *testing.T) {
		t.Parallel()
		c := newCounted(t, open(t), suite.Prefix())
		must[string](t)(cacheme.GetFrom(t.Context(), c.Cache, Item{ID: 1, Deps: 3}, loadItem))
		tokens := 0
		for _, key := range keys(t, c.rdb, c.prefix+"*:invalid") {
			tokens++
			record := must[int64](t)(c.rdb.StrLen(t.Context(), key).Result())
			size := int64(len(key)) + record
			inside, err := c.rdb.MemoryUsage(t.Context(), key).Result()
			if err != nil {
				inside = 0 // the server cannot tell
			}
			t.Logf("%s: %d bytes of key and value, %d in the server's memory", key, size, inside)
			// Four more are Redis's own, and its allocator has 64 and then 80.
			if record > 60 {
				t.Errorf("the record of %s has %d bytes, want at most 60 before it is written to", key, record)
			}
			if size > 200 {
				t.Errorf("the token %s takes %d bytes, want at most 200", key, size)
			}
			if strings.Contains(key, ":row:") && inside > 200 {
				t.Errorf("the token %s takes %d bytes of the server's memory, want at most 200", key, inside)
			}
		}
		if tokens != 5 {
			t.Errorf("%d tokens, want 5: 3 rows, their table, the class", tokens)
		}
	})
	t.Run("is given back: whatever was done, no key lacks a TTL", func(t *testing.T) {
		t.Parallel()
		c := newCounted(t, open(t), suite.Prefix())
		everything(t, c)
		all := keys(t, c.rdb, "*")
		if len(all) < 20 {
			t.Fatalf("only %d keys: %v", len(all), all)
		}
		suite.EveryKeyHasATTL(t, c.rdb, "")
	})
}

func keys(t testing.TB, rdb redis.UniversalClient, pattern string) []string {
	t.Helper()
	return must[[]string](t)(suite.Keys(t.Context(), rdb, pattern))
}

// everything does what a cache can do, and leaves what it may leave: holds that nobody ends, a load that does not return
// its lease, tokens that nobody needs.
func everything(t *testing.T, c counted) {
	t.Helper()
	ctx := t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for id := range int64(5) {
		for range 3 {
			_, err := cacheme.GetFrom(ctx, c.Cache, Item{ID: id, Deps: id}, loadItem)
			check(err)
			_, err = cacheme.GetFrom(ctx, c.Cache, Listing{ID: id}, func(context.Context, Listing) ([]int64, error) { return []int64{id, id + 20}, nil })
			check(err)
			_, err = cacheme.GetFrom(ctx, c.Cache, Part{ID: id}, func(context.Context, Part) (string, error) { return "part", nil })
			check(err)
		}
		check(c.Invalidate(ctx, ItemChanged{ID: id}, ItemChanged{ID: 1000 + id}, cacheme.Tag(fmt.Sprint("tag ", id))))
		check(c.Invalidate(ctx, cacheme.Class[Part](), cacheme.Main(Part{ID: id}), cacheme.Table("nobody_needs_it")))
	}
	if _, err := cacheme.GetFrom(ctx, c.Cache, Listing{ID: 77}, func(context.Context, Listing) ([]int64, error) { return nil, cacheme.ErrNotFound }); !errors.Is(err, cacheme.ErrNotFound) {
		t.Fatalf("Get() = %v, want %v", err, cacheme.ErrNotFound)
	}
	b := must[*cacheme.Bound[Item, string]](t)(cacheme.Bind(c.Cache, loadItem))
	check(b.Set(ctx, Item{ID: 50, Deps: 2}, "set"))
	_, err := b.Refresh(ctx, Item{ID: 51, Deps: 2})
	check(err)
	check(c.Remove(ctx, Item{ID: 51, Deps: 2}))

	committed := must[*cacheme.Hold](t)(c.Hold(ctx, ItemChanged{ID: 1}))
	check(committed.Commit(ctx))
	rolledBack := must[*cacheme.Hold](t)(c.Hold(ctx, ItemChanged{ID: 2}))
	check(rolledBack.Rollback(ctx))
	inDoubt := must[*cacheme.Hold](t)(c.Hold(ctx, ItemChanged{ID: 3}))
	check(inDoubt.Doubt(ctx))
	must[*cacheme.Hold](t)(c.Hold(ctx, ItemChanged{ID: 4}, ItemChanged{ID: 4000})) // its process dies

	// The lease and what the load began with are there while it runs.
	began, release := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(release) })
	go func() {
		_, _ = cacheme.GetFrom(context.WithoutCancel(ctx), c.Cache, Item{ID: 60, Deps: 1}, func(context.Context, Item) (string, error) {
			close(began)
			<-release
			return "", nil
		})
	}()
	<-began
}
