package cachetest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// naive is a cache-aside as everybody writes it once: readers store what they loaded, writers delete what they changed.
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

// steps are the numbered lines of a story.
func steps(story string) (lines []string) {
	for line := range strings.Lines(story) {
		var n int
		if _, err := fmt.Sscanf(line, " %d ", &n); err == nil {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func explored(t *testing.T, e cachetest.Exploration, setup func(*cachetest.World)) (story string) {
	t.Helper()
	return failing(t, func(t testing.TB) { cachetest.ExploreWith(t, e, setup) })
}

func TestExploreFindsTheStaleFillOfANaiveCache(t *testing.T) {
	t.Parallel()
	began := time.Now()
	story := explored(t, cachetest.Exploration{}, naive)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v, want at most 5s", took)
	}
	if n := len(steps(story)); n == 0 || n > 6 {
		t.Errorf("%d steps, want 1 to 6:\n%s", n, story)
	}
	if !strings.Contains(story, "gets v1, want v2") {
		t.Errorf("it does not say what was old:\n%s", story)
	}
	t.Log(story)
}

func TestExploreRepeatsAndShrinksByItsSeed(t *testing.T) {
	t.Parallel()
	story := explored(t, cachetest.Exploration{}, naive)
	_, rest, _ := strings.Cut(story, "Exploration{Seed: ")
	var seed uint64
	if _, err := fmt.Sscanf(rest, "%d", &seed); err != nil {
		t.Fatalf("no seed in:\n%s", story)
	}
	again := explored(t, cachetest.Exploration{Seed: seed, Schedules: 1}, naive)
	if diff := cmp.Diff(steps(story), steps(again)); diff != "" {
		t.Errorf("the steps of the same seed (-first +again):\n%s", diff)
	}
}

func TestExploreTriesOtherOrdersWithOtherSeeds(t *testing.T) {
	t.Parallel()
	orders := map[string]bool{}
	for seed := range uint64(20) {
		var order []int
		cachetest.ExploreWith(t, cachetest.Exploration{Seed: seed + 1, Schedules: 1}, func(w *cachetest.World) {
			for i := range 3 {
				w.Go("actor", func(ctx context.Context) {
					order = append(order, i)
					cachetest.Step(ctx, "goes on")
					order = append(order, i)
				})
			}
		})
		orders[fmt.Sprint(order)] = true
	}
	if len(orders) < 8 {
		t.Errorf("20 seeds made %d orders, want at least 8", len(orders))
	}
}

func TestExploreThatTriesNothingFails(t *testing.T) {
	t.Parallel()
	got := explored(t, cachetest.Exploration{Schedules: -1}, naive)
	if want := "cachetest: Exploration.Schedules is -1, so that nothing is tried; leave it out for 200"; got != want {
		t.Errorf("Explore of -1 schedules fails with %q, want %q", got, want)
	}
	got = explored(t, cachetest.Exploration{}, func(w *cachetest.World) { cachetest.New(w) })
	if want := "cachetest: Explore: nobody acts; add World.Reads and World.Writes"; got != want {
		t.Errorf("Explore of nobody fails with %q, want %q", got, want)
	}
}

func TestExploreTellsOtherFailures(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		setup func(w *cachetest.World)
		want  []string
	}{
		"a reader that fails": {
			func(w *cachetest.World) {
				w.Reads("reader", func(ctx context.Context) (int, error) { cachetest.Step(ctx, "tries"); return 0, broken })
			},
			[]string{"1 reader, when all is done: fails: broken"}, // shorter than in its turn
		},
		"a writer that fails": {
			func(w *cachetest.World) {
				w.Writes("writer", func(context.Context, int) error { return broken })
			},
			[]string{"1 writer: begins", "2 writer: fails: broken"},
		},
		"a version that nobody wrote": {
			func(w *cachetest.World) {
				w.Reads("reader", func(context.Context) (int, error) { return 9, nil })
			},
			[]string{"1 reader, when all is done: gets v9, which nobody wrote"},
		},
		"a panic": {
			func(w *cachetest.World) {
				w.Go("somebody", func(context.Context) { panic("oh") })
			},
			[]string{"1 somebody: begins", "2 somebody: panics: oh"},
		},
		"a check at the end": {
			func(w *cachetest.World) {
				row := w.Row()
				w.Go("somebody", func(ctx context.Context) { row.Write(ctx, 2) })
				w.Finally(func(ctx context.Context) {
					if v := row.Read(ctx); v != 1 {
						w.Errorf("the row is v%d", v)
					}
				})
			},
			[]string{"1 somebody: writes v2", "2 the row is v2"},
		},
		"a check that ends its actor": {
			func(w *cachetest.World) {
				w.Go("somebody", func(ctx context.Context) {
					cachetest.Step(ctx, "looks")
					w.Fatal("no", 1)
				})
			},
			[]string{"1 somebody: looks", "2 no 1"},
		},
		"those who wait for ever": {
			func(w *cachetest.World) {
				never := make(chan struct{})
				w.Go("somebody", func(ctx context.Context) {
					select {
					case <-never:
					case <-ctx.Done():
					}
				})
			},
			[]string{"1 somebody: begins", "2 nobody goes on: those who have not ended wait for what nobody brings"},
		},
		"a setup that fails": {
			func(w *cachetest.World) { cachetest.New(w, &Detail{}) },
			[]string{"1 cacheme: *cachetest_test.Detail: is a pointer; give Register the value: cachetest_test.Detail{}"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := steps(explored(t, cachetest.Exploration{Schedules: 3}, c.setup))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOfOverlappingWritesEitherMayBeRead(t *testing.T) {
	t.Parallel()
	cachetest.Explore(t, func(w *cachetest.World) {
		row := w.Row()
		for range 2 {
			w.Writes("writer", func(ctx context.Context, version int) error {
				cachetest.Step(ctx, "thinks")
				row.Write(ctx, version)
				return nil
			})
			w.Reads("reader", func(ctx context.Context) (int, error) { return row.Read(ctx), nil })
		}
	})
}

func TestStepDoesNothingOutsideOfExplore(t *testing.T) {
	t.Parallel()
	cachetest.Step(context.Background(), "reads the row")
}

// Version is a node whose value is the version of its row.
type Version struct {
	cacheme.Node[int]
	ID int64 `cacheme:"field"`
}

func (Version) Meta() cacheme.Meta { return cacheme.Meta{Key: "version:<id>", TTL: ttl} }

func (v Version) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{BookChanged{ID: v.ID}} }

// Found depends on what was found.
type Found struct {
	cacheme.Node[int]
	Page int `cacheme:"field"`
}

func (Found) Meta() cacheme.Meta { return cacheme.Meta{Key: "found:<page>", TTL: ttl} }

func (Found) ResultInvalidNodes(int) []cacheme.Invalid { return []cacheme.Invalid{BookChanged{ID: 7}} }
