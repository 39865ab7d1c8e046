package bunhooks_test

import (
	"context"
	"errors"
	"testing"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/bunhooks"
)

// anyBook is all that depends on the table of books.
func (w *world) anyBook() []entry {
	return []entry{w.book(1), w.book(2), w.book(3), w.book(9), w.list(1), w.list(2), w.list(5)}
}

func TestTouches_makes_tables_wrong_with_the_statements_of_its_context(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{options: []bunhooks.Option{bunhooks.WithTables("authors")}})
	all := append(w.all(), w.authors())
	touch := bunhooks.Touches(background, "books")
	w.makesWrong("a query", func() error {
		_, err := read(touch, w.db.DB, "SELECT 1")
		return err
	}, all, w.anyBook()...)
	w.makesWrong("another spelling, by bun", func() error {
		_, err := w.db.ExecContext(bunhooks.Touches(background, "BOOKS"), "SELECT 1")
		return err
	}, all, w.anyBook()...)
	w.makesWrong("two tables, one in the other's context", func() error {
		_, err := w.db.ExecContext(bunhooks.Touches(touch, "authors"), "SELECT 1")
		return err
	}, all, append(w.anyBook(), w.authors())...)
	w.makesWrong("a table that nobody names", func() error {
		_, err := w.db.ExecContext(bunhooks.Touches(background, "nobody.names"), "SELECT 1")
		return err
	}, all)
	if n := w.log.count("nobody.names"); n != 1 || w.log.count("level=") != n {
		t.Errorf("%d warnings of a name that is none, and %d in all; want 1", n, w.log.count("level="))
	}
	w.makesWrong("no table", func() error {
		_, err := w.db.ExecContext(bunhooks.Touches(background), "SELECT 1")
		return err
	}, all)
	w.makesWrong("a write of another table", func() error {
		_, err := w.db.ExecContext(touch, "UPDATE authors SET name = 'Cid' WHERE id = 2")
		return err
	}, all, append(w.anyBook(), w.authors())...)
	w.makesWrong("a statement that fails", func() error {
		if _, err := w.db.ExecContext(touch, "SELECT nothing"); err == nil {
			t.Error("the statement did not fail")
		}
		return nil
	}, w.all()[7:])
}

func TestTouches_in_a_transaction_counts_with_its_commit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	touch := func(ctx context.Context, db bun.IDB) error {
		_, err := db.ExecContext(bunhooks.Touches(ctx, "books"), "SELECT 1")
		return err
	}
	cancel := errors.New("roll back")
	w.makesWrong("committed", func() error {
		return w.db.RunInTx(background, nil, func(ctx context.Context, tx bun.Tx) error { return touch(ctx, tx) })
	},
		w.all(), w.anyBook()...)
	w.makesWrong("all of it, by the context of RunInTx", func() error {
		return w.db.RunInTx(bunhooks.Touches(background, "books"), nil, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.ExecContext(ctx, "SELECT 1")
			return err
		})
	}, w.all(), w.anyBook()...)
	w.makesWrong("rolled back", func() error {
		err := w.db.RunInTx(background, nil, func(ctx context.Context, tx bun.Tx) error { return errors.Join(touch(ctx, tx), cancel) })
		if !errors.Is(err, cancel) {
			return err
		}
		return nil
	}, w.all())
	w.makesWrong("in a savepoint that is rolled back", func() error {
		return w.db.RunInTx(background, nil, func(ctx context.Context, tx bun.Tx) error {
			err := tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return errors.Join(touch(ctx, tx), cancel) })
			if !errors.Is(err, cancel) {
				return err
			}
			return nil
		})
	}, w.all())
	w.makesWrong("in a savepoint", func() error {
		return w.db.RunInTx(background, nil, func(ctx context.Context, tx bun.Tx) error {
			return tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return touch(ctx, tx) })
		})
	}, w.all(), w.anyBook()...)
}
