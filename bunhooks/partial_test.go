package bunhooks_test

import (
	"database/sql"
	"testing"
)

// What a failing statement leaves is committed with the rest, or, without a transaction, at once.
func TestWrites_that_fail_halfway_make_wrong_what_they_leave(t *testing.T) {
	t.Parallel()
	const lines = "CREATE TABLE lines (book_id INTEGER, number INTEGER, text TEXT, PRIMARY KEY (book_id, number));"
	const rows = "INSERT INTO books VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 2);"
	for _, c := range []struct{ name, tables, text string }{
		{"the second of several statements", tables, "UPDATE books SET title = 'x' WHERE id = 1; INSERT INTO books VALUES (1, 'y', 1)"},
		{"an early one of several statements", tables + "CREATE UNIQUE INDEX titles ON books (title);", "UPDATE OR FAIL books SET title = 'x'; UPDATE books SET author_id = author_id"},
		{
			"a rule of the table",
			lines + "CREATE TABLE books (id INTEGER PRIMARY KEY ON CONFLICT FAIL, title TEXT, author_id INTEGER);" + rows,
			"INSERT INTO books VALUES (9, 'x', 1), (1, 'y', 1)",
		},
		{
			"a rule of the table, at an update",
			lines + "CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT UNIQUE ON CONFLICT FAIL, author_id INTEGER);" + rows,
			"UPDATE books SET title = 'x'",
		},
		{
			"a trigger", tables + "CREATE TRIGGER strict BEFORE UPDATE ON books WHEN OLD.id = 2 BEGIN SELECT RAISE(FAIL, 'no'); END;",
			"UPDATE books SET title = 'x'",
		},
		{
			"a trigger that writes a table with such a rule", tables + `
			CREATE TABLE told (title TEXT UNIQUE ON CONFLICT FAIL);
			CREATE TRIGGER tell AFTER UPDATE ON books BEGIN INSERT INTO told VALUES (NEW.title); END;`,
			"UPDATE books SET title = 'x'",
		},
		{
			"a trigger of what goes along", `
			CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER);
			CREATE TABLE lines (book_id INTEGER REFERENCES books ON DELETE CASCADE, number INTEGER, text TEXT, PRIMARY KEY (book_id, number));
			CREATE TRIGGER strict BEFORE DELETE ON lines WHEN OLD.book_id = 2 BEGIN SELECT RAISE(FAIL, 'no'); END;
			` + rows + "INSERT INTO lines VALUES (1, 1, 'x'), (2, 1, 'z');",
			"DELETE FROM books WHERE id < 3",
		},
		{
			"a trigger of a view", tables + `
			CREATE VIEW shown AS SELECT id, title FROM books;
			CREATE TRIGGER strict INSTEAD OF UPDATE ON shown BEGIN
				UPDATE books SET title = NEW.title WHERE id = OLD.id; SELECT RAISE(FAIL, 'no') WHERE OLD.id = 2; END;`,
			"UPDATE shown SET title = 'x'",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			const all = "SELECT * FROM books ORDER BY id"
			var left []string
			for _, in := range []string{"autocommit", "a transaction", "autocommit of the plain pool"} {
				w := newWorld(t, setup{tables: c.tables})
				w.warm(w.all()...)
				before, err := read(background, w.plain, all)
				w.must(err)
				switch in {
				case "a transaction":
					tx, err := w.db.DB.BeginTx(background, nil)
					w.must(err)
					if _, err := tx.ExecContext(background, c.text); err == nil {
						t.Error("the text did not fail")
					}
					w.must(tx.Commit())
				default:
					pool := map[string]*sql.DB{"autocommit": w.db.DB, "autocommit of the plain pool": w.plain}[in]
					if _, err := pool.ExecContext(background, c.text); err == nil {
						t.Error("the text did not fail")
					}
				}
				after, err := read(background, w.plain, all)
				w.must(err)
				if after == before && in == "a transaction" {
					t.Errorf("in %s the text left nothing", in)
				}
				if left = append(left, after); in != "autocommit of the plain pool" {
					w.fresh(in, w.all()...)
				}
			}
			if left[0] != left[2] {
				t.Errorf("the text left %s, without the hook %s", left[0], left[2])
			}
		})
	}
}

func TestTables_without_such_rules_stay_exact_beside_one_that_has_them(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{tables: tables + "CREATE TABLE told (title TEXT UNIQUE ON CONFLICT FAIL);"})
	w.makesWrong("an update", w.exec("UPDATE books SET title = 'x' WHERE id = 1"), w.all(), w.book(1), w.list(1))
	w.makesWrong("an insert", w.exec("INSERT INTO books VALUES (9, 'x', 5)"), w.all(), w.book(9), w.list(5))
}
