package main

import (
	"time"

	"github.com/cacheme/cacheme"
)

// What is cached, and what makes it wrong. Every node says so for itself: no write knows who caches what.

// Shelf is the list of books on a user's shelf. It is wrong when a book comes or goes, and when one on it changes.
type Shelf struct {
	cacheme.Node[[]Book]

	User int64 `cacheme:"field"`
}

// Meta names the entry: user:7:shelf.
func (Shelf) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "user:<user>:shelf", TTL: 10 * time.Minute}
}

// InvalidNodes leaves the book open: any book of this user.
func (s Shelf) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{UserBooks{User: s.User}}
}

// ResultInvalidNodes are known when the shelf has been loaded.
func (Shelf) ResultInvalidNodes(books []Book) []cacheme.Invalid { return booksChanged(books) }

// Readers is the other side: the users who have a book on their shelves.
type Readers struct {
	cacheme.Node[[]User]

	Book int64 `cacheme:"field"`
}

// Meta names the entry: book:12:readers.
func (Readers) Meta() cacheme.Meta { return cacheme.Meta{Key: "book:<book>:readers"} }

// InvalidNodes leaves the user open.
func (r Readers) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{UserBooks{Book: r.Book}}
}

// ResultInvalidNodes bring a reader's new name.
func (Readers) ResultInvalidNodes(users []User) []cacheme.Invalid { return usersChanged(users) }

// BookOwner is a part of a book's page: who sells it. The parts of a page share a main key, book:12, and are made
// wrong apart.
type BookOwner struct {
	cacheme.Node[User]

	ID int64 `cacheme:"field"`
}

// Meta names the entry: book:12>owner.
func (BookOwner) Meta() cacheme.Meta { return cacheme.Meta{Key: "book:<id>", Field: "owner"} }

// InvalidNodes has the book, for it may be sold on.
func (b BookOwner) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{BookChanged{ID: b.ID}} }

// ResultInvalidNodes has the owner, who may change his name.
func (BookOwner) ResultInvalidNodes(owner User) []cacheme.Invalid {
	return []cacheme.Invalid{UserChanged{ID: owner.ID}}
}

// BookChapters is another part of the page.
type BookChapters struct {
	cacheme.Node[Chapters]

	ID int64 `cacheme:"field"`
}

// Chapters of a book, as the page shows them.
type Chapters struct {
	Titles  []string
	Version int64 // of the book
}

// Meta names the entry: book:12>chapters.
func (BookChapters) Meta() cacheme.Meta { return cacheme.Meta{Key: "book:<id>", Field: "chapters"} }

// InvalidNodes has the book, whose column the chapters are.
func (b BookChapters) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{BookChanged{ID: b.ID}}
}

// BookByID is a book that may not exist: that it does not is cached as well.
type BookByID struct {
	cacheme.Node[Book]

	ID int64 `cacheme:"field"`
}

// Meta names the entry: book:12:row.
func (BookByID) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "book:<id>:row", Negative: time.Minute}
}

// InvalidNodes has the book: once it is inserted, "not found" is wrong.
func (b BookByID) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{BookChanged{ID: b.ID}} }

// AuthorBooks is the list of an author's books.
type AuthorBooks struct {
	cacheme.Node[[]Book]

	Author int64 `cacheme:"field"`
}

// Meta names the entry: author:3:books.
func (AuthorBooks) Meta() cacheme.Meta { return cacheme.Meta{Key: "author:<author>:books"} }

// InvalidNodes depends on a column: whichever book has, or had, this author.
func (a AuthorBooks) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{BooksOf{Author: a.Author}}
}

// Followers is the list of those who follow a user.
type Followers struct {
	cacheme.Node[[]User]

	User int64 `cacheme:"field"`
}

// Meta names the entry: user:7:followers.
func (Followers) Meta() cacheme.Meta { return cacheme.Meta{Key: "user:<user>:followers"} }

// InvalidNodes has this user on the followed side.
func (f Followers) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{Follows{Followed: f.User}}
}

// ResultInvalidNodes bring a follower's new name.
func (Followers) ResultInvalidNodes(users []User) []cacheme.Invalid { return usersChanged(users) }

// Club is the list of members of an author's fan club, with their roles.
type Club struct {
	cacheme.Node[[]Membership]

	Author int64 `cacheme:"field"`
}

// Meta names the entry: author:3:club.
func (Club) Meta() cacheme.Meta { return cacheme.Meta{Key: "author:<author>:club"} }

// InvalidNodes leaves the user open.
func (c Club) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{Memberships{Author: c.Author}}
}

// ResultInvalidNodes bring a member's new name.
func (Club) ResultInvalidNodes(members []Membership) []cacheme.Invalid {
	invalids := make([]cacheme.Invalid, len(members))
	for i, m := range members {
		invalids[i] = UserChanged{ID: m.UserID}
	}
	return invalids
}

// Bargains are the cheapest books. Any book can be one, and nobody minds if they are a little old: while one visitor
// reloads the list, the others get the last one.
type Bargains struct {
	cacheme.Node[[]Book]
}

// bargainsAge is how old the bargains may be.
const bargainsAge = 10 * time.Second

// Meta names the only entry.
func (Bargains) Meta() cacheme.Meta { return cacheme.Meta{Key: "bargains", Stale: bargainsAge} }

// InvalidNodes has the table: whichever book is written.
func (Bargains) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{AnyBook{}} }

func booksChanged(books []Book) []cacheme.Invalid {
	invalids := make([]cacheme.Invalid, len(books))
	for i, b := range books {
		invalids[i] = BookChanged{ID: b.ID}
	}
	return invalids
}

func usersChanged(users []User) []cacheme.Invalid {
	invalids := make([]cacheme.Invalid, len(users))
	for i, u := range users {
		invalids[i] = UserChanged{ID: u.ID}
	}
	return invalids
}
