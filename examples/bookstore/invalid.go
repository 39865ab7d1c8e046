package main

import "github.com/cacheme/cacheme"

// What can become wrong: rows, columns of rows, the sides of relations, a table. Nobody in this program says that one of
// them has: writing to the tables does.

// BookChanged is one book: book:12.
type BookChanged struct {
	cacheme.ModelInvalidNode

	ID int64 `cacheme:"field"`
}

// Meta names the model; the key follows from it.
func (BookChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Book)(nil)} }

// BooksOf are the books of an author: book:author:3.
type BooksOf struct {
	cacheme.ModelInvalidNode

	Author int64 `cacheme:"field"`
}

// Meta names the model; Author is its relation of that name, by the foreign key.
func (BooksOf) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Book)(nil)} }

// UserChanged is one user: user:7.
type UserChanged struct {
	cacheme.ModelInvalidNode

	ID int64 `cacheme:"field"`
}

// Meta names the model.
func (UserChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*User)(nil)} }

// UserBooks are places on shelves: user:7:book:all is all of a user's, user:all:book:12 all of a book's.
type UserBooks struct {
	cacheme.ModelInvalidNode

	User int64 `cacheme:"field"`
	Book int64 `cacheme:"field"`
}

// Meta names the join model.
func (UserBooks) Meta() cacheme.Meta { return cacheme.Meta{Model: (*UserBook)(nil), M2M: true} }

// Follows are who follows whom: the sides of a relation of users with users stay apart.
type Follows struct {
	cacheme.ModelInvalidNode

	Follower int64 `cacheme:"field"`
	Followed int64 `cacheme:"field"`
}

// Meta names the join model.
func (Follows) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Follow)(nil), M2M: true} }

// Memberships are who is in whose fan club.
type Memberships struct {
	cacheme.ModelInvalidNode

	User   int64 `cacheme:"field,name=member"`
	Author int64 `cacheme:"field"`
}

// Meta names the join model.
func (Memberships) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Membership)(nil), M2M: true} }

// AnyBook is the table of books as a whole: it has no field.
type AnyBook struct{ cacheme.ModelInvalidNode }

// Meta names the model.
func (AnyBook) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Book)(nil)} }
