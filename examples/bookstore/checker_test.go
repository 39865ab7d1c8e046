package main

import (
	"testing"
	"time"
)

func TestPossible(t *testing.T) {
	t.Parallel()
	at := func(second int) time.Time { return time.Unix(int64(second), 0) }
	states := []state{{1, at(10)}, {2, at(20)}, {3, time.Time{}}}
	for _, tc := range []struct {
		name   string
		states []state
		value  int64
		since  int
		want   bool
	}{
		{"the last write that had returned may be seen", states, 2, 20, true},
		{"one that is under way may be seen", states, 3, 20, true},
		{"an older one may not", states, 1, 20, false},
		{"an older one may where the newer had not returned", states, 1, 19, true},
		{"one that never was may not", states, 4, 19, false},
		{"nothing may be seen before the first write has returned", states, 0, 9, true},
		{"nothing may not be seen after it has", states, 0, 10, false},
		{"of what was never written nothing may be seen", nil, 0, 9, true},
		{"of what was never written something may not be seen", nil, 1, 9, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := possible(tc.states, tc.value, at(tc.since)); got != tc.want {
				t.Errorf("possible(%d) = %v, want %v", tc.value, got, tc.want)
			}
		})
	}
}

func TestLedger(t *testing.T) {
	t.Parallel()
	l := newLedger()
	put := l.commits(&written{places: []change[UserBook]{inserted(&UserBook{UserID: 7, BookID: 12})}})
	var empty, full claims
	empty.tellsAll(onShelf, 7)
	full.tellsAll(onShelf, 7)
	full.says(onShelf, 7, 12, 1)
	if before := time.Now(); l.check(empty, before) != "" || l.check(full, before) != "" {
		t.Error("while a write is under way, the shelf may be read with and without it")
	}
	put()
	after := time.Now()
	if l.check(full, after) != "" {
		t.Error("a shelf that holds the book is called wrong")
	}
	want := "shelf of 7, item 12: read 0, and the last write made it 1"
	if got := l.check(empty, after); got != want {
		t.Errorf("check(a shelf that lacks the book) = %q, want %q", got, want)
	}
	l.commits(&written{places: []change[UserBook]{deleted(&UserBook{UserID: 7, BookID: 12})}})()
	if l.check(empty, time.Now()) != "" || l.check(full, time.Now()) == "" {
		t.Error("after the book was taken away the shelf has to be empty")
	}
}

func TestLedger_forgives_nothing_about_a_book_that_moved(t *testing.T) {
	t.Parallel()
	l := newLedger()
	before, after := Book{ID: 12, AuthorID: 1, Version: 5}, Book{ID: 12, AuthorID: 2, Version: 6}
	l.commits(&written{books: []change[Book]{inserted(&before)}})()
	l.commits(&written{books: []change[Book]{{&before, &after}}})()
	var old claims
	old.tellsAll(booksBy, 1)
	old.says(booksBy, 1, 12, 5)
	if l.check(old, time.Now()) == "" {
		t.Error("the book may still be read at the author whom it left")
	}
	var gone claims
	gone.says(bookVersion, 12, 0, 0)
	if l.check(gone, time.Now()) == "" {
		t.Error("the book may be read as missing, as it never was since it came")
	}
}

func TestLatencies_tell_quantiles_to_a_tenth(t *testing.T) {
	t.Parallel()
	var l, other latencies
	for i := range 99 {
		l.add(time.Duration(i+1) * time.Millisecond)
	}
	other.add(time.Hour)
	l.merge(&other)
	for q, want := range map[float64]time.Duration{.5: 50 * time.Millisecond, .99: 99 * time.Millisecond} {
		if got := l.quantile(q); got < want || got > want*11/10 {
			t.Errorf("quantile(%v) = %v, want about %v", q, got, want)
		}
	}
	if got := new(latencies).quantile(.5); got != 0 {
		t.Errorf("quantile of nothing = %v", got)
	}
}
