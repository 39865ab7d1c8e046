package cost

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

func hits(t *testing.T, open suite.Open) {
	server := open(t)
	for deps := range int64(9) {
		t.Run(fmt.Sprintf("with %d declared dependencies is one command", deps), func(t *testing.T) {
			c := newCounted(t, server, suite.Prefix())
			warm(t, c, Item{ID: 1, Deps: deps})
			trips, _ := c.during(func() {
				if r, err := getItem(t, c.Cache, Item{ID: 1, Deps: deps}); err != nil || r.Tier != cacheme.TierRedis {
					t.Errorf("GetResult() = %+v, %v, want a hit", r, err)
				}
			})
			if want := []string{look(c.rdb)}; !slices.Equal(trips, want) {
				t.Errorf("round trips = %v, want %v", trips, want)
			}
		})
	}
	t.Run("with dependencies of its result is one command, for a process that has seen the entry", func(t *testing.T) {
		prefix := suite.Prefix()
		writer, reader := newCounted(t, server, prefix), newCounted(t, server, prefix)
		list := func(c counted) cacheme.Result[[]int64] {
			b := must[*cacheme.Bound[Listing, []int64]](t)(cacheme.Bind(c.Cache, func(context.Context, Listing) ([]int64, error) { return []int64{4, 5, 6}, nil }))
			return must[cacheme.Result[[]int64]](t)(b.GetResult(t.Context(), Listing{ID: 1}))
		}
		for range 5 {
			list(writer)
		}
		if r := list(reader); r.Tier != cacheme.TierRedis {
			t.Fatalf("GetResult() = %+v in the other process, want a hit", r)
		}
		trips, _ := reader.during(func() { list(reader) })
		if want := []string{look(reader.rdb)}; !slices.Equal(trips, want) {
			t.Errorf("round trips = %v, want %v", trips, want)
		}
	})
	t.Run("is seen by the hooks of a client however that is made", func(t *testing.T) {
		for name, set := range map[string]func(*redis.Options){
			"recommended": func(o *redis.Options) { o.ContextTimeoutEnabled = true },
			"default":     func(o *redis.Options) { *o = redis.Options{Addr: o.Addr, Dialer: o.Dialer} },
		} {
			n := &counter{}
			rdb := server.Client(set)
			rdb.AddHook(n)
			c := counted{suite.NewCache(t, rdb, suite.Patient(cacheme.Options{Prefix: suite.Prefix()}), declarations()...), n, rdb, ""}
			warm(t, c, Item{ID: 1, Deps: 3})
			trips, _ := c.during(func() { must[cacheme.Result[string]](t)(getItem(t, c.Cache, Item{ID: 1, Deps: 3})) })
			if want := []string{look(c.rdb)}; !slices.Equal(trips, want) {
				t.Errorf("the hook of a %s client saw %v, want %v: what traces a client has to see the cache", name, trips, want)
			}
		}
	})
}

// warm makes an entry that is read as a hit.
func warm(t testing.TB, c counted, i Item) {
	t.Helper()
	for range 10 {
		if r := must[cacheme.Result[string]](t)(getItem(t, c.Cache, i)); r.Tier == cacheme.TierRedis {
			return
		}
	}
	t.Fatal("ten reads in a row were no hit")
}

// look is the round trip by which a Get looks: on a cluster the keys are on several servers, which are asked at once.
func look(rdb redis.UniversalClient) string {
	if suite.IsCluster(rdb) {
		return "[get ...]"
	}
	return "mget"
}
