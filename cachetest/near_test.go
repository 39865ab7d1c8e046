package cachetest_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// Genres is a list that callers share.
type Genres struct {
	cacheme.Node[[]string]
	Shop int64 `cacheme:"field"`
}

func (Genres) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "shop:<shop>:genres", TTL: 10 * time.Minute, Near: cacheme.On}
}

func (Genres) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{cacheme.Tag("genres")} }

func loadGenres(context.Context, Genres) ([]string, error) { return []string{"poetry", "crime"}, nil }

// nearGenres gets the genres until they come from this process.
func nearGenres(t *testing.T, c *cachetest.Cache) []string {
	t.Helper()
	b, err := cacheme.Bind(c.Cache, loadGenres)
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		r, err := b.GetResult(t.Context(), Genres{Shop: 1})
		if err != nil {
			t.Fatal(err)
		}
		if r.Tier == cacheme.TierNear {
			return r.Value
		}
	}
	t.Fatal("the genres do not come near")
	return nil
}

func TestNear(t *testing.T) {
	t.Parallel()
	t.Run("a caller that changes a shared value fails the test", func(t *testing.T) {
		t.Parallel()
		told := &recorder{TB: t}
		c := cachetest.New(told, Genres{})
		slices.Sort(nearGenres(t, c))
		if _, err := cacheme.GetFrom(t.Context(), c.Cache, Genres{Shop: 1}, loadGenres); err != nil {
			t.Fatal(err)
		}
		if len(told.errs) != 1 || !strings.Contains(told.errs[0], "changed the value") || !strings.Contains(told.errs[0], "Genres") {
			t.Errorf("it failed by %q; want that a caller changed the value of Genres", told.errs)
		}
	})
	t.Run("a caller that does not changes nothing", func(t *testing.T) {
		t.Parallel()
		c := cachetest.New(t, Genres{})
		for range 3 {
			slices.Sort(slices.Clone(nearGenres(t, c)))
		}
		if x, err := c.Explain(t.Context(), Genres{Shop: 1}); err != nil || !x.Near || !strings.Contains(x.String(), "and near") {
			t.Errorf("Explain() = %v, %v; want that it is near", x, err)
		}
	})
	t.Run("Advance moves its time too", func(t *testing.T) {
		t.Parallel()
		c := cachetest.New(t, Genres{})
		nearGenres(t, c)
		c.Advance(11 * time.Minute)
		if _, err := cacheme.GetFrom(t.Context(), c.Cache, Genres{Shop: 1}, loadGenres); err != nil {
			t.Fatal(err)
		}
		if n := c.LoadsOf(Genres{Shop: 1}); n != 2 {
			t.Errorf("past its TTL it was loaded %d times in all, want 2", n)
		}
	})
	t.Run("what the test writes is seen at once", func(t *testing.T) {
		t.Parallel()
		c := cachetest.New(t, Genres{})
		nearGenres(t, c)
		cachetest.RequireInvalidates(t, c, func() {
			if err := c.Invalidate(t.Context(), cacheme.Tag("genres")); err != nil {
				t.Fatal(err)
			}
		}, cachetest.EntryOf(Genres{Shop: 1}, loadGenres))
	})
}
