package bunhooks_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
)

// lastWrites are what Explain tells of a node: by dependency, the write in words without its place and its process.
func (w *world) lastWrites(node cacheme.Declaration) map[string]string {
	w.t.Helper()
	x, err := w.cache.Explain(background, node)
	w.must(err)
	told := map[string]string{}
	for _, d := range x.Dependencies {
		if d.LastWrite != nil {
			w := *d.LastWrite
			w.Process = ""
			told[d.Name] = lineOf.ReplaceAllString(w.String(), "")
		} else if len(d.OneOf) > 0 {
			told[d.Name] = d.Note
		}
	}
	return told
}

// lineOf is where a write was made: this file, at whatever line.
var lineOf = regexp.MustCompile(` at \w+/explain_test\.go:\d+`)

func TestExplain_names_what_was_written(t *testing.T) {
	t.Parallel()
	book := func(id int64) cacheme.Declaration { return BookText{ID: id} }
	for _, c := range []struct {
		name  string
		setup setup
		write func(w *world) error
		node  cacheme.Declaration
		want  map[string]string
	}{
		{
			"one row",
			setup{},
			func(w *world) error {
				_, err := w.db.NewUpdate().Model((*Book)(nil)).Set("title = 'x'").Where("id = 1").Exec(background)
				return err
			},
			book(1),
			map[string]string{"row:book:1": "UPDATE books row 1"},
		},
		{
			"rows by a condition",
			setup{},
			func(w *world) error {
				_, err := w.db.NewUpdate().Model((*Book)(nil)).Set("title = 'x'").Where("author_id = 1").Exec(background)
				return err
			},
			book(2),
			map[string]string{"row:book:2": "UPDATE books rows 1, 2"},
		},
		{
			"a moved row counts once",
			setup{},
			func(w *world) error {
				_, err := w.db.NewUpdate().Model((*Book)(nil)).Set("author_id = 2").Where("id = 1").Exec(background)
				return err
			},
			ListText{Author: 2},
			map[string]string{"row:book:author:2": "UPDATE books row 1"},
		},
		{
			"a key of two columns",
			setup{},
			func(w *world) error {
				_, err := w.db.NewDelete().Model((*Line)(nil)).Where("book_id = 1 AND number = 2").Exec(background)
				return err
			},
			LineText{Book: 1, Number: 2},
			map[string]string{"row:line:1:2": "DELETE lines row 1,2"},
		},
		{
			"several statements",
			setup{},
			func(w *world) error {
				return w.db.RunInTx(background, nil, func(ctx context.Context, tx bun.Tx) error {
					_, a := tx.NewUpdate().Model((*Book)(nil)).Set("title = 'x'").Where("id = 1").Exec(ctx)
					_, b := tx.NewDelete().Model((*Book)(nil)).Where("id = 2").Exec(ctx)
					_, c := tx.NewInsert().Model(&Book{ID: 9, AuthorID: 7}).Exec(ctx)
					return errors.Join(a, b, c)
				})
			},
			book(2),
			map[string]string{"row:book:2": "DELETE books row 2"},
		},
		{
			"a statement that is undone by a savepoint",
			setup{},
			func(w *world) error {
				return w.db.RunInTx(background, nil, func(ctx context.Context, tx bun.Tx) error {
					_, err := tx.NewUpdate().Model((*Book)(nil)).Set("title = 'x'").Where("id = 1").Exec(ctx)
					undone := tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
						_, err := tx.NewDelete().Model((*Book)(nil)).Where("id = 1").Exec(ctx)
						return errors.Join(err, context.Canceled)
					})
					if !errors.Is(undone, context.Canceled) {
						return undone
					}
					return err
				})
			},
			book(1),
			map[string]string{"row:book:1": "UPDATE books row 1"},
		},
		{
			"more rows than are named",
			setup{options: []bunhooks.Option{bunhooks.WithRowCap(1)}},
			func(w *world) error {
				_, err := w.db.ExecContext(background, "DELETE FROM books WHERE author_id = 1")
				return err
			},
			book(1),
			map[string]string{"table:books": "DELETE books as a whole"},
		},
		{
			"the rows of several statements that are too many",
			setup{options: []bunhooks.Option{bunhooks.WithRowCap(1)}},
			func(w *world) error {
				return w.db.RunInTx(background, nil, func(ctx context.Context, tx bun.Tx) error {
					_, a := tx.ExecContext(ctx, "DELETE FROM books WHERE id = 1")
					_, b := tx.ExecContext(ctx, "UPDATE books SET title = 'x' WHERE id = 2")
					return errors.Join(a, b)
				})
			},
			book(1),
			map[string]string{"row:book:1": "", "table:books": "UPDATE books as a whole"},
		},
		{
			"after the COMMIT",
			setup{options: []bunhooks.Option{bunhooks.AfterCommit()}},
			func(w *world) error {
				_, err := w.db.ExecContext(background, "UPDATE books SET title = 'x' WHERE id = 3")
				return err
			},
			book(3),
			map[string]string{"row:book:3": "UPDATE books row 3"},
		},
		{
			"connections that are not wrapped",
			setup{unwrapped: true},
			func(w *world) error {
				_, err := w.db.ExecContext(background, "UPDATE books SET title = 'x' WHERE id = 3")
				return err
			},
			book(3),
			map[string]string{"table:books": "UPDATE books as a whole"},
		},
		{
			"a write of which nobody knows the rows",
			setup{},
			func(w *world) error {
				_, err := w.db.ExecContext(background, "REPLACE INTO books VALUES (1, 'x', 1)")
				return err
			},
			book(1),
			map[string]string{"table:books": "INSERT books as a whole"},
		},
		{
			"with a trace",
			setup{cache: cacheme.Options{Trace: func(context.Context) string { return "4bf9" }}},
			func(w *world) error {
				_, err := w.db.ExecContext(background, "UPDATE books SET title = 'x' WHERE id = 3")
				return err
			},
			book(3),
			map[string]string{"row:book:3": "UPDATE books row 3, trace 4bf9"},
		},
		{
			"nothing where writes are forgotten",
			setup{cache: cacheme.Options{ForgetWrites: true}},
			func(w *world) error {
				_, err := w.db.ExecContext(background, "UPDATE books SET title = 'x' WHERE id = 3")
				return err
			},
			book(3),
			map[string]string{},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, c.setup)
			w.warm(w.all()...)
			w.must(c.write(w))
			maps := w.lastWrites(c.node)
			for name, want := range c.want {
				if got := maps[name]; got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if len(c.want) == 0 && len(maps) > 0 {
				t.Errorf("LastWrite = %v, want none", maps)
			}
		})
	}
}

func TestExplain_has_the_line_of_the_statement_and_not_of_the_COMMIT(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	w.warm(w.all()...)
	tx, err := w.db.BeginTx(background, nil)
	w.must(err)
	_, err = tx.ExecContext(background, "UPDATE books SET title = 'x' WHERE id = 1") // the line
	w.must(err)
	w.must(tx.Commit())
	x, err := w.cache.Explain(background, BookText{ID: 1})
	w.must(err)
	source, err := os.ReadFile("explain_test.go")
	w.must(err)
	line := 1 + slices.IndexFunc(strings.Split(string(source), "\n"), func(l string) bool {
		return strings.HasSuffix(l, "// the "+"line")
	})
	for _, d := range x.Dependencies {
		if d.Name == "row:book:1" && (d.LastWrite == nil || !strings.HasSuffix(d.LastWrite.Caller, fmt.Sprintf("/explain_test.go:%d", line))) {
			t.Errorf("LastWrite = %+v, want line %d", d.LastWrite, line)
		}
	}
}

// What docs/debugging.md shows is what Explain says, but for the folder of this test, its lines and the random part of a TTL.
func TestDebuggingPageShowsWhatExplainSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{cache: cacheme.Options{Trace: func(context.Context) string { return "4bf92f35" }}})
	w.warm(w.all()...)
	_, err := w.db.NewUpdate().Model((*Book)(nil)).Set("title = 'x'").Where("id = 2").Exec(background)
	w.must(err)
	x, err := w.cache.Explain(background, BookText{ID: 2})
	w.must(err)
	impact, err := bunhooks.WouldInvalidate(background, w.db, w.db.NewDelete().Model((*Book)(nil)).Where("author_id = 1"))
	w.must(err)
	w.must(impact.Scan(background, 10_000, nil))
	page, err := os.ReadFile("../docs/debugging.md")
	w.must(err)
	for _, text := range []string{x.String(), impact.String()} {
		text = lineOf.ReplaceAllString(text, " at shop/writes.go:88")
		text = regexp.MustCompile(`expires in \S+`).ReplaceAllString(text, "expires in 54m12s")
		text = strings.ReplaceAll(strings.ReplaceAll(text, "github.com/cacheme/cacheme/bunhooks_test", "example.org/shop"), "bunhooks_test", "shop")
		if !strings.Contains(string(page), text) {
			t.Errorf("docs/debugging.md does not show\n%s", text)
		}
	}
}

// A dry run says what the write then does.
func TestWouldInvalidate_says_what_the_write_makes_wrong(t *testing.T) {
	t.Parallel()
	const cascading = `
		CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT);
		CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER REFERENCES authors (id) ON DELETE CASCADE);
		CREATE TABLE lines (book_id INTEGER REFERENCES books (id) ON DELETE CASCADE, number INTEGER, text TEXT, PRIMARY KEY (book_id, number));
		INSERT INTO authors VALUES (1, 'Ann'), (2, 'Bob');
		INSERT INTO books VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 2);
		INSERT INTO lines VALUES (1, 1, 'x'), (1, 2, 'y'), (2, 1, 'z');`
	for _, c := range []struct {
		name  string
		setup setup
		query func(db *bun.DB) bun.Query
		exec  string // the same
		why   string
		less  bool // the write makes more wrong than can be known before
	}{
		{"one row", setup{}, func(db *bun.DB) bun.Query {
			return db.NewUpdate().Model((*Book)(nil)).Set("title = 'x'").Where("id = 1")
		}, "UPDATE books SET title = 'x' WHERE id = 1", "", false},
		{
			"rows by a condition",
			setup{},
			func(db *bun.DB) bun.Query { return db.NewDelete().Model((*Book)(nil)).Where("author_id = 1") },
			"DELETE FROM books WHERE author_id = 1", "", false,
		},
		{
			"no row",
			setup{},
			func(db *bun.DB) bun.Query { return db.NewDelete().Model((*Book)(nil)).Where("author_id = 99") },
			"DELETE FROM books WHERE author_id = 99", "", false,
		},
		{
			"rows that the database deletes too",
			setup{tables: cascading},
			func(db *bun.DB) bun.Query { return db.NewDelete().Model((*Author)(nil)).Where("id = 1") },
			"DELETE FROM authors WHERE id = 1", "", false,
		},
		{"a row that moves", setup{}, func(db *bun.DB) bun.Query {
			return db.NewUpdate().Model((*Book)(nil)).Set("author_id = 2").Where("id = 1")
		}, "UPDATE books SET author_id = 2 WHERE id = 1", "", true},
		{
			"an insert",
			setup{},
			func(db *bun.DB) bun.Query { return db.NewInsert().Model(&Book{ID: 9, AuthorID: 1}) },
			"INSERT INTO books VALUES (9, '', 1)", "", true,
		},
		{"more rows than are named", setup{options: []bunhooks.Option{bunhooks.WithRowCap(1)}}, func(db *bun.DB) bun.Query {
			return db.NewDelete().Model((*Book)(nil)).Where("author_id = 1")
		}, "DELETE FROM books WHERE author_id = 1", "it writes more than 1 rows, see WithRowCap", false},
		{"a raw text that nobody understands", setup{}, func(db *bun.DB) bun.Query {
			return db.NewRaw("UPDATE books SET title = 'x' WHERE id = 1; DELETE FROM lines")
		}, "UPDATE books SET title = 'x' WHERE id = 1; DELETE FROM lines", "which rows it writes cannot be known from its text", false},
		{
			"chance",
			setup{},
			func(db *bun.DB) bun.Query { return db.NewDelete().Model((*Book)(nil)).Where("random() > id") },
			"", "the rows that it is about to write cannot be asked for", false,
		},
		{
			"a read",
			setup{},
			func(db *bun.DB) bun.Query { return db.NewSelect().Model((*Book)(nil)) },
			"SELECT 1", "it is no write", false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, c.setup)
			w.warm(w.all()...)
			before := w.rows()
			i, err := bunhooks.WouldInvalidate(background, w.db, c.query(w.db))
			w.must(err)
			if i.Why != c.why {
				t.Errorf("Why = %q, want %q", i.Why, c.why)
			}
			if diff := cmp.Diff(before, w.rows()); diff != "" {
				t.Errorf("the write was run (-before +after):\n%s", diff)
			}
			w.fresh("after a dry run", w.all()...)
			if c.exec == "" {
				return
			}
			got := slices.Sorted(slices.Values(i.Dependencies))
			did := w.madeWrong(c.exec)
			if c.less {
				if i.Note == "" || len(got) == 0 || slices.ContainsFunc(got, func(name string) bool { return !slices.Contains(did, name) }) {
					t.Errorf("Dependencies = %q, %q, want some of %q, and a note", got, i.Note, did)
				}
				return
			}
			if diff := cmp.Diff(did, got, cmp.Comparer(slices.Equal[[]string])); diff != "" {
				t.Errorf("Dependencies (-what the write does +got):\n%s", diff)
			}
		})
	}
}

// rows are all that the database holds.
func (w *world) rows() (all []string) {
	w.t.Helper()
	for _, table := range []string{"authors", "books", "lines"} {
		text, err := read(background, w.plain, "SELECT * FROM "+table)
		w.must(err)
		all = append(all, text)
	}
	return all
}

// madeWrong runs a write, and lists what it gave another token, by what the record of the write is found with.
func (w *world) madeWrong(text string) []string {
	w.t.Helper()
	impact, err := w.cache.WouldInvalidate(cacheme.Table("books"), cacheme.Table("lines"), cacheme.Table("authors"))
	w.must(err)
	names := impact.Dependencies
	for id := range int64(10) {
		for _, i := range []cacheme.Invalid{BookChanged{ID: id}, BooksOf{Author: id}, LineChanged{BookID: id, Number: 1}, LineChanged{BookID: id, Number: 2}} {
			one, err := w.cache.WouldInvalidate(i)
			w.must(err)
			names = append(names, one.Dependencies...)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	tokens := func() (all []string) {
		for _, name := range names {
			text, _ := w.redis.Get(background, "CM:"+name+":invalid").Result()
			all = append(all, nonceOf(text))
		}
		return all
	}
	before := tokens()
	_, err = w.db.ExecContext(background, text)
	w.must(err)
	var changed []string
	for i, token := range tokens() {
		if token != before[i] {
			changed = append(changed, names[i])
		}
	}
	return changed
}

func nonceOf(record string) string {
	if parts := strings.Split(record, "|"); len(parts) > 3 {
		return parts[3]
	}
	return ""
}

func TestWouldInvalidate_finds_nodes_and_live_entries(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	w.warm(w.all()...)
	i, err := bunhooks.WouldInvalidate(background, w.db, w.db.NewDelete().Model((*Book)(nil)).Where("id = 1"))
	w.must(err)
	if got, want := fmt.Sprint(i.Nodes), "[{bunhooks_test.BookText book:<id> [bunhooks_test.BookChanged]} {bunhooks_test.ListText list:<author> [bunhooks_test.BooksOf]}]"; got != want {
		t.Errorf("Nodes = %s, want %s", got, want)
	}
	calls := 0
	w.must(i.Scan(background, 10_000, func(int, int) bool { calls++; return true }))
	if want := []string{"book:1", "list:1"}; !slices.Equal(i.Entries, want) || !i.Complete || i.Found != 2 {
		t.Errorf("Entries = %q of %d, complete %v, want %q", i.Entries, i.Scanned, i.Complete, want)
	}
	w.must(i.Scan(background, 1, nil))
	if i.Complete || i.Scanned != 1 {
		t.Errorf("Scan of at most 1: %d, complete: %v", i.Scanned, i.Complete)
	}
}

func TestWouldInvalidate_needs_the_hook(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{unwrapped: true})
	var wrong *bunhooks.InstallError
	if _, err := bunhooks.WouldInvalidate(background, w.db, w.db.NewDelete().Model((*Book)(nil)).Where("id = 1")); !errors.As(err, &wrong) {
		t.Errorf("WouldInvalidate = %v, want an InstallError", err)
	}
	ctx, cancel := context.WithTimeout(background, -time.Second)
	defer cancel()
	hooked := newWorld(t, setup{})
	if _, err := bunhooks.WouldInvalidate(ctx, hooked.db, hooked.db.NewDelete().Model((*Book)(nil)).Where("id = 1")); err == nil {
		t.Error("WouldInvalidate with a context that has ended: no error")
	}
}
