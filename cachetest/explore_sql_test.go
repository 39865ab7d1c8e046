package cachetest_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/sqliteshim"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/cachetest"
	"github.com/cacheme/cacheme/internal/suite"
)

// file is a database whose readers do not wait for its writer.
type file string

func (f file) Connect(context.Context) (driver.Conn, error) {
	return f.Driver().Open(string(f) + "?_pragma=journal_mode(wal)&_pragma=synchronous(0)")
}

func (file) Driver() driver.Driver { return sqliteshim.Driver() }

// Edition is a row whose version can be seen.
type Edition struct {
	bun.BaseModel `bun:"editions"`

	ID     int64 `bun:",pk"`
	Number int
}

type EditionChanged struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}

func (EditionChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Edition)(nil)} }

type Shown struct {
	cacheme.Node[int]
	ID int64 `cacheme:"field"`
}

func (Shown) Meta() cacheme.Meta { return cacheme.Meta{Key: "shown:<id>", TTL: ttl} }

func (s Shown) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{EditionChanged{ID: s.ID}} }

// shop is a cache before a database whose statements are steps.
func shop(w *cachetest.World, wrap func(driver.Connector) driver.Connector) (*cachetest.Cache, *bun.DB) {
	cache := cachetest.New(w, Shown{}, EditionChanged{})
	pool := sql.OpenDB(wrap(w.Connector(file(filepath.Join(w.TempDir(), "shop.db")))))
	w.Cleanup(func() { _ = pool.Close() })
	if _, err := pool.ExecContext(w.Context(), "CREATE TABLE editions (id INTEGER PRIMARY KEY, number INTEGER); INSERT INTO editions VALUES (7, 1)"); err != nil {
		w.Fatal(err)
	}
	return cache, bun.NewDB(pool, sqlitedialect.New())
}

func show(cache *cachetest.Cache, db *bun.DB) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		return cacheme.GetFrom(ctx, cache.Cache, Shown{ID: 7}, func(ctx context.Context, s Shown) (n int, err error) {
			err = db.NewSelect().Model((*Edition)(nil)).Column("number").Where("id = ?", s.ID).Scan(ctx, &n)
			return n, err
		})
	}
}

func publish(db *bun.DB, around func(ctx context.Context, commit func() error) error) func(context.Context, int) error {
	return func(ctx context.Context, version int) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if _, err = tx.NewUpdate().Model((*Edition)(nil)).Set("number = ?", version).Where("id = 7").Exec(ctx); err != nil {
			return errors.Join(err, tx.Rollback())
		}
		return around(ctx, tx.Commit)
	}
}

func TestExploreFindsNothingBehindBunhooks(t *testing.T) {
	t.Parallel()
	inTransaction := func(db *bun.DB) func(context.Context, int) error {
		return publish(db, func(_ context.Context, commit func() error) error { return commit() })
	}
	alone := func(db *bun.DB) func(context.Context, int) error {
		return func(ctx context.Context, version int) error {
			_, err := db.ExecContext(ctx, "UPDATE editions SET number = ?", version)
			return err
		}
	}
	type write = func(*bun.DB) func(context.Context, int) error
	for name, c := range map[string]struct {
		connections int // SQLite's own waiting for a lock is no waiting that Explore can see
		writes      []write
	}{
		"a transaction beside readers":       {4, []write{inTransaction}},
		"a statement beside readers":         {4, []write{alone}},
		"writers who wait for a connection":  {1, []write{inTransaction, alone}},
		"one after the other, and once more": {1, []write{inTransaction, inTransaction, alone}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cachetest.ExploreWith(t, cachetest.Exploration{Schedules: suite.Count(600)}, func(w *cachetest.World) {
				cache, db := shop(w, bunhooks.WrapConnector)
				db.SetMaxOpenConns(c.connections)
				db, err := bunhooks.Install(db, cache.Cache)
				if err != nil {
					w.Fatal(err)
				}
				w.Reads("reader", show(cache, db))
				w.Reads("reader", show(cache, db))
				for _, write := range c.writes {
					w.Writes("writer", write(db))
				}
			})
		})
	}
}

// A writer who says so before his COMMIT instead of after it: the mistake that no review sees.
func TestExploreFindsAnInvalidationBeforeTheCommit(t *testing.T) {
	t.Parallel()
	story := explored(t, cachetest.Exploration{}, func(w *cachetest.World) {
		cache, db := shop(w, func(c driver.Connector) driver.Connector { return c })
		w.Reads("reader", show(cache, db))
		w.Writes("writer", publish(db, func(ctx context.Context, commit func() error) error {
			return errors.Join(cache.Invalidate(ctx, EditionChanged{ID: 7}), commit())
		}))
	})
	for _, want := range []string{"UPDATE", "makes wrong row:edition:7", "stores shown:7", "COMMIT", "gets v1, want v2"} {
		if !strings.Contains(story, want) {
			t.Errorf("the story does not tell %q:\n%s", want, story)
		}
	}
	t.Log(story)
}
