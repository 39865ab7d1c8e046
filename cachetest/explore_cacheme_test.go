package cachetest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/suite"
)

// service is two processes on one Redis, with some rules of the protocol taken out.
func service(w *cachetest.World, off guard.Set) (caches []*cacheme.Cache) {
	rdb := cachetest.New(w).Redis()
	for range 2 {
		c, err := cacheme.New(&guard.Client{UniversalClient: rdb, Rules: off}, cacheme.Options{Budget: time.Hour, WriteBudget: time.Hour})
		if err == nil {
			err = c.Register(Version{}, Found{}, BookChanged{})
		}
		if err == nil {
			err = c.Invalidate(w.Context(), BookChanged{ID: 8}) // it knows its Redis from here on
		}
		if err != nil {
			w.Fatal(err)
		}
		w.Cleanup(func() { _ = c.Close(context.Background()) })
		caches = append(caches, c)
	}
	return caches
}

// declared has readers of a node whose dependency is declared, found those of one that depends on its result.
func declared(row *cachetest.Row, c *cacheme.Cache) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		return cacheme.GetFrom(ctx, c, Version{ID: 7}, func(ctx context.Context, _ Version) (int, error) { return row.Read(ctx), nil })
	}
}

func found(row *cachetest.Row, c *cacheme.Cache) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		return cacheme.GetFrom(ctx, c, Found{Page: 1}, func(ctx context.Context, _ Found) (int, error) { return row.Read(ctx), nil })
	}
}

// invalidated tells of a write when it is made, held holds the outcome open around its COMMIT.
func invalidated(row *cachetest.Row, c *cacheme.Cache) func(context.Context, int) error {
	return func(ctx context.Context, version int) error {
		row.Write(ctx, version)
		return c.Invalidate(ctx, BookChanged{ID: 7})
	}
}

func held(row *cachetest.Row, c *cacheme.Cache) func(context.Context, int) error {
	return func(ctx context.Context, version int) error {
		h, err := c.Hold(ctx, BookChanged{ID: 7})
		if err != nil {
			return err
		}
		row.Write(ctx, version)
		return h.Commit(ctx)
	}
}

type (
	reader = func(*cachetest.Row, *cacheme.Cache) func(context.Context) (int, error)
	writer = func(*cachetest.Row, *cacheme.Cache) func(context.Context, int) error
)

// crowd is two readers in each process, and two writers in the first.
func crowd(off guard.Set, read reader, write writer) func(*cachetest.World) {
	return func(w *cachetest.World) {
		row, caches := w.Row(), service(w, off)
		for _, c := range caches {
			for range 2 {
				w.Reads("reader", read(row, c))
			}
		}
		for range 2 {
			w.Writes("writer", write(row, caches[0]))
		}
	}
}

func TestExploreFindsNothingInCacheme(t *testing.T) {
	t.Parallel()
	for name, setup := range map[string]func(*cachetest.World){
		"declared, invalidated": crowd(0, declared, invalidated),
		"declared, held":        crowd(0, declared, held),
		"results, invalidated":  crowd(0, found, invalidated),
		"results, held":         crowd(0, found, held),
		"a peer that writes": func(w *cachetest.World) {
			row, cache := w.Row(), cachetest.New(w, Version{}, BookChanged{})
			w.Reads("reader", declared(row, cache.Cache))
			w.Writes("writer", held(row, cache.Peer().Cache))
			w.Writes("writer", invalidated(row, cache.Cache))
		},
		"a peer that is paused past its hold": func(w *cachetest.World) {
			row, cache := w.Row(), cachetest.New(w, Version{}, BookChanged{})
			w.Reads("reader", declared(row, cache.Cache))
			w.Reads("reader", declared(row, cache.Cache))
			w.Writes("writer", held(row, cache.Peer().Cache))
			w.Go("time", func(ctx context.Context) {
				cachetest.Step(ctx, "a hold passes")
				cache.Advance(cache.HoldTime() + time.Second)
			})
		},
		"a Redis that loses all": func(w *cachetest.World) {
			row, cache := w.Row(), cachetest.New(w, Version{}, BookChanged{})
			w.Reads("reader", declared(row, cache.Cache))
			w.Writes("writer", held(row, cache.Cache))
			w.Go("redis", func(ctx context.Context) {
				cachetest.Step(ctx, "loses all")
				cache.FlushAll()
			})
		},
		"a Redis that goes away and returns": func(w *cachetest.World) {
			row, cache := w.Row(), cachetest.New(w, Version{}, BookChanged{})
			w.Reads("reader", declared(row, cache.Cache))
			w.Reads("reader", declared(row, cache.Cache))
			w.Writes("writer", func(ctx context.Context, version int) error {
				_ = invalidated(row, cache.Cache)(ctx, version) // it is kept, and delivered on return
				return nil
			})
			w.Go("redis", func(ctx context.Context) {
				cachetest.Step(ctx, "goes away")
				cache.Down()
				cachetest.Step(ctx, "returns")
				cache.Up()
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cachetest.ExploreWith(t, cachetest.Exploration{Schedules: suite.Count(600)}, setup)
		})
	}
}

func TestExploreFindsTheRuleThatIsMissing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		off   guard.Rule
		read  reader
		write writer
	}{
		"entries count as fresh whatever their tokens": {guard.EqualTokens, declared, held},
		"a token under a hold counts":                  {guard.HeldIsNotFresh, declared, held},
		"no tokens are made before the load":           {guard.CreateThenLoad, declared, held},
		"tokens are read after the load":               {guard.ReadThenLoad, declared, invalidated},
		"whoever comes joins the load under way":       {guard.JoinOnEqualTokens, declared, held},
		"results count as fresh whatever their tokens": {guard.EqualTokens, found, invalidated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			story := explored(t, cachetest.Exploration{}, crowd(guard.Without(c.off), c.read, c.write))
			if !strings.Contains(story, ", want v") {
				t.Errorf("Explore found nothing without the rule: %q", story)
			}
			t.Log(story)
		})
	}
}
