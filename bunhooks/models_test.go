package bunhooks_test

import (
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
)

type (
	Author struct {
		bun.BaseModel `bun:"table:authors"`

		ID   int64 `bun:",pk"`
		Name string
	}
	Book struct {
		bun.BaseModel `bun:"table:books"`

		ID       int64 `bun:",pk,autoincrement"`
		Title    string
		AuthorID int64   `bun:",nullzero"`
		Author   *Author `bun:"rel:belongs-to,join:author_id=id"`
	}
	// Line is of an edition of a book: its key has two columns.
	Line struct {
		bun.BaseModel `bun:"table:lines"`

		BookID int64 `bun:",pk"`
		Number int64 `bun:",pk"`
		Text   string
	}
)

// What becomes wrong.
type (
	BookChanged struct {
		cacheme.ModelInvalidNode
		ID int64 `cacheme:"field"`
	}
	BooksOf struct {
		cacheme.ModelInvalidNode
		Author int64 `cacheme:"field"`
	}
	LineChanged struct {
		cacheme.ModelInvalidNode
		BookID int64 `cacheme:"field"`
		Number int64 `cacheme:"field"`
	}
)

func (BookChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Book)(nil)} }
func (BooksOf) Meta() cacheme.Meta     { return cacheme.Meta{Model: (*Book)(nil)} }
func (LineChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Line)(nil)} }

// What is cached: the text of some rows.
type (
	BookText struct {
		cacheme.Node[string]
		ID int64 `cacheme:"field"`
	}
	ListText struct {
		cacheme.Node[string]
		Author int64 `cacheme:"field"`
	}
	LineText struct {
		cacheme.Node[string]
		Book   int64 `cacheme:"field"`
		Number int64 `cacheme:"field"`
	}
	// AuthorsText depends on a table that no invalid node names.
	AuthorsText struct{ cacheme.Node[string] }
)

func (BookText) Meta() cacheme.Meta    { return cacheme.Meta{Key: "book:<id>"} }
func (ListText) Meta() cacheme.Meta    { return cacheme.Meta{Key: "list:<author>"} }
func (LineText) Meta() cacheme.Meta    { return cacheme.Meta{Key: "line:<book>:<number>"} }
func (AuthorsText) Meta() cacheme.Meta { return cacheme.Meta{Key: "authors"} }

func (n BookText) InvalidNodes() []cacheme.Invalid {
	var changed BookChanged
	changed.ID = n.ID
	return []cacheme.Invalid{changed}
}

func (n ListText) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{BooksOf{Author: n.Author}}
}

func (n LineText) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{LineChanged{BookID: n.Book, Number: n.Number}}
}

func (AuthorsText) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{cacheme.Table("authors")}
}

// declared are all of them.
func declared() []cacheme.Declaration {
	return []cacheme.Declaration{BookChanged{}, BooksOf{}, LineChanged{}, BookText{}, ListText{}, LineText{}, AuthorsText{}}
}

// tables are what the database of a world has in the beginning.
const tables = `
	CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT);
	CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER);
	CREATE TABLE lines (book_id INTEGER, number INTEGER, text TEXT, PRIMARY KEY (book_id, number));
	INSERT INTO authors VALUES (1, 'Ann'), (2, 'Bob');
	INSERT INTO books VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 2);
	INSERT INTO lines VALUES (1, 1, 'x'), (1, 2, 'y'), (2, 1, 'z');`
