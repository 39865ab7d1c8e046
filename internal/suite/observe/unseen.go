package observe

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// unseen has nodes with Observe: Auto read what cannot be known by its tables: their values come from the database each
// time, and it is said once why.
func unseen(t *testing.T, open writes.Open) {
	p := newPlace(t, open(t), 0)
	check(t, p.plant(t.Context(), newDice(1)))
	_, err := p.hooked.db.DB.ExecContext(t.Context(), "DROP VIEW IF EXISTS titles")
	check(t, err)
	_, err = p.hooked.db.DB.ExecContext(t.Context(), "CREATE VIEW titles AS SELECT id, title FROM books")
	check(t, err)
	t.Cleanup(func() { _, _ = p.admin.db.DB.ExecContext(context.WithoutCancel(t.Context()), "DROP VIEW titles") })
	// MariaDB and PostgreSQL call it otherwise than SQLite.
	random := "random()"
	if p.Dialect == writes.MariaDB {
		random = "rand()"
	}
	moment := random
	if p.Dialect == writes.Postgres {
		moment = "'now'::timestamptz"
	}
	one := func(text string) func(context.Context, source) error {
		return func(ctx context.Context, s source) error {
			var v any
			return s.db.DB.QueryRowContext(ctx, text).Scan(&v)
		}
	}
	for _, c := range []struct {
		name   string
		read   func(context.Context, source) error
		reason string // a part of it; empty: it is stored
	}{
		{"a query that can be read", one("SELECT count(*) FROM books"), ""},
		{"nothing", func(context.Context, source) error { return nil }, "none of what it read was seen"},
		{"a query that reads no table", one("SELECT 1"), "none of what it read was seen"},
		{"a database that is not wrapped", func(ctx context.Context, _ source) error { return one("SELECT count(*) FROM books")(ctx, p.admin) }, "none of what it read was seen"},
		{"another context", func(_ context.Context, s source) error { return one("SELECT count(*) FROM books")(t.Context(), s) }, "none of what it read was seen"},
		{"a function that is not the same each time", one("SELECT " + random + " FROM books"), "may give another result"},
		{"a view", one("SELECT count(*) FROM titles"), "titles, which is no table"},
		{"a query that locks, or is not understood", one("SELECT count(*) FROM books WHERE id IN (SELECT 1) FETCH NONE"), "cannot be read"},
		{"a write", func(ctx context.Context, s source) error {
			_, err := s.db.NewUpdate().Model((*Book)(nil)).Set("price = 1").Where("id = 1").Exec(ctx)
			return err
		}, "is no query"},
		{"a transaction", func(ctx context.Context, s source) error {
			return s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				_, err := tx.NewSelect().Model((*Book)(nil)).Count(ctx)
				return err
			})
		}, "in a transaction"},
		{"a transaction of a sql.DB, whose statements have no context", func(ctx context.Context, s source) error {
			tx, err := s.db.DB.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }()
			var n int64
			return tx.QueryRow("SELECT count(*) FROM books").Scan(&n)
		}, "in a transaction"},
		{"a moment in a text", one("SELECT " + moment + " FROM books"), "may give another result"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, loads := len(p.events.all()), 0
			notStored := p.cache.Stats().NotStored
			memo, err := cacheme.Memo(p.cache, cacheme.Memoized[int64, int64]{
				Meta: cacheme.Meta{Key: strings.ReplaceAll(c.name, " ", "-"), Observe: cacheme.Auto},
			}, func(ctx context.Context, _ int64) (int64, error) {
				loads++
				_ = c.read(ctx, p.hooked) // what a database refuses is not understood either
				return 1, nil
			})
			check(t, err)
			for range 4 {
				_, err := memo.Get(t.Context(), 0)
				check(t, err)
			}
			told := p.events.all()[before:]
			if c.reason == "" {
				if loads > 2 || len(told) > 0 {
					t.Errorf("%d of 4 calls load, and %+v is told; want 2 at most, and nothing", loads, told)
				}
				return
			}
			if loads != 4 || p.cache.Stats().NotStored != notStored+4 {
				t.Errorf("%d of 4 calls load, %d values are not stored; want 4 and 4", loads, p.cache.Stats().NotStored-notStored)
			}
			if c.reason == "in a transaction" {
				return // EventNotStored has the reason: it is not that something was not seen
			}
			if len(told) != 1 || told[0].Kind != cacheme.EventUnseen || !strings.Contains(told[0].Reason, c.reason) {
				t.Errorf("%+v is told, want one EventUnseen with %q", told, c.reason)
			}
		})
	}
}

// Camel is a table as other frameworks name theirs.
type Camel struct {
	bun.BaseModel `bun:"table:Camel"`

	ID      int64  `bun:"Id,pk"`
	OwnerID int64  `bun:"ownerId"`
	Val     string `bun:"Val"`
}

// capitals has a node with Observe: Auto read a table whose names have capitals, which PostgreSQL keeps apart.
func capitals(t *testing.T, open writes.Open) {
	p := newPlace(t, open(t), 0)
	_, err := p.admin.db.NewDropTable().Model((*Camel)(nil)).IfExists().Exec(t.Context())
	check(t, err)
	_, err = p.hooked.db.NewCreateTable().Model((*Camel)(nil)).Exec(t.Context())
	check(t, err)
	t.Cleanup(func() {
		_, _ = p.admin.db.NewDropTable().Model((*Camel)(nil)).Exec(context.WithoutCancel(t.Context()))
	})
	loads := 0
	memo, err := cacheme.Memo(p.cache, cacheme.Memoized[int64, string]{
		Meta:   cacheme.Meta{Key: "camel:<id>", Observe: cacheme.Auto, Negative: time.Hour},
		Values: func(id int64) []any { return []any{id} },
	}, func(ctx context.Context, id int64) (val string, err error) {
		loads++
		err = p.hooked.db.NewSelect().Model((*Camel)(nil)).Column("Val").Where("? = ?", bun.Ident("Id"), id).Scan(ctx, &val)
		return val, err
	})
	check(t, err)
	step := func(what, want string, write func(db *bun.DB) error) {
		t.Helper()
		for range 3 { // the first loads may have met tokens that were new
			_, _ = memo.Get(t.Context(), 1)
		}
		before := loads
		if _, _ = memo.Get(t.Context(), 1); loads != before {
			t.Errorf("before %s it is not cached", what)
		}
		check(t, write(p.hooked.db))
		if got, err := memo.Get(t.Context(), 1); got != want {
			t.Errorf("after %s Get = %q, %v, want %q", what, got, err, want)
		}
	}
	step("an insert", "a", func(db *bun.DB) error {
		_, err := db.NewInsert().Model(&Camel{ID: 1, Val: "a"}).Exec(t.Context())
		return err
	})
	step("an update", "b", func(db *bun.DB) error {
		_, err := db.NewUpdate().Model(&Camel{ID: 1, Val: "b"}).WherePK().Exec(t.Context())
		return err
	})
	step("a delete", "", func(db *bun.DB) error {
		_, err := db.NewDelete().Model((*Camel)(nil)).Where("? = 1", bun.Ident("Id")).Exec(t.Context())
		return err
	})
}
