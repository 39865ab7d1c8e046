package writes

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
)

// settings are the options of the hook, and what a Get may and may not do beside a transaction.
func settings(t *testing.T, open Open) {
	runAll(t, open, []chapter{
		{"AfterCommit", afterCommit},
		{"WithRowCap", rowCap},
		{"RefuseOnOutage", refuseOnOutage},
		{"WithTables", withTables},
		{"a Get inside a transaction", getInside},
		{"a load inside a transaction", loadInside},
	})
}

// afterCommit runs a part of the table of writes: what becomes wrong is the same.
func afterCommit(t *testing.T, open Open) {
	s := tell(t, open, setup{install: []bunhooks.Option{bunhooks.AfterCommit()}})
	all := manners()
	for i, w := range writes() {
		if i%4 != 0 || !w.runsIn(s.Dialect) || w.schema {
			continue
		}
		for _, m := range []manner{all[0], all[(i/4)%len(all)]} {
			if w.commits&s.Dialect != 0 && m.savepoint {
				continue
			}
			if err := s.cell(s.ctx, &w, &m); err != nil {
				t.Errorf("%s, %s: %v", w.name, m.name, err)
			}
		}
	}
}

func rowCap(t *testing.T, open Open) {
	s := tell(t, open, setup{install: []bunhooks.Option{bunhooks.WithRowCap(3)}})
	chapters := func(where string) func(context.Context, *bun.DB) error {
		return func(ctx context.Context, db *bun.DB) error {
			return exec(db.NewUpdate().Model((*Chapter)(nil)).Set("title = 'x'").Where(where).Exec(ctx))
		}
	}
	s.step("as many rows as may be named", chapters("book_id < 3"), chapterRow(1, 1), chapterRow(1, 2), chapterRow(2, 1))
	s.step("one more", chapters("1 = 1"), s.of("chapters"))
	s.step("one more, in two statements", func(ctx context.Context, db *bun.DB) error {
		return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			for _, where := range []string{"book_id = 1", "book_id > 1"} {
				if _, err := tx.NewUpdate().Model((*Chapter)(nil)).Set("title = 'y'").Where(where).Exec(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	}, s.of("chapters"))
	s.step("many rows, taken back to a savepoint", func(ctx context.Context, db *bun.DB) error {
		return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			if err := onPurpose(tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				_, err := tx.NewUpdate().Model((*Chapter)(nil)).Set("title = 'z'").Where("1 = 1").Exec(ctx)
				return errors.Join(err, errOnPurpose)
			})); err != nil {
				return err
			}
			return exec(tx.NewUpdate().Model((*Chapter)(nil)).Set("title = 'w'").Where("book_id = 3").Exec(ctx))
		})
	}, chapterRow(3, 1))
}

func refuseOnOutage(t *testing.T, open Open) {
	away := new(outage)
	s := tell(t, open, setup{redis: away, install: []bunhooks.Option{bunhooks.RefuseOnOutage()}})
	was, err := s.dump(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	away.down.Store(true)
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, bunhooks.ErrRefused) {
			t.Errorf("%s while Redis is away = %v, want %v", what, err, bunhooks.ErrRefused)
		}
	}
	refused("a statement", exec(s.db.NewUpdate().Model((*Book)(nil)).Set("title = 'x'").Where("id = 1").Exec(s.ctx)))
	refused("RunInTx", s.db.RunInTx(s.ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		return exec(tx.NewDelete().Model(&Shop{ID: 1}).WherePK().Exec(ctx))
	}))
	if err := exec(s.db.NewInsert().Model(&AuditLine{Line: "x"}).Exec(s.ctx)); err != nil {
		t.Errorf("a write that makes nothing wrong: %v", err)
	}
	now, err := s.dump(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if tables := changed(was, now); fmt.Sprint(tables) != "[audit_lines]" {
		t.Errorf("written although it was refused: %v", tables)
	}
	away.down.Store(false)
	if err := eventually(s.ctx, func() bool { return !s.cache.Stats().Away }); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.look(s.ctx); err != nil {
		t.Fatal(err)
	}
	s.step("when Redis is back", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewUpdate().Model((*Book)(nil)).Set("title = 'x'").Where("id = 1").Exec(ctx))
	}, bookRow(1, 1, 1))
}

// Journal depends on a table that no invalid node names.
type Journal struct{ cacheme.Node[int] }

func (Journal) Meta() cacheme.Meta { return cacheme.Meta{Key: "journal"} }

func (Journal) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{cacheme.Table("audit_lines")}
}

func withTables(t *testing.T, open Open) {
	s := tell(t, open, setup{more: []cacheme.Declaration{Journal{}}, install: []bunhooks.Option{bunhooks.WithTables("audit_lines")}})
	lines := func() int {
		t.Helper()
		n, err := cacheme.GetFrom(s.ctx, s.cache, Journal{}, func(ctx context.Context, _ Journal) (int, error) {
			n, err := s.db.NewSelect().Model((*AuditLine)(nil)).Count(ctx)
			return int(n), err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i := range 3 {
		if n := lines(); n != i {
			t.Errorf("the journal has %d lines, want %d", n, i)
		}
		s.step("a line", func(ctx context.Context, db *bun.DB) error {
			return exec(db.NewInsert().Model(&AuditLine{Line: "x"}).Exec(ctx))
		})
	}
}

// title gets a book's title through the cache, with a loader that reads in db.
func (s *story) title(ctx context.Context, db bun.IDB, book int64) (title string, loaded bool) {
	s.t.Helper()
	title, err := cacheme.GetFrom(ctx, s.cache, BookPage{ID: book}, func(ctx context.Context, n BookPage) (title string, err error) {
		loaded = true
		return title, db.NewSelect().Model((*Book)(nil)).Column("title").Where("id = ?", n.ID).Scan(ctx, &title)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return title, loaded
}

// getInside: a Get with the transaction's context reads what the transaction wrote, and nobody else ever sees it.
func getInside(t *testing.T, open Open) {
	s := tell(t, open, setup{})
	if err := s.cache.Remove(s.ctx, BookPage{ID: 1}); err != nil {
		t.Fatal(err)
	}
	s.title(s.ctx, s.db, 1)
	err := s.db.RunInTx(s.ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if title, _ := s.title(ctx, tx, 1); title != "Emma" {
			t.Errorf("in the transaction the title is %q", title)
		}
		if _, err := tx.NewUpdate().Model((*Book)(nil)).Set("title = 'uncommitted'").Where("id = 1").Exec(ctx); err != nil {
			return err
		}
		for range 2 {
			if title, loaded := s.title(ctx, tx, 1); title != "uncommitted" || !loaded {
				t.Errorf("in the transaction that wrote it the title is %q, loaded %v", title, loaded)
			}
		}
		if title, loaded := s.title(s.ctx, s.db, 1); title != "Emma" || loaded {
			t.Errorf("outside the title is %q, loaded %v; want Emma, from the cache", title, loaded)
		}
		return errOnPurpose
	})
	if onPurpose(err) != nil {
		t.Fatal(err)
	}
	if title, loaded := s.title(s.ctx, s.db, 1); title != "Emma" || loaded {
		t.Errorf("after the rollback the title is %q, loaded %v; want Emma, from the cache", title, loaded)
	}
}

// loadInside: what a loader reads in a transaction of its own is for its caller alone.
func loadInside(t *testing.T, open Open) {
	s := tell(t, open, setup{})
	if err := s.cache.Remove(s.ctx, BookPage{ID: 1}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		loaded := false
		_, err := cacheme.GetFrom(s.ctx, s.cache, BookPage{ID: 1}, func(ctx context.Context, _ BookPage) (title string, err error) {
			loaded = true
			tx, err := s.db.BeginTx(ctx, nil)
			if err != nil {
				return "", err
			}
			defer func() { err = errors.Join(err, tx.Rollback()) }()
			return title, tx.NewSelect().Model((*Book)(nil)).Column("title").Where("id = 1").Scan(ctx, &title)
		})
		if err != nil {
			t.Fatal(err)
		}
		if !loaded {
			t.Error("what was read in a transaction was stored")
		}
	}
}
