package rowcache_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/rowcache"
)

// What people do besides.

// Hex is a number that says it is another text.
type Hex int64

// MarshalText writes the number to base 16.
func (h Hex) MarshalText() ([]byte, error) { return []byte(strconv.FormatInt(int64(h), 16)), nil }

// UnmarshalText reads it.
func (h *Hex) UnmarshalText(b []byte) error {
	n, err := strconv.ParseInt(string(b), 16, 64)
	*h = Hex(n)
	return err
}

// Stored is a text that is another one in the database.
type Stored string

// Value implements driver.Valuer.
func (s Stored) Value() (driver.Value, error) { return "db_" + string(s), nil }

type (
	Crate struct {
		bun.BaseModel `bun:"table:crates"`

		ID     Hex    `bun:",pk"`
		Status Stored `bun:",unique"`
		InID   sql.NullInt64
		In     *Crate   `bun:"rel:belongs-to,join:in_id=id"`
		Inside []*Crate `bun:"rel:has-many,join:id=in_id"`
	}
)

func newCrates(t *testing.T, o rowcache.Options, m rowcache.Model) (*world, *rowcache.Rows[Crate]) {
	t.Helper()
	w := newWorld(t, o)
	_, err := w.db.NewCreateTable().Model((*Crate)(nil)).Exec(background)
	w.must(err)
	return w, forRows[Crate](w, m)
}

func TestKeys_of_types_of_their_own_mean_the_right_rows(t *testing.T) {
	t.Parallel()
	w, crates := newCrates(t, rowcache.Options{}, rowcache.Model{})
	in, err := rowcache.ToOne(crates, "In", crates)
	w.must(err)
	inside, err := rowcache.ToMany(crates, "Inside", crates)
	w.must(err)
	w.insert(&[]Crate{{ID: 1, Status: "a"}, {ID: 10, Status: "b"}, {ID: 16, Status: "c", InID: sql.NullInt64{Int64: 1, Valid: true}}})
	for range 2 {
		c, err := crates.Get(background, 16)
		w.must(err)
		outer, err := in.Of(background, c)
		if err != nil || outer == nil || outer.ID != 1 {
			t.Errorf("the crate 16 is in %+v, %v, want 1", outer, err)
		}
		none, err := in.Of(background, *outer)
		if none != nil || err != nil {
			t.Errorf("the crate 1 is in %+v, %v, want none", none, err)
		}
		all, err := inside.Of(background, *outer)
		if err != nil || len(all) != 1 || all[0].ID != 16 {
			t.Errorf("in the crate 1 are %+v, %v, want 16", all, err)
		}
		none, err = in.Of(background, Crate{InID: sql.NullInt64{Int64: 99, Valid: true}})
		if none != nil || err != nil {
			t.Errorf("a crate that is not there = %+v, %v", none, err)
		}
	}
	// What a type writes into the database is not what it is.
	if _, err := crates.GetBy(background, "status", "d"); err == nil {
		t.Error("GetBy answers by a column whose values are others in the database")
	}
}

func TestBeforeSelect_is_nobody_elses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	_, err := w.db.NewCreateTable().Model((*Tenant)(nil)).Exec(background)
	w.must(err)
	tenants := forRows[Tenant](w, rowcache.Model{Criteria: [][]string{{"owner"}}})
	w.insert(&[]Tenant{{ID: 1, Owner: "a"}, {ID: 2, Owner: "b"}})
	of := func(owner string) context.Context { return context.WithValue(background, ownerKey{}, owner) }
	for range 2 {
		if _, err := tenants.Get(of("a"), 1); err != nil {
			t.Error(err)
		}
		if row, err := tenants.Get(of("b"), 1); !isNotFound(err) {
			t.Errorf("b gets %+v, %v", row, err)
		}
	}
	// bun counts without BeforeSelect.
	every := rowcache.Query[Tenant](w.rc, w.db.NewSelect().Model((*Tenant)(nil)))
	for want := int64(2); want < 4; want++ {
		if n, err := every.Count(of("a")); n != want || err != nil {
			t.Errorf("Count = %d, %v, want %d", n, err, want)
		}
		w.insert(&Tenant{ID: want + 1, Owner: "b"})
	}
}

func TestSelection_may_be_shared_and_asked_again(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	w.shop()
	s := rowcache.Query[Book](w.rc, w.everyBook().Relation("Author", func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("author.name <> ?", "nobody")
	}))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 5 {
				if books, err := s.All(background); err != nil || len(books) != 2 {
					t.Errorf("All = %+v, %v", books, err)
				}
			}
		})
	}
	all.Go(func() {
		for range 20 {
			_, _ = rowcache.ToMany(w.authors, "Books", w.books) // the second one is an error
		}
	})
	all.Wait()
	w.costs("once more", 0, func() {
		_, err := s.All(background)
		w.must(err)
	})
	one, err := rowcache.Query[*Book](w.rc, w.everyBook()).One(background)
	if err != nil || one.Slug != "emma" {
		t.Errorf("One of a pointer = %+v, %v", one, err)
	}
}

func TestQuery_on_a_connection_of_its_own_is_the_databases(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	w.shop()
	query := func() *bun.SelectQuery { return w.db.NewSelect().Model((*Book)(nil)).Where("book.id = 1") }
	for range 2 {
		_, err := rowcache.Query[Book](w.rc, query()).All(background)
		w.must(err)
	}
	price := func(conn bun.IConn, want int64) {
		t.Helper()
		books, err := rowcache.Query[Book](w.rc, query().Conn(conn)).All(background)
		if err != nil || len(books) != 1 || books[0].Price != want {
			t.Errorf("on a %T: %+v, %v, want the price %d", conn, books, err, want)
		}
	}
	const write = "UPDATE books SET price = 77 WHERE id = 1"
	tx, err := w.db.DB.BeginTx(background, nil)
	w.must(err)
	_, err = tx.ExecContext(background, write)
	w.must(err)
	price(tx, 77)
	w.must(tx.Rollback())
	conn, err := w.db.Conn(background)
	w.must(err)
	for _, text := range []string{"BEGIN", write} {
		_, err = conn.ExecContext(background, text)
		w.must(err)
	}
	price(conn, 77)
	_, err = conn.ExecContext(background, "ROLLBACK")
	w.must(errors.Join(err, conn.Close()))
	w.costs("on the database itself", 0, func() { price(w.db.DB, 5) })
}

func TestPolicies_of_a_model_win_over_those_of_all_but_for_the_black_list(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{Caches: rowcache.Never, Never: []string{"main.covers"}})
	w.insert(&Session{ID: 1})
	sessions := forRows[Session](w, rowcache.Model{Caches: rowcache.Gets})
	for what, c := range map[string]struct {
		want int64
		do   func()
	}{
		"a model that says Gets":    {1, func() { _, _ = sessions.Get(background, 1) }},
		"a model that says nothing": {2, func() { _, _ = w.books.Get(background, 1) }},
	} {
		w.costs(what, c.want, func() { c.do(); c.do() })
	}
}

func TestOn_is_a_part_of_what_is_asked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	w.shop()
	ask := func(column string) {
		_, err := rowcache.Query[Book](w.rc, w.everyBook().Relation("Author")).On(column, 1).All(background)
		w.must(err)
	}
	for range 3 { // a result that names new rows is loaded twice
		ask("id")
		ask("Author.id")
	}
	w.costs("both", 0, func() { ask("id"); ask("Author.id") })
}

func TestMistakes_are_told(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	author, err := rowcache.ToOne(w.books, "Author", w.authors)
	w.must(err)
	for _, c := range []struct {
		do   func() error
		want string
	}{
		{func() error { _, err := w.books.GetMany(background, 1, nil); return err }, "is nil"},
		{func() error { _, err := w.books.GetBy(background, "series,series", "a", "b"); return err }, "named twice"},
		{func() error { _, err := w.books.GetBy(background, "series, number", "a", 1); return err }, "no rows"},
		{func() error { return rowcache.Preload(background, []Book{{}}, author, nil) }, "nil relation"},
		{func() error { return rowcache.Preload(background, []Book{{}}, (*rowcache.One[Book, Author])(nil)) }, "nil relation"},
		{func() error {
			_, err := rowcache.Query[Book](w.rc, w.everyBook()).Reads().All(background)
			return err
		}, "Reads without a table"},
		{func() error {
			_, err := rowcache.For[Session](w.rc, rowcache.Model{Criteria: [][]string{{}}})
			return err
		}, "no columns"},
	} {
		if err := c.do(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want an error with %q", err, c.want)
		}
	}
}

func TestNew_for_a_database_that_another_has_is_told_at_its_models(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	again, err := rowcache.New(w.cache, w.db, rowcache.Options{})
	w.must(err)
	_, err = rowcache.For[Book](again, rowcache.Model{})
	if want := "another rowcache.Cache of the same cacheme.Cache calls its database"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("For = %v, want one that says %q", err, want)
	}
	apart, err := rowcache.New(w.cache, w.db, rowcache.Options{Database: "shop"})
	w.must(err)
	if _, err = rowcache.For[Book](apart, rowcache.Model{}); err != nil {
		t.Errorf("For in a database of another name = %v", err)
	}
}
