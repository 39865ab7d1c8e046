package rowcache_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/rowcache"
)

func TestGet_costs_SQL_once_and_is_right_after_every_write(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	w.shop()
	price := func(want int64) {
		t.Helper()
		b, err := w.books.Get(background, 1)
		if err != nil || b.Price != want {
			t.Errorf("Get(1) = %+v, %v, want the price %d", b, err, want)
		}
	}
	w.costs("the first", 1, func() { price(5) })
	w.costs("the second", 0, func() { price(5) })
	w.costs("a key of another type", 0, func() {
		if b, err := w.books.Get(background, "1"); err != nil || b.ID != 1 {
			t.Errorf("Get(\"1\") = %+v, %v", b, err)
		}
	})
	_, err := w.db.NewUpdate().Model((*Book)(nil)).Set("price = 7").Where("slug = 'emma'").Exec(background)
	w.must(err)
	w.costs("after an update", 1, func() { price(7) })
	w.exec("UPDATE books SET price = 8 WHERE id = 2")
	w.costs("after the update of another row", 0, func() { price(7) })
	_, err = w.db.NewDelete().Model((*Book)(nil)).Where("id = 1").Exec(background)
	w.must(err)
	for _, want := range []int64{1, 0} {
		w.costs("a row that is deleted softly", want, func() {
			if _, err := w.books.Get(background, 1); !isNotFound(err) {
				t.Errorf("Get of a deleted row = %v", err)
			}
		})
	}
	w.exec("UPDATE books SET deleted = NULL WHERE id = 1")
	price(7)
}

func TestGet_of_what_is_not_there_is_cached_until_it_is_inserted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	for _, want := range []int64{2, 0} {
		w.costs("absence", want, func() {
			if _, err := w.books.Get(background, 1); !isNotFound(err) {
				t.Errorf("Get = %v, want not found", err)
			}
			if _, err := w.books.GetBy(background, "slug", "emma"); !isNotFound(err) {
				t.Errorf("GetBy = %v, want not found", err)
			}
		})
	}
	w.shop()
	if b, err := w.books.Get(background, 1); err != nil || b.Slug != "emma" {
		t.Errorf("Get after the insert = %+v, %v", b, err)
	}
	if b, err := w.books.GetBy(background, "slug", "emma"); err != nil || b.ID != 1 {
		t.Errorf("GetBy after the insert = %+v, %v", b, err)
	}
}

func TestGetBy_never_answers_with_the_row_of_another_column(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	w.shop()
	for range 2 {
		if b, err := w.books.GetBy(background, "width", 1); err != nil || b.ID != 2 {
			t.Errorf("GetBy(width, 1) = %+v, %v, want the book 2", b, err)
		}
		if b, err := w.books.Get(background, 1); err != nil || b.Width != 2 {
			t.Errorf("Get(1) = %+v, %v, want the width 2", b, err)
		}
		if b, err := w.books.GetBy(background, "number,series", 1, "t"); err != nil || b.ID != 3 {
			t.Errorf("GetBy of two columns = %+v, %v, want the book 3", b, err)
		}
	}
	// Its old and its new value.
	w.exec("UPDATE books SET width = 7 WHERE id = 2")
	if b, err := w.books.GetBy(background, "width", 1); !isNotFound(err) {
		t.Errorf("GetBy of the old width = %+v, %v", b, err)
	}
	if b, err := w.books.GetBy(background, "width", 7); err != nil || b.ID != 2 {
		t.Errorf("GetBy of the new width = %+v, %v", b, err)
	}
}

func TestGetMany_is_one_SELECT_for_all_that_is_missing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	w.shop()
	if _, err := w.books.Get(background, 2); err != nil {
		t.Fatal(err)
	}
	ids := func() (got []int64, err error) {
		books, err := w.books.GetMany(background, 3, 9, 1, 2, 1)
		for _, b := range books {
			got = append(got, b.ID)
		}
		return got, err
	}
	for _, want := range []int64{1, 0} {
		w.costs("five books", want, func() {
			got, err := ids()
			var missing *cacheme.MissingError
			if !errors.As(err, &missing) || !cmp.Equal(missing.Indexes, []int{1}) {
				t.Errorf("GetMany: %v, want the second to be missing", err)
			}
			if diff := cmp.Diff([]int64{3, 0, 1, 2, 1}, got); diff != "" {
				t.Errorf("GetMany (-want +got):\n%s", diff)
			}
		})
	}
	readings, err := w.readings.GetMany(background, rowcache.Key{"u1", 2}, rowcache.Key{"u2", 1})
	want := []Reading{{UserID: "u1", BookID: 2}, {UserID: "u2", BookID: 1}}
	if diff := cmp.Diff(want, readings, cmpopts.IgnoreUnexported(Reading{})); diff != "" || err != nil {
		t.Errorf("GetMany of composite keys (-want +got), %v:\n%s", err, diff)
	}
}

func TestGet_by_many_at_once_is_one_load(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	w.shop()
	w.costs("200 callers of one row", 1, func() {
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				if _, err := w.books.Get(background, 1); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
	var books []Book
	var ids []int64
	for i := range int64(200) {
		books = append(books, Book{ID: 100 + i, Slug: string(rune('a' + i)), Width: 100 + i, Series: "x", Number: i})
		ids = append(ids, 100+i)
	}
	w.insert(&books)
	w.costs("200 different rows", 1, func() {
		if _, err := w.books.GetMany(background, rowcache.IDs(ids)...); err != nil {
			t.Error(err)
		}
	})
}

func TestRows_in_a_transaction_are_the_databases(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	w.shop()
	if _, err := w.books.Get(background, 1); err != nil {
		t.Fatal(err)
	}
	tx, err := w.db.BeginTx(background, nil)
	w.must(err)
	_, err = tx.NewUpdate().Model((*Book)(nil)).Set("price = 99").Where("id = 1").Exec(background)
	w.must(err)
	got, err := rowcache.Query[Book](w.rc, tx.NewSelect().Model((*Book)(nil)).Where("id = 1")).All(background)
	if err != nil || len(got) != 1 || got[0].Price != 99 {
		t.Errorf("a query in the transaction = %+v, %v, want what it wrote", got, err)
	}
	w.must(tx.Rollback())
	w.costs("after the rollback", 0, func() {
		if b, err := w.books.Get(background, 1); err != nil || b.Price != 5 {
			t.Errorf("Get = %+v, %v", b, err)
		}
	})
}

func TestPolicies_say_what_is_cached(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{Never: []string{"Sessions"}})
	w.shop()
	sessions := forRows[Session](w, rowcache.Model{Caches: rowcache.Everything})
	w.insert(&Session{ID: 1})
	everyAuthor := func() *rowcache.Selection[Author] {
		return w.authors.Select(w.db.NewSelect().Model((*Author)(nil)).Order("id"))
	}
	for what, c := range map[string]struct {
		want int64
		do   func() error
	}{
		"a row on the black list": {2, func() error { _, err := sessions.Get(background, 1); return err }},
		"a query on the black list": {2, func() error {
			_, err := rowcache.Query[Session](w.rc, w.db.NewSelect().Model((*Session)(nil))).All(background)
			return err
		}},
		"a query of a model that caches gets": {2, func() error { _, err := everyAuthor().All(background); return err }},
		"one that says Cache":                 {1, func() error { _, err := everyAuthor().Cache().All(background); return err }},
	} {
		w.costs(what, c.want, func() {
			for range 2 {
				w.must(c.do())
			}
		})
	}
}

func TestFlushAll_and_RemoveAll_end_all_entries(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	w.shop()
	readers, err := rowcache.ToMany(w.books, "Readers", w.users)
	w.must(err)
	ask := func() {
		t.Helper()
		b, err := w.books.Get(background, 1)
		w.must(err)
		_, err = readers.Of(background, b)
		w.must(err)
		_, err = rowcache.Query[Book](w.rc, w.db.NewSelect().Model((*Book)(nil))).All(background)
		w.must(err)
	}
	ask()
	w.costs("cached", 0, ask)
	w.must(w.rc.FlushAll(background))
	w.costs("flushed", 4, ask)
	w.costs("cached again", 0, ask)
	if n, err := w.rc.RemoveAll(background); n != 5 || err != nil {
		t.Errorf("RemoveAll = %d, %v, want 5: a book, a list, two users and a query", n, err)
	}
	w.costs("removed", 4, ask)
}

func TestRefill_of_rows_spares_the_next_reader_the_SELECT(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	type pet struct {
		ID   int64 `bun:",pk"`
		Name string
	}
	_, err := w.db.NewCreateTable().Model((*pet)(nil)).Exec(background)
	w.must(err)
	pets := forRows[pet](w, rowcache.Model{Refill: true})
	w.insert(&pet{1, "Rex"})
	if _, err := pets.Get(background, 1); err != nil {
		t.Fatal(err)
	}
	before := w.selects.Load()
	w.exec("UPDATE pets SET name = 'Max' WHERE id = 1")
	for w.selects.Load() == before {
		time.Sleep(time.Millisecond)
	}
	w.costs("a row that its writer loaded", 0, func() {
		if p, err := pets.Get(background, 1); err != nil || p.Name != "Max" {
			t.Errorf("Get = %+v, %v", p, err)
		}
	})
}
