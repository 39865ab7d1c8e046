package bunhooks_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/cacheme/cacheme/internal/suite/tap"
)

func TestCOMMIT_behind_another_statement_of_its_text_counts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	c, err := w.db.DB.Conn(background)
	w.must(err)
	defer func() { _ = c.Close() }()
	for _, text := range []string{"SELECT 1; COMMIT", "UPDATE authors SET name = 'x'; COMMIT", "COMMIT; BEGIN; ROLLBACK"} {
		w.warm(w.all()...)
		for _, text := range []string{"BEGIN", "UPDATE books SET title = title || '!' WHERE id = 1", text} {
			_, err = c.ExecContext(background, text)
			w.must(err)
		}
		w.fresh(text, w.all()...)
	}
	w.warm(w.all()...)
	for _, text := range []string{"BEGIN", "UPDATE books SET title = title || '!' WHERE id = 1", "SELECT 1; SAVEPOINT s", "SELECT 1; ROLLBACK"} {
		_, err = c.ExecContext(background, text)
		w.must(err)
	}
	if loaded := w.fresh("rolled back", w.all()...); len(loaded) > 0 {
		t.Errorf("a ROLLBACK made wrong %v", loaded)
	}
}

const family = `
	CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER);
	CREATE TABLE lines (book_id INTEGER REFERENCES books ON DELETE CASCADE, number INTEGER, text TEXT, PRIMARY KEY (book_id, number));
	INSERT INTO books VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 2);
	INSERT INTO lines VALUES (1, 1, 'x'), (1, 2, 'y'), (2, 1, 'z');`

func TestSchema_change_that_is_rolled_back_is_not_learned(t *testing.T) {
	t.Parallel()
	for _, steps := range [][]string{
		{"BEGIN; DROP TABLE lines", "ROLLBACK"},
		{"BEGIN", "DROP TABLE lines", "ROLLBACK"},
		{"BEGIN", "SAVEPOINT s; DROP TABLE lines", "ROLLBACK TO s; COMMIT"},
	} {
		w := newWorld(t, setup{tables: family})
		c, err := w.db.DB.Conn(background)
		w.must(err)
		for _, text := range steps {
			_, err = c.ExecContext(background, text)
			w.must(err)
		}
		w.must(c.Close())
		w.makesWrong(strings.Join(steps, ", "), w.exec("DELETE FROM books WHERE id = 1"), w.all(), w.book(1), w.list(1), w.line(1, 1), w.line(1, 2))
	}
}

func TestSchema_change_in_a_text_that_began_a_transaction_is_learned_at_its_COMMIT(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	c, err := w.db.DB.Conn(background)
	w.must(err)
	for _, text := range []string{"BEGIN; CREATE TABLE later (id INTEGER REFERENCES authors ON DELETE CASCADE)", "CREATE TRIGGER gone AFTER DELETE ON later BEGIN DELETE FROM books WHERE author_id = OLD.id; END", "COMMIT"} {
		_, err = c.ExecContext(background, text)
		w.must(err)
	}
	w.must(c.Close())
	w.must(w.exec("INSERT INTO later VALUES (2)")())
	w.makesWrong("a cascade into a trigger", w.exec("DELETE FROM authors WHERE id = 2"), w.all(), w.anyBook()...)
}

func TestCascade_goes_past_a_temporary_table_of_the_same_name(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{tables: family})
	c, err := w.db.DB.Conn(background)
	w.must(err)
	defer func() { _ = c.Close() }()
	_, err = c.ExecContext(background, "CREATE TEMP TABLE lines (book_id INTEGER, number INTEGER, text TEXT)")
	w.must(err)
	w.makesWrong("a cascade", func() error {
		_, err := c.ExecContext(background, "DELETE FROM books WHERE id = 1")
		return err
	}, w.all(), w.book(1), w.list(1), w.line(1, 1), w.line(1, 2))
}

func TestInstall_while_somebody_makes_a_table(t *testing.T) {
	t.Parallel()
	var w *world
	var once sync.Once
	s := setup{database: func(ctx context.Context, c tap.Call, do func() error) error {
		if strings.Contains(c.Text, "pragma_table_xinfo") {
			once.Do(func() { w.must(w.plainly("CREATE TABLE just_now (id INTEGER PRIMARY KEY)")) })
		}
		return do()
	}}
	w = newBareWorld(t, s)
	w.open(s)
	w.makesWrong("an update", w.exec("UPDATE books SET title = 'x' WHERE id = 1"), w.all(), w.book(1), w.list(1))
}

// plainly writes past the hook.
func (w *world) plainly(text string) error {
	_, err := w.plain.ExecContext(background, text)
	return err
}
