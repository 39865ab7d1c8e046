package bunhooks_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/bunhooks"
)

func newUnwrappedWorld(t *testing.T) *world {
	t.Helper()
	w := newBareWorld(t, setup{})
	w.open(setup{unwrapped: true})
	return w
}

func TestUnwrapped_connections_are_served_by_whole_tables_and_warned_of_once(t *testing.T) {
	t.Parallel()
	w := newUnwrappedWorld(t)
	w.makesWrong("by bun", func() error {
		_, err := w.db.NewUpdate().Model((*Book)(nil)).Set("title = 'new'").Where("id = 1").Exec(background)
		return err
	}, w.all(), w.anyBook()...)
	w.makesWrong("raw", func() error {
		_, err := w.db.NewRaw("DELETE FROM books WHERE id = ?", 3).Exec(background)
		return err
	}, w.all(), w.anyBook()...)
	w.makesWrong("another table", func() error {
		_, err := w.db.ExecContext(background, "UPDATE authors SET name = 'Cid'")
		return err
	}, w.all())
	if n := w.log.count("not wrapped"); n != 1 {
		t.Errorf("%d warnings, want 1", n)
	}
	if n := w.log.count("bunhooks.WrapConnector"); n != 1 {
		t.Errorf("%d lines name the remedy, want 1", n)
	}
}

func TestUnwrapped_transactions_make_tables_wrong_once_more_when_they_end(t *testing.T) {
	t.Parallel()
	w := newUnwrappedWorld(t)
	w.warm(w.all()...)
	err := w.db.RunInTx(background, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewUpdate().Model((*Book)(nil)).Set("title = 'new'").Where("id = 1").Exec(ctx); err != nil {
			return err
		}
		w.warm(w.book(1), w.list(1)) // others read, and cache, what was there before
		return nil
	})
	w.must(err)
	w.fresh("after the commit", w.all()...)
	cancel := errors.New("roll back")
	err = w.db.RunInTx(background, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewDelete().Model((*Book)(nil)).Where("id = 1").Exec(ctx)
		return errors.Join(err, cancel)
	})
	if !errors.Is(err, cancel) {
		t.Error(err)
	}
	w.fresh("after the rollback", w.all()...)
	w.warm(w.all()...)
}

func TestUnwrapped_transactions_are_not_counted_out_twice(t *testing.T) {
	t.Parallel()
	w := newUnwrappedWorld(t)
	writer, err := w.db.BeginTx(background, nil)
	w.must(err)
	w.warm(w.all()...)
	_, err = writer.NewUpdate().Model((*Book)(nil)).Set("title = 'new'").Where("id = 1").Exec(background)
	w.must(err)
	for range 2 {
		reader, err := w.db.BeginTx(background, nil)
		w.must(err)
		w.must(reader.Commit())
		if err := reader.Rollback(); !errors.Is(err, sql.ErrTxDone) {
			t.Errorf("Rollback after Commit = %v, want %v", err, sql.ErrTxDone)
		}
	}
	w.warm(w.all()...) // others read, and cache, what was there before
	w.must(writer.Commit())
	w.fresh("after the commit", w.all()...)
}

func TestUnwrapped_connections_heed_Touches(t *testing.T) {
	t.Parallel()
	w := newUnwrappedWorld(t)
	w.makesWrong("a SELECT", func() error {
		_, err := w.db.ExecContext(bunhooks.Touches(background, "books"), "SELECT 1")
		return err
	}, w.all(), w.anyBook()...)
	w.makesWrong("a SELECT without", func() error {
		_, err := w.db.ExecContext(background, "SELECT 1")
		return err
	}, w.all())
}

func TestInstall_refuses_an_unwrapped_database_that_is_joined_already(t *testing.T) {
	t.Parallel()
	w := newUnwrappedWorld(t)
	db, err := bunhooks.Install(w.db, w.cache, w.log.option())
	wrong := (*bunhooks.InstallError)(nil)
	if !errors.As(err, &wrong) || db != nil {
		t.Errorf("Install, again = %v, %v; want an *InstallError", db, err)
	}
}

func TestWrapped_connections_are_not_taken_for_others(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	w.db = w.db.WithQueryHook(nothing{})
	_, err := w.db.NewUpdate().Model((*Book)(nil)).Set("title = 'new'").Where("id = 1").Exec(background)
	w.must(err)
	w.must(w.db.RunInTx(background, nil, func(ctx context.Context, tx bun.Tx) error {
		return tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewDelete().Model((*Book)(nil)).Where("id = 3").Exec(ctx)
			return err
		})
	}))
	if n := w.log.count("level="); n != 0 {
		t.Errorf("%d lines in the log, want none", n)
	}
}

// nothing is another hook.
type nothing struct{}

func (nothing) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }
func (nothing) AfterQuery(context.Context, *bun.QueryEvent)                        {}
