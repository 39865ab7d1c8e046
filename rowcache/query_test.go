package rowcache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/rowcache"
)

// asked is a query with how it is asked, as text.
type asked func() (string, error)

func all[T any](s *rowcache.Selection[T], line func(T) string) asked {
	return func() (string, error) {
		rows, err := s.All(background)
		var lines []string
		for _, r := range rows {
			lines = append(lines, line(r))
		}
		return strings.Join(lines, " "), err
	}
}

func (w *world) bySlug(q *bun.SelectQuery) asked {
	return all(rowcache.Query[Book](w.rc, q), func(b Book) string { return b.Slug })
}

func (w *world) everyBook() *bun.SelectQuery {
	return w.db.NewSelect().Model((*Book)(nil)).Order("book.id")
}

func TestQuery_is_wrong_when_a_row_that_matters_is_written(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	w.shop()
	withAuthor := func(b Book) string {
		if b.Author == nil {
			return b.Slug
		}
		return b.Slug + "/" + b.Author.Name
	}
	for _, c := range []struct {
		name  string
		ask   asked
		first string
		// What is written to change the answer, and then what leaves it as it is and has it cached.
		write, then, harmless string
	}{
		{
			"a foreign key", w.bySlug(w.everyBook().Where("author_id = ?", 1)), "emma persuasion",
			"UPDATE books SET author_id = 1 WHERE id = 3", "emma persuasion orphan", "INSERT INTO books (slug, width, series, number, price, author_id) VALUES ('x', 55, 'x', 1, 1, 2)",
		},
		{
			"a criterion of the model's", w.bySlug(w.everyBook().Where("price = 5")), "emma orphan",
			"UPDATE books SET price = 6 WHERE id = 1", "orphan", "UPDATE books SET price = 7 WHERE id = 2",
		},
		{
			"a page", w.bySlug(w.everyBook().Where("author_id = 1").Limit(1).Offset(1)), "persuasion",
			"DELETE FROM books WHERE id = 1", "", "UPDATE books SET width = 99 WHERE id = 3",
		},
		{
			"a list of keys", w.bySlug(w.everyBook().Where("book.id IN (?)", bun.List([]int{1, 3}))), "emma orphan",
			"UPDATE books SET slug = 'emil' WHERE id = 1", "emil orphan", "UPDATE books SET slug = 'p' WHERE id = 2",
		},
		{
			"a range is the table", w.bySlug(w.everyBook().Where("price > 5")), "persuasion",
			"UPDATE books SET price = 8 WHERE id = 1", "emma persuasion", "UPDATE authors SET name = 'x'",
		},
		{
			"a relation is followed", all(rowcache.Query[Book](w.rc, w.everyBook().Relation("Author").Where("book.author_id = 1")), withAuthor), "emma/Ann persuasion/Ann",
			"UPDATE authors SET name = 'Eve' WHERE id = 1", "emma/Eve persuasion/Eve", "UPDATE authors SET name = 'x' WHERE id = 2",
		},
		{
			"a relation that comes", all(rowcache.Query[Book](w.rc, w.everyBook().Relation("Author").Where("book.id = 3")), withAuthor), "orphan",
			"UPDATE books SET author_id = 2 WHERE id = 3", "orphan/Bob", "UPDATE authors SET name = 'x' WHERE id = 1",
		},
		{
			"an equality carries on", w.bySlug(w.everyBook().Join("JOIN authors AS a ON a.id = book.author_id").Where("book.author_id = 2")), "",
			"UPDATE books SET author_id = 2 WHERE id = 3", "orphan", "UPDATE authors SET name = 'x' WHERE id = 1",
		},
		{
			"a subquery", w.bySlug(w.everyBook().Where("book.id IN (?)", w.db.NewSelect().Model((*Reading)(nil)).Column("book_id").Where("user_id = ?", "u2"))), "emma",
			"INSERT INTO readings (user_id, book_id, page) VALUES ('u2', 3, 0)", "emma orphan", "DELETE FROM readings WHERE user_id = 'u1'",
		},
		{
			"another struct", all(rowcache.Query[struct {
				AuthorID int64
				N        int64
			}](w.rc, w.db.NewSelect().Model((*Book)(nil)).Column("author_id").ColumnExpr("count(*) AS n").Where("author_id = 1").Group("author_id")),
				func(r struct {
					AuthorID int64
					N        int64
				},
				) string {
					return fmt.Sprint(r)
				}), "{1 2}",
			"DELETE FROM books WHERE id = 1", "{1 1}", "DELETE FROM books WHERE id = 3",
		},
		{
			"one column", all(rowcache.Query[string](w.rc, w.db.NewSelect().Model((*User)(nil)).Column("name").Order("id")), func(s string) string { return s }), "Una Uwe",
			"UPDATE users SET name = 'Ute' WHERE id = 'u1'", "Ute Uwe", "UPDATE readings SET page = 3",
		},
		{
			"a criterion by hand", w.byHand(), "emma persuasion",
			"UPDATE books SET slug = 'e' WHERE id = 1", "e persuasion", "UPDATE books SET slug = 'o' WHERE id = 3",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			ask := func(want string) {
				t.Helper()
				if got, err := c.ask(); got != want || err != nil {
					t.Errorf("the answer is %q, %v, want %q", got, err, want)
				}
			}
			ask(c.first)
			before := w.selects.Load()
			ask(c.first)
			w.exec(c.harmless)
			ask(c.first)
			if n := w.selects.Load() - before; n != 0 {
				t.Errorf("%d SELECTs after %s, want none", n, c.harmless)
			}
			w.exec(c.write)
			ask(c.then)
		})
		w.again()
	}
}

// again brings the shop back.
func (w *world) again() {
	w.t.Helper()
	for _, table := range []string{"readings", "users", "covers", "books", "authors"} {
		w.exec("DELETE FROM " + table)
	}
	w.shop()
}

func (w *world) byHand() asked {
	return w.bySlugOf(rowcache.Query[Book](w.rc, w.everyBook().Where("book.author_id BETWEEN 1 AND 1")).On("Author", 1))
}

func (w *world) bySlugOf(s *rowcache.Selection[Book]) asked {
	return all(s, func(b Book) string { return b.Slug })
}

func TestQuery_counts_and_looks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	w.shop()
	ofAuthor := rowcache.Query[Book](w.rc, w.everyBook().Where("author_id = 1").Limit(1))
	answers := func() string {
		t.Helper()
		n, err := ofAuthor.Count(background)
		w.must(err)
		yes, err := ofAuthor.Exists(background)
		w.must(err)
		b, err := ofAuthor.One(background)
		if err != nil && !isNotFound(err) {
			t.Error(err)
		}
		return fmt.Sprint(n, yes, b.ID)
	}
	for _, want := range []int64{3, 0} {
		w.costs("three answers", want, func() {
			if got := answers(); got != "2 true 1" {
				t.Errorf("answers %q", got)
			}
		})
	}
	_, err := w.db.NewDelete().Model((*Book)(nil)).Where("author_id = 1").Exec(background)
	w.must(err)
	for _, want := range []int64{3, 0} {
		w.costs("three answers of nothing", want, func() {
			if got := answers(); got != "0 false 0" {
				t.Errorf("answers %q", got)
			}
		})
	}
}

// Tenant is a model that says whose rows are read by the context.
type Tenant struct {
	bun.BaseModel `bun:"table:tenants"`

	ID    int64 `bun:",pk"`
	Owner string
}

type ownerKey struct{}

func (*Tenant) BeforeSelect(ctx context.Context, q *bun.SelectQuery) error {
	q.Where("owner = ?", ctx.Value(ownerKey{}))
	return nil
}

func TestQuery_of_a_model_that_adds_to_it_is_another_for_each_context(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	_, err := w.db.NewCreateTable().Model((*Tenant)(nil)).Exec(background)
	w.must(err)
	forRows[Tenant](w, rowcache.Model{})
	w.insert(&[]Tenant{{ID: 1, Owner: "a"}, {ID: 2, Owner: "b"}})
	every := rowcache.Query[Tenant](w.rc, w.db.NewSelect().Model((*Tenant)(nil)))
	for range 2 {
		for owner, want := range map[string]int64{"a": 1, "b": 2} {
			rows, err := every.All(context.WithValue(background, ownerKey{}, owner))
			if err != nil || len(rows) != 1 || rows[0].ID != want {
				t.Errorf("%s gets %+v, %v", owner, rows, err)
			}
		}
	}
}

func TestQuery_says_what_is_wrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	query := func(q *bun.SelectQuery) func() error {
		return func() error { _, err := rowcache.Query[Book](w.rc, q).All(background); return err }
	}
	on := func(column string, value any) func() error {
		return func() error {
			_, err := rowcache.Query[Book](w.rc, w.everyBook()).On(column, value).All(background)
			return err
		}
	}
	other := newWorld(t, rowcache.Options{})
	const node = "cacheme: rowcache.Query[rowcache_test.Book]: "
	for _, c := range []struct {
		name string
		do   func() error
		want string
	}{
		{"a relation of many", query(w.everyBook().Relation("Readers")), node + "loads the relation Readers, which bun asks for by a query of its own; leave it out, and Preload it by rowcache.ToMany"},
		{"one behind another", query(w.everyBook().Relation("Author").Relation("Author.Books")), node + "loads the relation Books, which bun asks for by a query of its own; leave it out, and Preload it by rowcache.ToMany"},
		{"a function", query(w.everyBook().Where("price > abs(random())")), node + "calls random, which may give another result for the same rows; give its value as an argument, or, if it does not, say what the query reads by Reads"},
		{"a table of nobody", query(w.everyBook().Join("JOIN shops ON shops.id = book.id")), node + "reads shops, which is the table of no model that rowcache.For names, or is related to one; call For with its model"},
		{"another database", query(other.everyBook()), node + "got a query of another database than its Cache has"},
		{"nothing", query(nil), node + "got a nil query; give it what db.NewSelect returned"},
		{"no column", on("wide", 1), node + `is given On("wide"), and rowcache_test.Book has no column wide`},
		{"no relation", on("writer.id", 1), node + `is given On("writer.id"), and rowcache_test.Book has no relation writer`},
		{"a column by which nothing is named", on("author.name", "Ann"), node + `is given On("author.name"), by which rows of rowcache_test.Author are not named; call rowcache.For[Author] with Model{Criteria: [][]string{{"name"}}}`},
		{"a value of another type", on("author_id", "Ann"), node + `is given On("author_id", Ann): cacheme: Columns(*rowcache_test.Book, ["author_id"]).author_id: is an integer, and "Ann" is none`},
		{"a lock", query(w.everyBook().For("UPDATE")), ""},
		{"raw FROM", query(w.db.NewSelect().TableExpr("json_each('[1]')").ColumnExpr("1")), ""},
	} {
		err := c.do()
		var u *cacheme.UsageError
		if !errors.As(err, &u) || c.want != "" && err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		if c.want == "" {
			t.Logf("%s: %v", c.name, err)
		}
	}
	rows, err := rowcache.Query[int64](w.rc, w.db.NewSelect().TableExpr("json_each('[7]')").ColumnExpr("value")).Reads("books").All(background)
	if err != nil || len(rows) != 1 || rows[0] != 7 {
		t.Errorf("a query with Reads = %v, %v", rows, err)
	}
}

func TestFor_says_what_is_wrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	type keyless struct{ Name string }
	type clash struct {
		bun.BaseModel `bun:"table:books"`
		Slug          string `bun:",pk"`
	}
	type callback struct {
		ID int64 `bun:",pk"`
		F  func()
	}
	_, again := rowcache.For[Book](w.rc, rowcache.Model{})
	_, noKey := rowcache.For[keyless](w.rc, rowcache.Model{})
	_, twoModels := rowcache.For[clash](w.rc, rowcache.Model{})
	_, noModel := rowcache.For[int](w.rc, rowcache.Model{})
	_, column := rowcache.For[Tenant](w.rc, rowcache.Model{Criteria: [][]string{{"nobody"}}})
	_, nowhere := rowcache.For[Book](nil, rowcache.Model{})
	_, unstored := rowcache.For[callback](w.rc, rowcache.Model{})
	for _, c := range []struct {
		err  error
		want string
	}{
		{again, "cacheme: rowcache.For[rowcache_test.Book]: is cached already; keep what the first For returned"},
		{noKey, "cacheme: rowcache.For[rowcache_test.keyless]: has no primary key, and rows are cached by it; tag its field `bun:\",pk\"`"},
		{twoModels, "cacheme: rowcache.For[rowcache_test.clash]: the table books is known by the model rowcache_test.Book already; use one model for both, or cache the rows of the other by a node of your own"},
		{noModel, "cacheme: rowcache.For[int]: is no struct; name the model's struct type, as in rowcache.For[Book]"},
		{column, "cacheme: rowcache.For[rowcache_test.Tenant].Criteria: rowcache_test.Tenant has no column nobody"},
		{nowhere, "cacheme: rowcache.For[rowcache_test.Book]: has a nil Cache; give it what rowcache.New returned"},
		{unstored, ""},
	} {
		var d *cacheme.DeclarationError
		if !errors.As(c.err, &d) || c.want != "" && c.err.Error() != c.want {
			t.Errorf("%v, want %s", c.err, c.want)
		}
	}
	for _, c := range []struct {
		do   func() error
		want string
	}{
		{func() error { _, err := w.books.GetBy(background, "price", 5); return err }, "cacheme: rowcache.Rows[rowcache_test.Book].GetBy: was asked for price, which is not known to be unique; tag it `bun:\",unique\"`, name it in Model.Unique, or use rowcache.Query"},
		{func() error { _, err := w.books.GetBy(background, "size", 5); return err }, "cacheme: rowcache.Rows[rowcache_test.Book].GetBy: rowcache_test.Book has no column size"},
		{func() error { _, err := w.books.GetBy(background, "series,number", 5); return err }, "cacheme: rowcache.Rows[rowcache_test.Book].GetBy: got 1 values for 2 columns"},
		{func() error { _, err := w.books.Get(background, "x"); return err }, `cacheme: Columns(*rowcache_test.Book, ["id"]).id: is an integer, and "x" is none`},
		{func() error { _, err := w.books.Get(background); return err }, `cacheme: Columns(*rowcache_test.Book, ["id"]): got 0 values for 1 columns; give each its value`},
		{func() error { _, err := w.readings.GetMany(background, "u1"); return err }, `cacheme: Columns(*rowcache_test.Reading, ["user_id" "book_id"]): got 1 values for 2 columns; give each its value`},
	} {
		err := c.do()
		var u *cacheme.UsageError
		if !errors.As(err, &u) || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

func TestNew_says_what_is_wrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	plain := bun.NewDB(w.db.DB, w.db.Dialect())
	_, noCache := rowcache.New(nil, plain, rowcache.Options{})
	_, noDB := rowcache.New(w.cache, nil, rowcache.Options{})
	_, notTold := rowcache.New(newWorld(t, rowcache.Options{}).cache, w.db, rowcache.Options{})
	for _, c := range []struct {
		err  error
		want string
	}{
		{noCache, "cacheme: rowcache.New: got a nil cache; give it what cacheme.New returned"},
		{noDB, "cacheme: rowcache.New: got a nil database; give it what bunhooks.Install returned"},
		{notTold, "cacheme: rowcache.New: got a database whose writes this cache is not told; open it with sql.OpenDB(bunhooks.WrapConnector(connector)) and give it what bunhooks.Install(db, cache) returned"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("%v, want %s", c.err, c.want)
		}
	}
}
