package cachetest_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
	"github.com/cacheme/cacheme/internal/guard"
)

// naive is a cache-aside as everybody writes it once: readers fill what they miss, writers delete what they change.
func naive(w *cachetest.World) {
	rdb, row := cachetest.New(w).Redis(), w.Row()
	read := func(ctx context.Context) (int, error) {
		version, err := rdb.Get(ctx, "book:7").Int()
		if !errors.Is(err, redis.Nil) {
			return version, err
		}
		version = row.Read(ctx)
		return version, rdb.Set(ctx, "book:7", version, time.Hour).Err()
	}
	w.Reads("reader", read)
	w.Reads("reader", read)
	w.Writes("writer", func(ctx context.Context, version int) error {
		row.Write(ctx, version)
		return rdb.Del(ctx, "book:7").Err()
	})
}

func TestExploreFindsTheStaleFillOfANaiveCache(t *testing.T) {
	t.Parallel()
	began := time.Now()
	story := failing(t, func(t testing.TB) { cachetest.Explore(t, naive) })
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v, want at most 5s", took)
	}
	t.Log(story, time.Since(began))
}

// Version is a node whose value is the version of its row.
type Version struct {
	cacheme.Node[int]
	ID int64 `cacheme:"field"`
}

func (Version) Meta() cacheme.Meta { return cacheme.Meta{Key: "version:<id>", TTL: ttl} }

func (v Version) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{BookChanged{ID: v.ID}} }

// Versions has its row as a result.
type Versions struct {
	cacheme.Node[int]
	Page int `cacheme:"field"`
}

func (Versions) Meta() cacheme.Meta { return cacheme.Meta{Key: "versions:<page>", TTL: ttl} }

func (Versions) ResultInvalidNodes(int) []cacheme.Invalid { return []cacheme.Invalid{BookChanged{ID: 7}} }

var _ = strconv.Itoa
var _ = strings.Join
var _ = fmt.Sprint
var _ guard.Set

func cached(w *cachetest.World) {
	cache, row := cachetest.New(w, Version{}, BookChanged{}), w.Row()
	load := func(ctx context.Context, _ Version) (int, error) { return row.Read(ctx), nil }
	for _, c := range []*cachetest.Cache{cache, cache.Peer()} {
		for range 2 {
			w.Reads("reader", func(ctx context.Context) (int, error) {
				return cacheme.GetFrom(ctx, c.Cache, Version{ID: 7}, load)
			})
		}
	}
	w.Writes("writer", func(ctx context.Context, version int) error {
		row.Write(ctx, version)
		return cache.Invalidate(ctx, BookChanged{ID: 7})
	})
}

func TestExploreFindsNothingInCacheme(t *testing.T) {
	t.Parallel()
	cachetest.Explore(t, cached)
}

// without is a service with rules of the protocol taken out: two processes on one Redis.
func without(rules guard.Set, rewrite func(string, string) string, node string) func(w *cachetest.World) {
	return func(w *cachetest.World) {
		kit, row := cachetest.New(w), w.Row()
		var caches []*cacheme.Cache
		for range 2 {
			c, err := cacheme.New(&guard.Client{UniversalClient: kit.Redis(), Rules: rules, Rewrite: rewrite},
				cacheme.Options{Budget: time.Hour, WriteBudget: time.Hour})
			if err == nil {
				err = c.Register(Version{}, Versions{}, BookChanged{})
			}
			if err == nil {
				err = c.Invalidate(w.Context(), BookChanged{ID: 8}) // learns the server
			}
			if err != nil {
				w.Fatal(err)
			}
			w.Cleanup(func() { _ = c.Close(context.Background()) })
			caches = append(caches, c)
		}
		for _, c := range caches {
			for range 2 {
				w.Reads("reader", func(ctx context.Context) (int, error) {
					if node == "result" {
						return cacheme.GetFrom(ctx, c, Versions{Page: 1}, func(ctx context.Context, _ Versions) (int, error) { return row.Read(ctx), nil })
					}
					return cacheme.GetFrom(ctx, c, Version{ID: 7}, func(ctx context.Context, _ Version) (int, error) { return row.Read(ctx), nil })
				})
			}
		}
		for range 2 {
			w.Writes("writer", func(ctx context.Context, version int) error {
				h, err := caches[0].Hold(ctx, BookChanged{ID: 7})
				if err != nil {
					return err
				}
				row.Write(ctx, version)
				return h.Commit(ctx)
			})
		}
	}
}

func TestGuards(t *testing.T) {
	names := strings.Fields("EqualTokens AbsentIsNotFresh HeldIsNotFresh CreateThenLoad ReadThenLoad TripSentAfterArrival JoinOnEqualTokens JoinNeverUnderHold JoinOnSameLease JoinBeforeLateRead JoinOnlyValid NextLoadAfterArrival LateIsOlder LateIsStrictlyOlder LateAbsentIsInvalid LateHeldIsInvalid LateHeldKeepsEntry LateNeedsSteadyClock")
	for _, node := range []string{"declared", "result"} {
		for r := guard.EqualTokens; r <= guard.LateNeedsSteadyClock; r++ {
			t.Run(node+names[r], func(t *testing.T) {
				t.Parallel()
				began := time.Now()
				story := failing(t, func(t testing.TB) {
					cachetest.ExploreWith(t, cachetest.Exploration{Schedules: 1000}, without(guard.Without(r), nil, node))
				})
				t.Log(story, time.Since(began))
			})
		}
	}
}
