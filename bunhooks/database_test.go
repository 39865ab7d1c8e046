package bunhooks_test

import (
	"database/sql"
	"testing"

	"github.com/cacheme/cacheme/bunhooks"
)

func TestTriggers_that_write_another_table_make_it_wrong_as_a_whole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{tables: tables + `
		CREATE TABLE tills (id INTEGER PRIMARY KEY, total INTEGER);
		CREATE TRIGGER sold AFTER UPDATE ON tills BEGIN UPDATE books SET title = title || '.' WHERE id = NEW.id; END;
		CREATE TRIGGER struck AFTER DELETE ON lines BEGIN UPDATE books SET title = '-' WHERE id = OLD.book_id; END;
		INSERT INTO tills VALUES (1, 0);`})
	w.makesWrong("a table that nobody watches", w.exec("UPDATE tills SET total = 1"), w.all(), w.anyBook()...)
	w.makesWrong("one that is watched", w.exec("DELETE FROM lines WHERE number = 2"), w.all(), append(w.anyBook(), w.line(1, 2))...)
	w.makesWrong("rolled back", w.inTx((*sql.Tx).Rollback, "UPDATE tills SET total = 2"), w.all())
}

func TestViews_make_the_tables_behind_them_wrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{tables: tables + `
		CREATE VIEW cheap AS SELECT id, title FROM books;
		CREATE VIEW cheaper AS SELECT * FROM cheap;
		CREATE VIEW people AS SELECT * FROM authors;
		CREATE TRIGGER rename INSTEAD OF UPDATE ON cheaper BEGIN UPDATE books SET title = NEW.title WHERE id = OLD.id; END;
		CREATE TRIGGER rename_people INSTEAD OF UPDATE ON people BEGIN UPDATE authors SET name = NEW.name WHERE id = OLD.id; END;`})
	w.makesWrong("a view of a view", w.exec("UPDATE cheaper SET title = 'v' WHERE id = 1"), w.all(), w.anyBook()...)
	w.makesWrong("a view of something else", w.exec("UPDATE people SET name = 'v' WHERE id = 1"), w.all())
}

func TestCascades_make_exactly_the_rows_wrong_that_the_database_takes_along(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{tables: `
		CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT);
		CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER REFERENCES authors ON DELETE CASCADE);
		CREATE TABLE lines (book_id INTEGER REFERENCES books (id) ON DELETE CASCADE, number INTEGER, text TEXT, PRIMARY KEY (book_id, number));
		INSERT INTO authors VALUES (1, 'Ann'), (2, 'Bob'), (5, 'Cid');
		INSERT INTO books VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 2);
		INSERT INTO lines VALUES (1, 1, 'x'), (1, 2, 'y'), (2, 1, 'z');`})
	w.makesWrong("rolled back", w.inTx((*sql.Tx).Rollback, "DELETE FROM authors WHERE name = 'Ann'"), w.all())
	w.makesWrong("one level", w.exec("DELETE FROM books WHERE title = 'b'"), w.all(), w.book(2), w.list(1), w.line(2, 1))
	w.makesWrong("two levels", w.exec("DELETE FROM authors WHERE name = 'Ann'"), w.all(), w.book(1), w.list(1), w.line(1, 1), w.line(1, 2))
	w.makesWrong("nobody refers to it", w.exec("DELETE FROM authors WHERE id = 5"), w.all())
	w.makesWrong("no row", w.exec("DELETE FROM authors WHERE id = 5"), w.all())
}

func TestCascades_that_take_a_reference_out(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{tables: `
		CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT);
		CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER REFERENCES authors ON DELETE SET NULL ON UPDATE CASCADE);
		CREATE TABLE lines (book_id INTEGER, number INTEGER, text TEXT, PRIMARY KEY (book_id, number));
		INSERT INTO authors VALUES (1, 'Ann'), (2, 'Bob');
		INSERT INTO books VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 2);
		INSERT INTO lines VALUES (1, 1, 'x');`})
	w.makesWrong("SET NULL", w.exec("DELETE FROM authors WHERE id = 1"), w.all(), w.book(1), w.book(2), w.list(1))
	w.makesWrong("a key that is changed takes its references along: nobody knows which", w.exec("UPDATE authors SET id = 5 WHERE id = 2"), w.all(), w.anyBook()...)
}

func TestCascades_in_a_circle_make_the_table_wrong_as_a_whole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{tables: `
		CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT, best INTEGER REFERENCES books ON DELETE CASCADE);
		CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER REFERENCES authors ON DELETE CASCADE);
		CREATE TABLE lines (book_id INTEGER, number INTEGER, text TEXT, parent INTEGER, PRIMARY KEY (book_id, number), FOREIGN KEY (book_id, parent) REFERENCES lines ON DELETE CASCADE);
		INSERT INTO authors VALUES (1, 'Ann', NULL), (2, 'Bob', NULL);
		INSERT INTO books VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 2);
		UPDATE authors SET best = 3 WHERE id = 1;
		INSERT INTO lines VALUES (1, 1, 'x', NULL), (1, 2, 'y', 1), (2, 1, 'z', NULL);`})
	w.makesWrong("two tables", w.exec("DELETE FROM books WHERE id = 3"), w.all(), w.anyBook()...)
	w.makesWrong("one table, a key of two columns", w.exec("DELETE FROM lines WHERE book_id = 1 AND number = 1"), w.all(), w.line(1, 1), w.line(1, 2), w.line(2, 1))
}

func TestKeys_of_two_columns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	w.makesWrong("one row", w.exec("UPDATE lines SET text = 'new' WHERE text = 'y'"), w.all(), w.line(1, 2))
	w.makesWrong("by one of the columns", w.exec("DELETE FROM lines WHERE book_id = 1"), w.all(), w.line(1, 1), w.line(1, 2))
	w.makesWrong("a key that is changed", w.exec("UPDATE lines SET number = 2 WHERE text = 'z'"), append(w.all(), w.line(2, 2)), w.line(2, 1), w.line(2, 2))
}

func TestTables_made_after_Install_are_found(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{tables: `CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT);`})
	for _, text := range []string{
		`CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER REFERENCES authors ON DELETE CASCADE)`,
		`CREATE TABLE lines (book_id INTEGER, number INTEGER, text TEXT, PRIMARY KEY (book_id, number))`,
		`INSERT INTO authors VALUES (1, 'Ann'), (2, 'Bob'), (5, 'Cid')`,
		`INSERT INTO books VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 2)`,
	} {
		w.must(w.exec(text)())
	}
	w.makesWrong("an update", w.exec("UPDATE books SET author_id = 5 WHERE title = 'a'"), w.all(), w.book(1), w.list(1), w.list(5))
	w.makesWrong("a cascade", w.exec("DELETE FROM authors WHERE id = 2"), w.all(), w.book(3), w.list(2))
}

func TestSchema_changes_in_a_transaction_count_with_its_commit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{options: []bunhooks.Option{bunhooks.WithTables("authors")}})
	texts := []string{
		"ALTER TABLE books ADD COLUMN pages INTEGER DEFAULT 1",
		"UPDATE books SET pages = 2 WHERE id = 1",
		"CREATE TRIGGER shelved AFTER UPDATE ON authors BEGIN UPDATE lines SET text = 't' WHERE number = 2; END",
	}
	all := append(w.all(), w.authors())
	w.makesWrong("rolled back", w.inTx((*sql.Tx).Rollback, texts...), all)
	w.makesWrong("afterwards, without the trigger", w.exec("UPDATE authors SET name = 'Cid' WHERE id = 1"), all, w.authors())
	w.makesWrong("committed", w.inTx((*sql.Tx).Commit, texts...), all, append(w.anyBook(), w.authors())...)
	w.makesWrong("afterwards, exact again", w.exec("UPDATE books SET pages = 3 WHERE title = 'c'"), all, w.book(3), w.list(2))
	w.makesWrong("afterwards, with the trigger", w.exec("UPDATE authors SET name = 'Dan' WHERE id = 1"), all, w.authors(), w.line(1, 1), w.line(1, 2), w.line(2, 1))
	w.must(w.exec("DROP TABLE books")())
	w.must(w.exec("CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER)")())
	w.fresh("after the table was made anew", all...)
}

func TestNames_in_other_spellings_are_the_same_table(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	for _, text := range []string{
		`UPDATE "books" SET title = 'n' WHERE id = 1`, `UPDATE BOOKS SET title = 'n' WHERE id = 1`, "UPDATE `Books` SET title = 'n' WHERE id = 1",
		`UPDATE [books] SET title = 'n' WHERE id = 1`, `UPDATE main.books SET title = 'n' WHERE id = 1`, "/* why */ UPDATE books -- here\n AS b SET title = 'n' WHERE b.id = 1",
		`WITH one AS (SELECT 1 AS id) UPDATE books SET title = 'n' WHERE id IN (SELECT id FROM one)`, `UPDATE books SET "title" = 'n', title = 'n;' WHERE id = 1;`,
	} {
		w.makesWrong(text, w.exec(text), w.all(), w.book(1), w.list(1))
	}
}
