package bunhooks_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
)

// elsewhere sends all that only reads to another pool, as bunexp's resolver does.
type elsewhere struct{ pool *sql.DB }

func (e elsewhere) ResolveConn(_ context.Context, q bun.Query) bun.IConn {
	if bun.IsReadOnlyQuery(q) {
		return e.pool
	}
	return nil
}

func (elsewhere) Close() error { return nil }

// What a load reads where bun's resolver sends it is told, and not stored; a query of no load is nobody's business.
func TestReplica_of_a_resolver_is_told_and_what_it_gives_is_not_stored(t *testing.T) {
	t.Parallel()
	for name, wrapped := range map[string]bool{"a pool that is not wrapped": false, "a pool that is wrapped": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var events []cacheme.Event
			w := newBareWorld(t, setup{cache: cacheme.Options{Observer: func(_ context.Context, e cacheme.Event) {
				if e.Kind == cacheme.EventReplica {
					events = append(events, e)
				}
			}}})
			other := sql.OpenDB(w.connector(setup{unwrapped: !wrapped}))
			t.Cleanup(func() { _ = other.Close() })
			db := bun.NewDB(sql.OpenDB(w.connector(setup{})), sqlitedialect.New(), bun.WithConnResolver(elsewhere{other}))
			t.Cleanup(func() { _ = db.Close() })
			db, err := bunhooks.Install(db, w.cache, w.log.option())
			w.must(err)
			w.db = db

			title := func(ctx context.Context) (title string, err error) {
				err = db.NewSelect().Table("books").Column("title").Where("id = 1").Scan(ctx, &title)
				return title, err
			}
			_, err = title(background)
			w.must(err)
			loads := 0
			for range 3 {
				got, err := w.book(1).get(background, func(ctx context.Context) (string, error) {
					loads++
					return title(ctx)
				})
				if got != "a" || err != nil {
					t.Errorf("Get() = %q, %v, want what was loaded", got, err)
				}
			}
			if loads != 3 {
				t.Errorf("%d loads in 3 Gets: what a replica gave was stored", loads)
			}
			if len(events) != 1 || events[0].Table != "books" || events[0].Line == "" {
				t.Errorf("told %+v, want the table once, with the line", events)
			}
			w.warm(w.book(2)) // by the pool itself, which is the primary
		})
	}
}
