package main

import "github.com/cacheme/cacheme"

// written is what a transaction did, row by row.
type written struct {
	version int64 // for the rows that it writes

	books   []change[Book]
	users   []change[User]
	places  []change[UserBook]
	follows []change[Follow]
	members []change[Membership]
}

// change is a row as it was before and as it is after. Nil: there was none, or there is none any more.
type change[T any] struct{ before, after *T }

// rows lists what there is of before and after.
func (c change[T]) rows() (rows []*T) {
	for _, row := range []*T{c.before, c.after} {
		if row != nil {
			rows = append(rows, row)
		}
	}
	return rows
}

func inserted[T any](row *T) change[T] { return change[T]{after: row} }

func deleted[T any](row *T) change[T] { return change[T]{before: row} }

// invalids lists what the transaction makes wrong: for each row what it was before and what it is after, so that a book
// which moves from one author to another is looked for in vain at the one, and found at the other.
func (w *written) invalids() (invalids []cacheme.Invalid) {
	prices := false
	for _, c := range w.books {
		for _, b := range c.rows() {
			invalids = append(invalids, BookChanged{ID: b.ID}, BooksOf{Author: b.AuthorID})
		}
		prices = prices || c.before == nil || c.after == nil || c.before.Price != c.after.Price
	}
	if prices {
		invalids = append(invalids, PricesChanged{})
	}
	for _, c := range w.users {
		for _, u := range c.rows() {
			invalids = append(invalids, UserChanged{ID: u.ID})
		}
	}
	for _, c := range w.places {
		for _, p := range c.rows() {
			invalids = append(invalids, UserBooks{User: p.UserID, Book: p.BookID})
		}
	}
	for _, c := range w.follows {
		for _, f := range c.rows() {
			invalids = append(invalids, Follows{Follower: f.FollowerID, Followed: f.FollowedID})
		}
	}
	for _, c := range w.members {
		for _, m := range c.rows() {
			invalids = append(invalids, Memberships{User: m.UserID, Author: m.AuthorID})
		}
	}
	return invalids
}
