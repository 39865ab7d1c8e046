package observe

import (
	"context"
	"errors"
	"testing"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// enough comparisons find every planted mistake; most take some hundred.
const enough = 20_000

// planted makes mistakes with Observe: Auto, one at a time, which the comparison has to find.
func planted(t *testing.T, open writes.Open) {
	for _, mistake := range []struct {
		name  string
		rules guard.Set
		how   manner
		plant func(*testing.T, *run)
	}{
		{"a write that the cache does not see", 0, auto, func(_ *testing.T, r *run) { r.behind = 50 }},
		{"writers do not tell rows by their values", guard.Without(guard.RowsByValues), auto, func(*testing.T, *run) {}},
		{"declarations that leave something out", 0, wrongly, func(*testing.T, *run) {}},
		{"a query with another context than the loader's", 0, auto, func(t *testing.T, r *run) {
			bound, err := cacheme.Memo(r.cache, cacheme.Memoized[int64, page]{
				Meta:   cacheme.Meta{Key: "elsewhere:<id>", Observe: cacheme.Auto},
				Values: func(id int64) []any { return []any{id} },
			}, func(ctx context.Context, id int64) (page, error) {
				p, err := r.hooked.readers(ctx, id)
				if err == nil {
					p.Books, err = elsewhere(t.Context(), r.hooked, id)
				}
				return p, err
			})
			check(t, err)
			r.asks = []cached{{ask{name: "elsewhere", load: func(s source, ctx context.Context, id int64) (page, error) {
				p, err := s.readers(ctx, id)
				if err == nil {
					p.Books, err = elsewhere(ctx, s, id)
				}
				return p, err
			}}, bound}}
		}},
	} {
		t.Run(mistake.name, func(t *testing.T) {
			t.Parallel()
			seed := seedOf(t)
			r := newRun(t, newPlace(t, open(t), mistake.rules), mistake.how, seed)
			mistake.plant(t, r)
			var wrong *wrongError
			switch err := r.compare(t.Context(), enough); {
			case err == nil:
				t.Errorf("SEED=%d: is not found in %d comparisons", seed, enough)
			case !errors.As(err, &wrong):
				t.Errorf("SEED=%d: %v", seed, err)
			}
		})
	}
}

// elsewhere are an author's books.
func elsewhere(ctx context.Context, s source, author int64) ([]Book, error) {
	p, err := s.written(ctx, author)
	return p.Books, err
}
