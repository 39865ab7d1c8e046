package cost

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

func batches(t *testing.T, open suite.Open) {
	t.Run("of 100 cold keys is one read, one pipeline, one load and one fill", func(t *testing.T) {
		t.Parallel()
		c := newCounted(t, open(t), suite.Prefix())
		items := func(from int64) (out []Item) {
			for id := range int64(100) {
				out = append(out, Item{ID: from + id, Deps: 3})
			}
			return out
		}
		loads := 0
		get := func(items []Item) []string {
			return must[[]string](t)(cacheme.GetManyFrom(t.Context(), c.Cache, items, func(ctx context.Context, asked []Item) (map[Item]string, error) {
				loads++
				return loadItems(ctx, asked)
			}))
		}
		get(items(1000)) // brings the scripts along
		loads = 0
		trips, sent := c.during(func() { get(items(0)) })
		if want := []string{look(c.rdb), "[evalsha ...]", "[evalsha ...]"}; !slices.Equal(trips, want) || loads != 1 {
			t.Errorf("round trips = %v and %d loads, want %v and 1", trips, loads, want)
		}
		t.Logf("a cold batch: %v, %d commands", trips, sent)
		trips, _ = c.during(func() { get(items(0)) })
		if want := []string{look(c.rdb)}; !slices.Equal(trips, want) || loads != 1 {
			t.Errorf("round trips = %v and %d loads for a warm batch, want %v and none more", trips, loads, want)
		}
		values := get(items(0))
		for i, v := range values {
			if want := fmt.Sprint("item ", i); v != want {
				t.Fatalf("GetMany()[%d] = %q, want %q", i, v, want)
			}
		}
	})
	t.Run("whose results have dependencies has one late read more", func(t *testing.T) {
		t.Parallel()
		c := newCounted(t, open(t), suite.Prefix())
		get := func(from int64) []string {
			var asked []Listing
			for id := range int64(100) {
				asked = append(asked, Listing{ID: from + id})
			}
			trips, _ := c.during(func() {
				must[[][]int64](t)(cacheme.GetManyFrom(t.Context(), c.Cache, asked, func(_ context.Context, asked []Listing) (map[Listing][]int64, error) {
					found := map[Listing][]int64{}
					for _, l := range asked {
						found[l] = []int64{l.ID, l.ID + 1}
					}
					return found, nil
				}))
			})
			return trips
		}
		get(1000)
		trips := get(0)
		// What was found has no tokens yet, so that its first load is born invalid, and told again or not; but one
		// round of a batch is never more than these four.
		if want := look(c.rdb) + " [evalsha ...] [evalsha ...] [evalsha ...]"; strings.Join(trips, " ") != want {
			t.Errorf("round trips = %v, want %v", trips, want)
		}
	})
	t.Run("and another that overlap crosswise in two processes never wait for each other for ever", func(t *testing.T) {
		t.Parallel()
		crosswise(t, open)
	})
}

// crosswise has two processes ask for the same keys in opposite order, each while the other already loads some of them.
func crosswise(t *testing.T, open suite.Open) {
	t.Helper()
	server, prefix := open(t), suite.Prefix()
	caches := []counted{newCounted(t, server, prefix), newCounted(t, server, prefix)}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for round := range suite.Count(200) {
		base := int64(round * 100)
		// Each process leads one key that the other's batch wants, until both batches are under way.
		release := make(chan struct{})
		var leading, batching, done sync.WaitGroup
		for i, c := range caches {
			leading.Add(1)
			done.Go(func() {
				_, err := cacheme.GetFrom(ctx, c.Cache, Item{ID: base + int64(i)}, func(ctx context.Context, item Item) (string, error) {
					leading.Done()
					<-release
					return loadItem(ctx, item)
				})
				if err != nil {
					t.Errorf("Get() = %v", err)
				}
			})
		}
		leading.Wait()
		for i, c := range caches {
			batching.Add(1)
			done.Go(func() {
				items := []Item{{ID: base}, {ID: base + 1}, {ID: base + 2}, {ID: base + 3}, {ID: base + 4 + int64(i)}}
				if i == 1 {
					slices.Reverse(items)
				}
				var once sync.Once
				values, err := cacheme.GetManyFrom(ctx, c.Cache, items, func(ctx context.Context, asked []Item) (map[Item]string, error) {
					once.Do(batching.Done)
					return loadItems(ctx, asked)
				})
				if err != nil {
					t.Errorf("GetMany() = %v", err)
				}
				for n, item := range items {
					if want := fmt.Sprint("item ", item.ID); err == nil && values[n] != want {
						t.Errorf("GetMany()[%d] = %q, want %q", n, values[n], want)
					}
				}
			})
		}
		batching.Wait() // each batch leads its last key at least, which the other does not ask for
		close(release)
		done.Wait()
		if ctx.Err() != nil {
			t.Fatalf("round %d did not end within a minute", round)
		}
	}
}
