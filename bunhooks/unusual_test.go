package bunhooks_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite"
)

// Databases change more than a statement says. What is left fresh has to be right; how much becomes wrong is second.
func TestChanges_that_a_statement_does_not_tell(t *testing.T) {
	t.Parallel()
	const lines = `CREATE TABLE lines (book_id INTEGER, number INTEGER, text TEXT, PRIMARY KEY (book_id, number));`
	const rows = `INSERT INTO books (id, title, author_id) VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 2);`
	for _, c := range []struct {
		name, tables string
		texts        []string
	}{
		{
			"a generated column", lines + `
			CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, base INTEGER, author_id INTEGER GENERATED ALWAYS AS (base * 1) STORED);
			INSERT INTO books (id, title, base) VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 2);`,
			[]string{"UPDATE books SET base = 5 WHERE id = 1", "INSERT INTO books (id, base) VALUES (2, 5) ON CONFLICT DO UPDATE SET base = excluded.base"},
		},
		{
			"a virtual column", lines + `
			CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, base INTEGER, author_id INTEGER AS (base * 1));
			INSERT INTO books (id, title, base) VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 2);`,
			[]string{"UPDATE books SET base = 5 WHERE id = 1"},
		},
		{
			"a trigger that writes its own table once more", tables + `CREATE TRIGGER own AFTER INSERT ON books BEGIN UPDATE books SET author_id = 5 WHERE id = NEW.id; END;`,
			[]string{"INSERT INTO books VALUES (9, 'i', 1)"},
		},
		{
			"a trigger by a view", tables + `
			CREATE VIEW all_books AS SELECT * FROM books;
			CREATE TRIGGER through INSTEAD OF UPDATE ON all_books BEGIN UPDATE books SET title = NEW.title WHERE id = OLD.id; END;
			CREATE TABLE tills (id INTEGER PRIMARY KEY);
			CREATE TRIGGER sold AFTER INSERT ON tills BEGIN UPDATE all_books SET title = 'sold' WHERE id = NEW.id; END;`,
			[]string{"INSERT INTO tills VALUES (1)"},
		},
		{
			"a chain of triggers", tables + `
			CREATE TABLE t1 (id INTEGER PRIMARY KEY); CREATE TABLE t2 (id INTEGER PRIMARY KEY); CREATE TABLE t3 (id INTEGER PRIMARY KEY);
			CREATE TRIGGER g1 AFTER INSERT ON t1 BEGIN INSERT INTO t2 VALUES (NEW.id); END;
			CREATE TRIGGER g2 AFTER INSERT ON t2 BEGIN INSERT INTO t3 VALUES (NEW.id); END;
			CREATE TRIGGER g3 AFTER INSERT ON t3 BEGIN UPDATE books SET title = 'chained' WHERE id = NEW.id; END;`,
			[]string{"INSERT INTO t1 VALUES (1)"},
		},
		{
			"a cascade into a table with a trigger", tables + `
			CREATE TABLE t1 (id INTEGER PRIMARY KEY); CREATE TABLE t2 (id INTEGER PRIMARY KEY REFERENCES t1 ON DELETE CASCADE);
			CREATE TRIGGER g2 AFTER DELETE ON t2 BEGIN UPDATE books SET title = 'chained' WHERE id = OLD.id; END;
			INSERT INTO t1 VALUES (1); INSERT INTO t2 VALUES (1);`,
			[]string{"DELETE FROM t1"},
		},
		{
			"a conflict that the table resolves by replacing", lines + `CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT UNIQUE ON CONFLICT REPLACE, author_id INTEGER);` + rows,
			[]string{"INSERT INTO books VALUES (9, 'a', 5)", "UPDATE books SET title = 'b' WHERE id = 3"},
		},
		{
			"a key by SQLite's own names", tables,
			[]string{"UPDATE books SET rowid = 9 WHERE id = 1", "UPDATE books SET _rowid_ = 1 WHERE id = 9", "UPDATE books SET oid = 9 WHERE id = 1"},
		},
		{
			"rows that change places", tables,
			[]string{"UPDATE books SET id = CASE id WHEN 1 THEN -3 WHEN 3 THEN -1 ELSE id END", "UPDATE books SET id = abs(id)", "UPDATE books SET author_id = 3 - author_id"},
		},
		{"chance", tables, []string{"UPDATE books SET author_id = 5 WHERE random() % 2 = 0", "DELETE FROM books WHERE abs(random()) % 2 = 0"}},
		{
			"a table that is swapped for another", tables + `CREATE TABLE fresh (id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER); INSERT INTO fresh VALUES (1, 'f', 5);`,
			[]string{"ALTER TABLE books RENAME TO former; ALTER TABLE fresh RENAME TO books", "UPDATE books SET author_id = 1", "DELETE FROM former", "DELETE FROM books"},
		},
		{
			"columns in another case", lines + `CREATE TABLE books (ID INTEGER PRIMARY KEY, Title TEXT, Author_ID INTEGER);` + rows,
			[]string{"UPDATE books SET AUTHOR_ID = 5 WHERE id = 1", "DELETE FROM books WHERE Author_Id = 5"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{tables: c.tables})
			for _, text := range c.texts {
				w.warm(w.all()...)
				w.must(w.exec(text)())
				w.fresh(text, w.all()...)
			}
		})
	}
}

func TestStatement_that_fails_halfway_keeps_what_it_has_done(t *testing.T) {
	t.Parallel()
	const table = `
		CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER UNIQUE);
		CREATE TABLE lines (book_id INTEGER, number INTEGER, text TEXT, PRIMARY KEY (book_id, number));
		INSERT INTO books VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 9);`
	const text = "UPDATE OR FAIL books SET author_id = CASE id WHEN 1 THEN 5 WHEN 2 THEN 9 END WHERE id < 3"
	w := newWorld(t, setup{tables: table})
	w.warm(w.all()...)
	tx, err := w.db.DB.BeginTx(background, nil)
	w.must(err)
	if _, err := tx.ExecContext(background, text); err == nil {
		t.Error("the statement did not fail")
	}
	w.must(tx.Commit())
	if got, err := read(background, w.plain, "SELECT author_id FROM books WHERE id = 1"); got != "5,;" || err != nil {
		t.Fatalf("the first row has %q, %v: the statement was expected to have changed it", got, err)
	}
	w.fresh("in a transaction that is committed all the same", w.all()...)
}

func TestText_that_begins_a_transaction_counts_when_that_is_committed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	c, err := w.db.DB.Conn(background)
	w.must(err)
	defer func() { _ = c.Close() }()
	for _, begin := range []string{"BEGIN; UPDATE books SET title = title || '!' WHERE id = 1", "SAVEPOINT s; UPDATE books SET title = title || '?' WHERE id = 1"} {
		for _, end := range []string{"COMMIT", "ROLLBACK"} {
			w.warm(w.all()...)
			_, err = c.ExecContext(background, begin)
			w.must(err)
			w.warm(w.all()...) // others read, and cache, what was there before
			_, err = c.ExecContext(background, end)
			w.must(err)
			w.fresh(begin+"; "+end, w.all()...)
		}
	}
	w.warm(w.all()...)
	tx, err := w.db.BeginTx(background, nil)
	w.must(err)
	_, err = tx.ExecContext(background, "SAVEPOINT s; UPDATE books SET title = 'in' WHERE id = 1; RELEASE s")
	w.must(err)
	w.warm(w.all()...)
	w.must(tx.Commit())
	w.fresh("several in one text within a transaction", w.all()...)
}

func TestDeclarations_after_Install_count_from_then_on(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{tables: `
		CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT);
		CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER REFERENCES authors ON DELETE CASCADE);
		CREATE TABLE lines (book_id INTEGER REFERENCES books ON DELETE CASCADE, number INTEGER, text TEXT, PRIMARY KEY (book_id, number));
		INSERT INTO authors VALUES (1, 'Ann'), (2, 'Bob');
		INSERT INTO books VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 2);
		INSERT INTO lines VALUES (1, 1, 'x'), (1, 2, 'y'), (2, 1, 'z');`})
	w.must(w.exec("UPDATE books SET title = 'z' WHERE id = 3")())
	w.must(w.cache.Register(AuthorChanged{}, AuthorName{}))
	name := newEntry(w, AuthorName{ID: 2}, "SELECT name FROM authors WHERE id = 2")
	all := append(w.all(), name)
	w.makesWrong("a cascade, as before", w.exec("DELETE FROM authors WHERE id = 1"), all, w.book(1), w.book(2), w.list(1), w.line(1, 1), w.line(1, 2), w.line(2, 1))
	w.makesWrong("what was declared later", w.exec("UPDATE authors SET name = 'Cid'"), all, name)
}

type AuthorChanged struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}

func (AuthorChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Author)(nil)} }

type AuthorName struct {
	cacheme.Node[string]
	ID int64 `cacheme:"field"`
}

func (AuthorName) Meta() cacheme.Meta { return cacheme.Meta{Key: "author:<id>"} }
func (n AuthorName) InvalidNodes() []cacheme.Invalid {
	var changed AuthorChanged
	changed.ID = n.ID
	return []cacheme.Invalid{changed}
}

func TestModel_on_a_view_becomes_wrong_with_its_tables(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{tables: `
		CREATE TABLE stock (id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER, gone INTEGER DEFAULT 0);
		CREATE VIEW books AS SELECT id, title, author_id FROM stock WHERE gone = 0;
		CREATE TABLE lines (book_id INTEGER, number INTEGER, text TEXT, PRIMARY KEY (book_id, number));
		INSERT INTO stock (id, title, author_id) VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 2);`})
	w.makesWrong("its table is written", w.exec("UPDATE stock SET gone = 1 WHERE id = 1"), w.all(), w.anyBook()...)
	w.makesWrong("another one is", w.exec("INSERT INTO lines VALUES (1, 1, 'x')"), w.all(), w.line(1, 1))
}

// Ware has a text where the database has a number, and one that the database folds.
type Ware struct {
	bun.BaseModel `bun:"table:wares"`

	ID   string `bun:",pk,type:integer"`
	Slug string
}

func (w *Ware) CacheKey() string { return "slug:" + w.Slug }

type WareChanged struct {
	cacheme.ModelInvalidNode
	ID string `cacheme:"field"`
}

func (WareChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Ware)(nil)} }

type WareText struct {
	cacheme.Node[string]
	ID string `cacheme:"field"`
}

func (WareText) Meta() cacheme.Meta                { return cacheme.Meta{Key: "ware:<id>"} }
func (n WareText) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{WareChanged{ID: n.ID}} }

func TestTexts_that_are_equal_to_the_database_alone(t *testing.T) {
	t.Parallel()
	w := newBareWorld(t, setup{tables: `CREATE TABLE wares (id INTEGER PRIMARY KEY, slug TEXT COLLATE NOCASE); INSERT INTO wares VALUES (7, 'ink'), (8, 'pen');`})
	w.cache = suite.NewCache(t, suite.Embedded(t).Client(), suite.Patient(cacheme.Options{}), WareChanged{}, WareText{})
	bySlug := cacheme.MustMemo(w.cache, cacheme.Memoized[string, string]{
		Meta:          cacheme.Meta{Key: "slug:<slug>"},
		Values:        func(slug string) []any { return []any{slug} },
		InvalidNodes:  func(slug string) []cacheme.Invalid { return []cacheme.Invalid{cacheme.Tag("slug:" + slug)} },
		InvalidModels: []any{(*Ware)(nil)},
	}, func(ctx context.Context, slug string) (string, error) {
		return read(ctx, w.db.DB, fmt.Sprintf("SELECT * FROM wares WHERE slug = '%s'", slug))
	})
	w.open(setup{})
	slug := func(s string) entry {
		query := fmt.Sprintf("SELECT * FROM wares WHERE slug = '%s'", s)
		return entry{"slug " + s, query, func(ctx context.Context, _ func(context.Context) (string, error)) (string, error) {
			return bySlug.Get(ctx, s)
		}}
	}
	all := []entry{newEntry(w, WareText{ID: "7"}, "SELECT slug FROM wares WHERE id = '7'"), newEntry(w, WareText{ID: "07"}, "SELECT slug FROM wares WHERE id = '07'"), slug("ink"), slug("nib")}
	w.fresh("cold", all...)
	w.must(w.exec("UPDATE wares SET slug = 'nib' WHERE id = 7")())
	w.fresh("an update", all...)
	w.must(w.exec("DELETE FROM wares WHERE id = 7")())
	w.fresh("a delete", all...)
}

func TestErrors_are_those_of_the_database(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	for _, text := range []string{
		"UPDATE books SET author_id = 1 WHERE missing = 1", "UPDATE books SET missing = 1", "DELETE FROM books WHERE missing = 1", "INSERT INTO books VALUES (1, 'a', 1)",
		"INSERT INTO books (missing) VALUES (1)", "UPDATE missing SET id = 1",
	} {
		_, want := w.plain.ExecContext(background, text)
		got := w.exec(text)()
		if want == nil || got == nil || got.Error() != want.Error() || fmt.Sprintf("%T", got) != fmt.Sprintf("%T", want) {
			t.Errorf("Exec(%s) = %T %v, without the hook %T %v", text, got, got, want, want)
		}
	}
}

func TestQueryHook_is_for_one_database(t *testing.T) {
	t.Parallel()
	w := newBareWorld(t, setup{})
	h := bunhooks.NewQueryHook(w.cache, w.log.option())
	for n := range 2 {
		db := bun.NewDB(sql.OpenDB(w.connector(setup{})), sqlitedialect.New()).WithQueryHook(h)
		t.Cleanup(func() { _ = db.Close() })
		if got := w.log.count("level=ERROR"); got != n {
			t.Errorf("%d errors in the log after %d databases, want %d", got, n+1, n)
		}
	}
}
