package rowcache_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/rowcache"
)

func TestToOne_follows_a_foreign_key_without_SQL(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	w.shop()
	author, err := rowcache.ToOne(w.books, "Author", w.authors)
	w.must(err)
	cover, err := rowcache.ToOne(w.books, "Cover", w.covers)
	w.must(err)
	name := func(book int64) string {
		t.Helper()
		b, err := w.books.Get(background, book)
		w.must(err)
		a, err := author.Of(background, b)
		w.must(err)
		c, err := cover.Of(background, b)
		w.must(err)
		text := ""
		if a != nil {
			text = a.Name
		}
		if c != nil {
			text += " in " + c.Colour
		}
		return text
	}
	for _, want := range []int64{7, 0} { // three books, one author, three covers of which two are not there; NULL is nobody's
		w.costs("three books", want, func() {
			if got := fmt.Sprint(name(1), "; ", name(2), "; ", name(3)); got != "Ann in red; Ann; " {
				t.Errorf("related: %q", got)
			}
		})
	}
	for _, c := range []struct{ write, want string }{
		{"UPDATE authors SET name = 'Eve' WHERE id = 1", "Eve in red"},
		{"UPDATE books SET author_id = 2 WHERE id = 1", "Bob in red"},
		{"UPDATE covers SET book_id = 2 WHERE id = 1", "Bob"},
		{"INSERT INTO covers (book_id, colour) VALUES (1, 'blue')", "Bob in blue"},
		{"UPDATE books SET author_id = 77 WHERE id = 1", " in blue"}, // there is no such author
		{"INSERT INTO authors (id, name) VALUES (77, 'New')", "New in blue"},
		{"DELETE FROM authors WHERE id = 77", " in blue"},
	} {
		w.exec(c.write)
		if got := name(1); got != c.want {
			t.Errorf("after %s: %q, want %q", c.write, got, c.want)
		}
	}
	if got := name(2); got != "Ann in red" && got != "Eve in red" {
		t.Errorf("the book that got the cover: %q", got)
	}
}

func TestToMany_is_a_list_that_is_wrong_when_a_row_comes_or_goes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	w.shop()
	books, err := rowcache.ToMany(w.authors, "Books", w.books)
	w.must(err)
	readers, err := rowcache.ToMany(w.books, "Readers", w.users)
	w.must(err)
	shelf, err := rowcache.ToMany(w.users, "Books", w.books)
	w.must(err)
	lists := func() string {
		t.Helper()
		text := ""
		for id := range int64(2) {
			all, err := books.Of(background, Author{ID: id + 1})
			w.must(err)
			text += "author:"
			for _, b := range all {
				text += fmt.Sprintf(" %d/%d", b.ID, b.Price)
			}
			text += "; "
		}
		users, err := readers.Of(background, Book{ID: 1})
		w.must(err)
		for _, u := range users {
			text += u.Name + " "
		}
		n, err := shelf.Count(background, User{ID: "u1"})
		w.must(err)
		return text + fmt.Sprint(n)
	}
	const first = "author: 1/5 2/6; author:; Una Uwe 2"
	for _, want := range []int64{6, 0} {
		w.costs("the lists", want, func() {
			if got := lists(); got != first {
				t.Errorf("the lists are %q, want %q", got, first)
			}
		})
	}
	for _, c := range []struct {
		write, want string
		selects     int64
	}{
		{"UPDATE covers SET colour = 'x'", first, 0},
		{"UPDATE books SET author_id = 2 WHERE id = 2", "author: 1/5; author: 2/6; Una Uwe 2", 3},
		{"UPDATE books SET price = 9 WHERE id = 1", "author: 1/9; author: 2/6; Una Uwe 2", 2},
		{"INSERT INTO readings (user_id, book_id, page) VALUES ('u2', 2, 0)", "author: 1/9; author: 2/6; Una Uwe 2", 0},
		{"DELETE FROM readings WHERE user_id = 'u1' AND book_id = 1", "author: 1/9; author: 2/6; Uwe 1", 2},
		{"UPDATE users SET name = 'Ulf' WHERE id = 'u2'", "author: 1/9; author: 2/6; Ulf 1", 1},
		{"DELETE FROM users WHERE id = 'u2'", "author: 1/9; author: 2/6; 1", 1},
		{"UPDATE books SET deleted = '2024-01-01' WHERE id = 1", "author:; author: 2/6; 1", 1},
	} {
		w.exec(c.write)
		w.costs(c.write, c.selects, func() {
			if got := lists(); got != c.want {
				t.Errorf("after %s the lists are %q, want %q", c.write, got, c.want)
			}
		})
	}
}

func TestPreload_sets_relations_in_few_round_trips(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	w.shop()
	author, err := rowcache.ToOne(w.books, "Author", w.authors)
	w.must(err)
	cover, err := rowcache.ToOne(w.books, "Cover", w.covers)
	w.must(err)
	readers, err := rowcache.ToMany(w.books, "Readers", w.users)
	w.must(err)
	written, err := rowcache.ToMany(w.authors, "Books", w.books)
	w.must(err)
	page := func(relations ...rowcache.Relation[Book]) []Book {
		t.Helper()
		books, err := w.books.GetMany(background, 1, 2, 3)
		w.must(err)
		w.must(rowcache.Preload(background, books, relations...))
		return books
	}
	w.costs("a cold page", 5, func() { page(author, cover, readers) })
	var books []Book
	w.costs("a warm page", 0, func() { books = page(author, cover, readers) })
	var got []string
	for _, b := range books {
		line := b.Slug
		if b.Author != nil {
			line += " by " + b.Author.Name
		}
		if b.Cover != nil {
			line += " in " + b.Cover.Colour
		}
		for _, u := range b.Readers {
			line += " " + u.Name
		}
		got = append(got, line)
	}
	if diff := cmp.Diff([]string{"emma by Ann in red Una Uwe", "persuasion by Ann Una", "orphan"}, got); diff != "" {
		t.Errorf("Preload (-want +got):\n%s", diff)
	}
	before := w.trips.Load()
	page(author, cover)
	if n := w.trips.Load() - before; n != 3 {
		t.Errorf("a page with two relations costs %d round trips to Redis, want 3", n)
	}
	// What one caller is given is his own.
	books[0].Author.Name = "changed"
	if again := page(author); again[0].Author.Name != "Ann" {
		t.Errorf("another caller sees what the first has changed: %q", again[0].Author.Name)
	}
	authors := []Author{{ID: 1}, {ID: 5}}
	w.must(rowcache.Preload(background, authors, written))
	if len(authors[0].Books) != 2 || authors[0].Books[1].Slug != "persuasion" || authors[1].Books == nil || len(authors[1].Books) != 0 {
		t.Errorf("Preload of lists = %+v", authors)
	}
	w.must(rowcache.Preload(background, []Book(nil), author))
}

func TestRelations_say_what_is_wrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rowcache.Options{})
	one := func(name string) error { _, err := rowcache.ToOne(w.books, name, w.authors); return err }
	_, many := rowcache.ToMany(w.books, "Author", w.authors)
	_, nobody := rowcache.ToMany[Book, User](w.books, "Readers", nil)
	for _, c := range []struct {
		err  error
		want string
	}{
		{one("Writer"), "cacheme: rowcache.For[rowcache_test.Book].Writer: is no relation of the model; name the Go field that is tagged `bun:\"rel:...\"`"},
		{one("Readers"), "cacheme: rowcache.For[rowcache_test.Book].Readers: is another kind of relation; use rowcache.ToMany"},
		{one("Cover"), "cacheme: rowcache.For[rowcache_test.Book].Cover: leads to rowcache_test.Cover, and the rows given are rowcache_test.Author"},
		{many, "cacheme: rowcache.For[rowcache_test.Book].Author: is another kind of relation; use rowcache.ToOne"},
		{nobody, "cacheme: rowcache.For[rowcache_test.Book].Readers: is asked for with nil Rows; give it what rowcache.For returned"},
	} {
		var d *cacheme.DeclarationError
		if !errors.As(c.err, &d) || c.err.Error() != c.want {
			t.Errorf("%v, want %s", c.err, c.want)
		}
	}
}
