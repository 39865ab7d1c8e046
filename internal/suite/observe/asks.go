package observe

import (
	"context"
	"time"

	"github.com/cacheme/cacheme"
)

// ask is one thing that is cached, with what is declared of it where everything is, and where something is missing.
type ask struct {
	name  string
	load  func(source, context.Context, int64) (page, error)
	right declared
	wrong declared
	// What the mistake is told by.
	table, columns string
}

// declared is what makes an entry wrong.
type declared struct {
	of     func(id int64) []cacheme.Invalid
	result func(id int64, p page) []cacheme.Invalid
}

// these are invalid nodes that do not hang on the id.
func these(invalids ...cacheme.Invalid) func(int64) []cacheme.Invalid {
	return func(int64) []cacheme.Invalid { return invalids }
}

func each[T any](rows []T, invalid func(T) cacheme.Invalid) (all []cacheme.Invalid) {
	for _, row := range rows {
		all = append(all, invalid(row))
	}
	return all
}

func thatBook(id int64) []cacheme.Invalid { return []cacheme.Invalid{bookChanged{ID: id}} }
func theirBooks(id int64) []cacheme.Invalid {
	return []cacheme.Invalid{booksOf{Author: id}}
}

// asks are the bookstore.
var asks = []ask{
	{
		name: "card", load: source.card, table: "authors",
		right: declared{of: thatBook, result: func(_ int64, p page) (all []cacheme.Invalid) {
			for _, b := range p.Books {
				if b.AuthorID != 0 {
					all = append(all, authorChanged{ID: b.AuthorID})
				}
			}
			return all
		}},
		wrong: declared{of: thatBook}, // the join is forgotten
	},
	{
		name: "reviewed", load: source.reviewed, table: "reviews", columns: "book_id",
		right: declared{of: func(id int64) []cacheme.Invalid {
			return []cacheme.Invalid{bookChanged{ID: id}, reviewsOf{Book: id}}
		}},
		wrong: declared{of: thatBook}, // nobody thought of what is loaded later
	},
	{
		name: "author", load: source.authorName, table: "authors", columns: "id",
		right: declared{of: func(id int64) []cacheme.Invalid { return []cacheme.Invalid{authorChanged{ID: id}} }},
		wrong: declared{of: theirBooks}, // a name is no book
	},
	{
		name: "companions", load: source.companions, table: "user_books", columns: "book_id",
		right: declared{
			of: func(id int64) []cacheme.Invalid { return []cacheme.Invalid{userBooks{User: id}} },
			result: func(_ int64, p page) []cacheme.Invalid {
				return each(p.Places, func(u UserBook) cacheme.Invalid { return userBooks{Book: u.BookID} })
			},
		},
		wrong: declared{of: func(id int64) []cacheme.Invalid { return []cacheme.Invalid{userBooks{User: id}} }}, // one side is missing
	},
	{
		name: "written", load: source.written, table: "books", columns: "author_id",
		right: declared{of: theirBooks},
		wrong: declared{result: func(_ int64, p page) []cacheme.Invalid { // a book that becomes hers is none of these
			return each(p.Books, func(b Book) cacheme.Invalid { return bookChanged{ID: b.ID} })
		}},
	},
	{
		name: "profile", load: source.profile, table: "reviews", columns: "user_id",
		right: declared{of: func(id int64) []cacheme.Invalid { return []cacheme.Invalid{userChanged{ID: id}, reviewsBy{User: id}} }},
		wrong: declared{of: func(id int64) []cacheme.Invalid { return []cacheme.Invalid{userChanged{ID: id}} }}, // the other function's table
	},
	{
		name: "praised", load: source.praised, table: "reviews", columns: "book_id",
		right: declared{of: theirBooks, result: func(_ int64, p page) []cacheme.Invalid {
			return each(p.Books, func(b Book) cacheme.Invalid { return reviewsOf{Book: b.ID} })
		}},
		wrong: declared{of: theirBooks, result: func(_ int64, p page) (all []cacheme.Invalid) { // a review that is new is none of these
			for _, b := range p.Books {
				all = append(all, each(b.Reviews, func(r *Review) cacheme.Invalid { return reviewChanged{ID: r.ID} })...)
			}
			return all
		}},
	},
	{
		name: "readers", load: source.readers, table: "users",
		right: declared{of: these(anyUser{})},
		wrong: declared{of: these(userChanged{ID: 1})}, // the others count too
	},
	{
		name: "starred", load: source.starred, table: "reviews", columns: "stars",
		right: declared{of: these(anyBook{}, anyReview{})},
		wrong: declared{of: these(anyBook{})}, // the condition is on another table
	},
	{
		name: "title", load: source.title, table: "books", columns: "id",
		right: declared{of: thatBook},
		wrong: declared{of: these(authorChanged{ID: 1})}, // prepared elsewhere
	},
}

// manner is how asks are declared.
type manner string

const (
	rightly manner = "right"
	wrongly manner = "wrong"
	auto    manner = "auto"
)

// cached is an ask in a cache.
type cached struct {
	ask
	*cacheme.Bound[int64, page]
}

// declare has everything cached in one manner.
func declare(c *cacheme.Cache, how manner, load func(ask) func(context.Context, int64) (page, error)) ([]cached, error) {
	all := make([]cached, 0, len(asks))
	for _, a := range asks {
		m := cacheme.Memoized[int64, page]{
			Meta:   cacheme.Meta{Key: string(how) + ":" + a.name + ":<id>", Negative: time.Hour},
			Values: func(id int64) []any { return []any{id} },
		}
		d := a.right
		switch how {
		case wrongly:
			d = a.wrong
		case auto:
			d, m.Meta.Observe = declared{}, cacheme.Auto
		}
		m.InvalidNodes, m.ResultInvalidNodes = d.of, d.result
		bound, err := cacheme.Memo(c, m, load(a))
		if err != nil {
			return nil, err
		}
		all = append(all, cached{a, bound})
	}
	return all, nil
}
