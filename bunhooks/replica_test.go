package bunhooks_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

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

// MaybeText is the title of a book, or that there is none.
type MaybeText struct {
	cacheme.Node[string]
	ID int64 `cacheme:"field"`
}

func (MaybeText) Meta() cacheme.Meta { return cacheme.Meta{Key: "maybe:<id>", Negative: time.Minute} }

func (n MaybeText) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{BookChanged{ID: n.ID}}
}

// What a load reads where bun's resolver sends it is told, and not stored, and nor is that it found nothing there; a query of
// no load is nobody's business.
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

			title := func(ctx context.Context, id int64) (title string, err error) {
				err = db.NewSelect().Table("books").Column("title").Where("id = ?", id).Scan(ctx, &title)
				return title, err
			}
			_, err = title(background, 1)
			w.must(err)
			w.must(w.cache.Register(MaybeText{}))
			for id, want := range map[int64]string{1: "a", 9: ""} {
				loads := 0
				for range 3 {
					got, err := cacheme.GetFrom(background, w.cache, MaybeText{ID: id}, func(ctx context.Context, n MaybeText) (string, error) {
						loads++
						return title(ctx, n.ID)
					})
					if got != want || errors.Is(err, cacheme.ErrNotFound) != (want == "") {
						t.Errorf("Get() of book %d = %q, %v, want what was loaded", id, got, err)
					}
				}
				if loads != 3 {
					t.Errorf("%d loads of book %d in 3 Gets: what a replica gave was stored", loads, id)
				}
			}
			if len(events) != 1 || events[0].Table != "books" || events[0].Line == "" {
				t.Errorf("told %+v, want the table once, with the line", events)
			}
			w.warm(w.book(2)) // by the pool itself, which is the primary
		})
	}
}
