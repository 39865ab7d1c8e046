package main

import (
	"context"
	"testing"
	"time"
)

// events is a witness that tells what it is given.
type events []entry

func (e *events) since(_ context.Context, seq int64) (after []entry, err error) {
	for _, one := range *e {
		if one.seq > seq {
			after = append(after, one)
		}
	}
	return after, nil
}

// commits writes down what a write made true.
func (e *events) commits(version int64, facts map[fact]int64) {
	for f, value := range facts {
		*e = append(*e, entry{seq: int64(len(*e) + 1), fact: f, value: value, version: version})
	}
}

var place = fact{group{onShelf, 7}, 12}

func TestPossible(t *testing.T) {
	t.Parallel()
	at := func(second int) time.Time { return time.Unix(int64(second), 0) }
	writer, other := new(shop), new(shop)
	h := newHistory(new(events))
	h.writings = []writing{{}, {writer, at(10)}, {writer, at(20)}, {process: writer}}
	states := []state{{1, 1}, {2, 2}, {3, 3}}
	for _, tc := range []struct {
		name   string
		states []state
		value  int64
		since  int
		age    int
		by     *shop
		want   bool
	}{
		{"the last write that had returned may be seen", states, 2, 20, 0, other, true},
		{"one that is under way may be seen", states, 3, 20, 0, other, true},
		{"an older one may not", states, 1, 20, 0, other, false},
		{"an older one may where the newer had not returned", states, 1, 19, 0, other, true},
		{"one that never was may not", states, 4, 19, 0, other, false},
		{"nothing may be seen before the first write has returned", states, 0, 9, 0, other, true},
		{"nothing may not be seen after it has", states, 0, 10, 0, other, false},
		{"of what was never written nothing may be seen", nil, 0, 9, 0, other, true},
		{"of what was never written something may not be seen", nil, 1, 9, 0, other, false},
		{"a copy that may be old may be as old as that", states, 1, 21, 2, other, true},
		{"a copy that may be old may not be older", states, 1, 23, 2, other, false},
		{"a copy that may be old may not be older than what the process wrote itself", states, 1, 21, 2, writer, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := reading{process: tc.by, began: at(tc.since), age: time.Duration(tc.age) * time.Second}
			if got := h.possible(tc.states, tc.value, r); got != tc.want {
				t.Errorf("possible(%d) = %v, want %v", tc.value, got, tc.want)
			}
		})
	}
}

func checked(t *testing.T, h *history, c claims) string {
	t.Helper()
	wrong, err := h.check(t.Context(), c, reading{began: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return wrong
}

func TestHistory(t *testing.T) {
	t.Parallel()
	log := new(events)
	h := newHistory(log)
	var empty, full claims
	empty.tellsAll(onShelf, 7)
	full.tellsAll(onShelf, 7)
	full.says(onShelf, 7, 12, 1)

	put := h.begin(nil, false)
	if checked(t, h, full) == "" {
		t.Error("what is not committed may be read")
	}
	log.commits(put, map[fact]int64{place: 1})
	if checked(t, h, empty) != "" || checked(t, h, full) != "" {
		t.Error("while a write is under way, the shelf may be read with and without it")
	}
	if err := h.end(t.Context(), put, true); err != nil {
		t.Fatal(err)
	}
	if checked(t, h, full) != "" {
		t.Error("a shelf that holds the book is called wrong")
	}
	want := "shelf of 7, item 12: read 0, and the last write made it 1"
	if got := checked(t, h, empty); got != want {
		t.Errorf("check(a shelf that lacks the book) = %q, want %q", got, want)
	}
	take := h.begin(nil, true)
	log.commits(0, map[fact]int64{place: 0}) // a row that is gone tells nobody's number
	if err := h.end(t.Context(), take, true); err != nil {
		t.Fatal(err)
	}
	if checked(t, h, empty) != "" || checked(t, h, full) == "" {
		t.Error("after the book was taken away the shelf has to be empty")
	}
}

func TestHistory_forgives_nothing_about_a_book_that_moved(t *testing.T) {
	t.Parallel()
	log := new(events)
	h := newHistory(log)
	book, by1, by2 := fact{group{bookVersion, 12}, 0}, fact{group{booksBy, 1}, 12}, fact{group{booksBy, 2}, 12}
	for _, facts := range []map[fact]int64{{book: 1, by1: 1}, {book: 2, by1: 0, by2: 2}} {
		version := h.begin(nil, false)
		log.commits(version, facts)
		if err := h.end(t.Context(), version, true); err != nil {
			t.Fatal(err)
		}
	}
	var old, gone claims
	old.tellsAll(booksBy, 1)
	old.says(booksBy, 1, 12, 1)
	if checked(t, h, old) == "" {
		t.Error("the book may still be read at the author whom it left")
	}
	gone.says(bookVersion, 12, 0, 0)
	if checked(t, h, gone) == "" {
		t.Error("the book may be read as missing, as it never was since it came")
	}
}

func TestHistory_knows_only_the_end_of_a_transaction(t *testing.T) {
	t.Parallel()
	log := new(events)
	h := newHistory(log)
	version := h.begin(nil, false)
	log.commits(version, map[fact]int64{place: 0})
	log.commits(version, map[fact]int64{place: 1})
	if err := h.end(t.Context(), version, true); err != nil {
		t.Fatal(err)
	}
	second := h.begin(nil, false)
	log.commits(second, map[fact]int64{place: 2})
	log.commits(second, map[fact]int64{place: 3})
	var between claims
	between.says(onShelf, 7, 12, 2)
	if checked(t, h, between) == "" {
		t.Error("what was true only inside of a transaction may be read")
	}
}

func TestHistory_wants_to_know_who_deleted(t *testing.T) {
	t.Parallel()
	log := new(events)
	h := newHistory(log)
	log.commits(0, map[fact]int64{place: 0})
	var c claims
	c.says(onShelf, 7, 12, 1)
	if _, err := h.check(t.Context(), c, reading{began: time.Now()}); err == nil {
		t.Error("a row is gone, and nobody asks who did it")
	}
}
