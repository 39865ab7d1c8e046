package bunhooks_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite/tap"
)

// inTx runs texts in one transaction and ends it.
func (w *world) inTx(end func(*sql.Tx) error, texts ...string) func() error {
	return func() error {
		tx, err := w.db.BeginTx(background, nil)
		if err != nil {
			return err
		}
		for _, text := range texts {
			if _, err := tx.ExecContext(background, text); err != nil {
				return errors.Join(err, tx.Rollback())
			}
		}
		return end(tx.Tx)
	}
}

func TestWithRowCap_names_rows_up_to_it(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{options: []bunhooks.Option{bunhooks.WithRowCap(2)}})
	const one, two, three = "UPDATE books SET title = title || '1' WHERE id = 1", "UPDATE books SET title = title || '2' WHERE author_id = 1", "UPDATE books SET title = title || '3'"
	w.makesWrong("below", w.exec(one), w.all(), w.book(1), w.list(1))
	w.makesWrong("at", w.exec(two), w.all(), w.book(1), w.book(2), w.list(1))
	w.makesWrong("over", w.exec(three), w.all(), w.anyBook()...)
	w.makesWrong("at, by two statements", w.inTx((*sql.Tx).Commit, one, one), w.all(), w.book(1), w.list(1))
	w.makesWrong("over, by two statements", w.inTx((*sql.Tx).Commit, one, two), w.all(), w.anyBook()...)
	w.makesWrong("over, and rolled back", w.inTx((*sql.Tx).Rollback, one, three), w.all())
	w.makesWrong("over, in a savepoint that is rolled back", w.inTx((*sql.Tx).Commit, one, "SAVEPOINT s", three, "ROLLBACK TO s"), w.all(), w.book(1), w.list(1))
	w.makesWrong("over, with what came before a savepoint", w.inTx((*sql.Tx).Commit, one, "SAVEPOINT s", two, "RELEASE s"), w.all(), w.anyBook()...)
	w.makesWrong("over, and one more after the rollback", w.inTx((*sql.Tx).Commit, "SAVEPOINT s", three, "ROLLBACK TO s", two), w.all(), w.book(1), w.book(2), w.list(1))
	w.makesWrong("rows of another table", w.inTx((*sql.Tx).Commit, three, "UPDATE lines SET text = 'q' WHERE number = 2"), w.all(), append(w.anyBook(), w.line(1, 2), w.line(1, 1), w.line(2, 1))...)
}

func TestWithRowCap_of_zero_names_none(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, -1} {
		w := newWorld(t, setup{options: []bunhooks.Option{bunhooks.WithRowCap(n)}})
		w.makesWrong("one row", w.exec("UPDATE books SET title = 'new' WHERE id = 1"), w.all(), w.anyBook()...)
		w.makesWrong("no row", w.exec("UPDATE books SET title = 'new' WHERE id = 77"), w.all())
		w.makesWrong("one row in a transaction", w.inTx((*sql.Tx).Commit, "DELETE FROM books WHERE id = 3"), w.all(), w.anyBook()...)
	}
}

func TestWithTables_watches_a_table_that_no_node_names(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{options: []bunhooks.Option{bunhooks.WithTables("authors")}})
	all := append(w.all(), w.authors())
	w.makesWrong("its rows are written", w.exec("UPDATE authors SET name = 'Cid' WHERE id = 1"), all, w.authors())
	w.makesWrong("no row is", w.exec("UPDATE authors SET name = 'Cid' WHERE id = 77"), all)
	w.makesWrong("another table is", w.exec("DELETE FROM lines WHERE number = 2"), all, w.line(1, 2))

	without := newWorld(t, setup{})
	without.warm(without.authors())
	without.must(without.exec("UPDATE authors SET name = 'Cid' WHERE id = 1")())
	if _, loaded := without.get(background, without.authors()); loaded {
		t.Error("a table that nobody named was watched")
	}
}

func TestAfterCommit_makes_the_same_wrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{options: []bunhooks.Option{bunhooks.AfterCommit()}})
	w.makesWrong("a move", w.exec("UPDATE books SET author_id = 5 WHERE id = 1"), w.all(), w.book(1), w.list(1), w.list(5))
	w.makesWrong("an insert", w.exec("INSERT INTO books VALUES (9, 'i', 2)"), w.all(), w.book(9), w.list(2))
	w.makesWrong("a delete", w.exec("DELETE FROM books WHERE title = 'i'"), w.all(), w.book(9), w.list(2))
	w.makesWrong("a replacement", w.exec("REPLACE INTO books VALUES (3, 'r', 1)"), w.all(), w.anyBook()...)
	w.makesWrong("a statement that fails", func() error {
		if w.exec("INSERT INTO books VALUES (3, 'r', 1)")() == nil {
			t.Error("the statement did not fail")
		}
		return nil
	}, w.all())
	w.makesWrong("a transaction", w.inTx((*sql.Tx).Commit, "UPDATE lines SET text = 'q' WHERE book_id = 2", "DELETE FROM books WHERE id = 2"), w.all(), w.line(2, 1), w.book(2), w.list(1))
	w.makesWrong("a rollback", w.inTx((*sql.Tx).Rollback, "DELETE FROM books"), w.all())
	w.makesWrong("several in one text", w.exec("UPDATE books SET title = 'x' WHERE id = 1; DELETE FROM lines"), w.all(), append(w.anyBook(), w.line(1, 1), w.line(1, 2), w.line(2, 1))...)
}

// A COMMIT that was made, and whose answer is lost.
func TestCommit_without_an_answer_is_held(t *testing.T) {
	t.Parallel()
	lost := errors.New("the answer is lost")
	for _, c := range []struct {
		name    string
		options []bunhooks.Option
		err     error
	}{
		{"fenced", nil, lost},
		{"after commit", []bunhooks.Option{bunhooks.AfterCommit()}, lost},
		{"a connection that is called bad", nil, driver.ErrBadConn},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var cut atomic.Bool
			w := newWorld(t, setup{options: c.options, database: func(_ context.Context, call tap.Call, do func() error) error {
				err := do()
				if err == nil && call.Commits() && cut.CompareAndSwap(true, false) {
					return c.err
				}
				return err
			}})
			entries := []entry{w.book(1), w.list(1), w.book(3)}
			w.warm(entries...)
			cut.Store(true)
			err := w.inTx((*sql.Tx).Commit, "UPDATE books SET title = title || '!' WHERE id = 1")()
			if !errors.Is(err, c.err) {
				t.Errorf("Commit() = %v, want %v", err, c.err)
			}
			for range 2 {
				loaded := w.fresh("held", entries...)
				if !loaded[w.book(1).name] || !loaded[w.list(1).name] || loaded[w.book(3).name] {
					t.Errorf("loaded %v, want what was written, each time, and nothing else", loaded)
				}
			}
		})
	}
}

func TestCommit_of_a_single_statement_without_an_answer_is_not_run_again(t *testing.T) {
	t.Parallel()
	var cut atomic.Bool
	w := newWorld(t, setup{database: func(_ context.Context, call tap.Call, do func() error) error {
		err := do()
		if err == nil && call.Commits() && cut.CompareAndSwap(true, false) {
			return driver.ErrBadConn
		}
		return err
	}})
	w.warm(w.book(1), w.book(3))
	cut.Store(true)
	if err := w.exec("UPDATE books SET title = title || '!' WHERE id = 1")(); err == nil || errors.Is(err, driver.ErrBadConn) {
		t.Errorf("Exec() = %v, want an error, and none at which database/sql runs the statement again", err)
	}
	if got, err := read(background, w.plain, "SELECT title FROM books WHERE id = 1"); got != "a!,;" || err != nil {
		t.Errorf("the title is %q, %v, want it written once", got, err)
	}
	for range 2 {
		if loaded := w.fresh("held", w.book(1), w.book(3)); len(loaded) != 1 || !loaded[w.book(1).name] {
			t.Errorf("loaded %v, want the book that was written", loaded)
		}
	}
	w.must(w.exec("UPDATE books SET title = 'z' WHERE id = 3")())
	w.fresh("afterwards", w.book(1), w.book(3))
}
