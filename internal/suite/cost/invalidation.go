package cost

import (
	"slices"
	"testing"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// invalidation counts what it costs to make one row wrong, with ever more entries that depend on it.
func invalidation(t *testing.T, open suite.Open) {
	t.Run("issues the same commands for one dependent and for a hundred thousand", func(t *testing.T) {
		t.Parallel()
		c := newCounted(t, open(t), suite.Prefix())
		var first []string
		var commands int
		made := 0
		for _, dependents := range []int{1, 1000, max(2000, suite.Count(100_000))} {
			for made < dependents {
				var batch []Item
				for ; made < dependents && len(batch) < 200; made++ {
					batch = append(batch, Item{ID: int64(made), Deps: 1})
				}
				must[[]string](t)(cacheme.GetManyFrom(t.Context(), c.Cache, batch, loadItems))
			}
			// The first one may have to bring the scripts along.
			must[int](t)(0, c.Invalidate(t.Context(), ItemChanged{ID: 1}))
			trips, sent := c.during(func() {
				must[int](t)(0, c.Invalidate(t.Context(), ItemChanged{ID: 1}))
			})
			t.Logf("%d dependents: %v, %d commands", dependents, trips, sent)
			if first == nil {
				first, commands = trips, sent
			}
			if !slices.Equal(trips, first) || sent != commands || sent != 3 { // the row, any row of its table, and what the write says of itself
				t.Errorf("with %d dependents: %v, %d commands, want %v and 3, as with one", dependents, trips, sent, first)
			}
			if n := must[int](t)(c.Count(t.Context(), Item{})); n != dependents {
				t.Errorf("Count() = %d, want %d: the dependents are to be there; %+v", n, dependents, c.Stats())
			}
			// And it was no idle one.
			for _, id := range slices.Compact([]int{0, dependents / 2, dependents - 1}) {
				r, err := getItem(t, c.Cache, Item{ID: int64(id), Deps: 1})
				if err != nil || r.Tier != cacheme.TierSource {
					t.Errorf("GetResult() = %+v, %v after the invalidation, want a load", r, err)
				}
			}
		}
	})
	t.Run("of many rows at once is one pipeline", func(t *testing.T) {
		t.Parallel()
		c := newCounted(t, open(t), suite.Prefix())
		rows := make([]cacheme.Invalid, 100)
		for i := range rows {
			rows[i] = ItemChanged{ID: int64(i) + 1}
		}
		must[int](t)(0, c.Invalidate(t.Context(), rows[0]))
		trips, sent := c.during(func() { must[int](t)(0, c.Invalidate(t.Context(), rows...)) })
		if len(trips) != 1 || sent != len(rows)+2 { // the rows, any row of their table, and what the write says of itself
			t.Errorf("%v, %d commands, want one pipeline of %d", trips, sent, len(rows)+2)
		}
	})
}

func getItem(t testing.TB, c *cacheme.Cache, i Item) (cacheme.Result[string], error) {
	t.Helper()
	b, err := cacheme.Bind(c, loadItem)
	if err != nil {
		t.Fatal(err)
	}
	return b.GetResult(t.Context(), i)
}
