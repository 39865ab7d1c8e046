package queries

import (
	"context"
	"errors"
	"testing"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/internal/suite/writes"
	"github.com/cacheme/cacheme/rowcache"
)

// enough comparisons find every planted mistake; most take a few hundred.
const enough = 20_000

// planted makes mistakes, one at a time, which the comparison of random questions has to find.
func planted(t *testing.T, open writes.Open) {
	filter := func(sender int64) build {
		return func(db *bun.DB) *bun.SelectQuery {
			return db.NewSelect().Model((*Message)(nil)).Where("m.sender_id = ?", sender).Order("m.id")
		}
	}
	for _, mistake := range []struct {
		name  string
		plant func(*run)
	}{
		{"a write that the cache does not see", func(r *run) { r.behind = 50 }},
		{"On names another row than the query reads", func(r *run) {
			r.question = func(d dice) question {
				sender := d.user()
				return ask[Message](r.place, "On, wrong", all, true, filter(sender), on{"sender_id", sender + 1})
			}
		}},
		{"Reads leaves a table out", func(r *run) {
			r.question = func(d dice) question {
				q := filter(d.user()).then(func(q *bun.SelectQuery) *bun.SelectQuery {
					return q.Join("JOIN users AS s ON s.id = m.sender_id").Where("s.age > 1")
				})
				asked := ask[Message](r.place, "Reads, wrong", all, true, q)
				asked.cached = answer(true, func(ctx context.Context) ([]Message, error) {
					return rowcache.Query[Message](r.rc, q(r.db)).Reads("messages").All(ctx)
				})
				return asked
			}
		}},
	} {
		t.Run(mistake.name, func(t *testing.T) {
			t.Parallel()
			seed := seed(t)
			r := newRun(newPlace(t, open(t), setup{}), seed)
			r.live = 8 // few questions, many writes
			mistake.plant(r)
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
