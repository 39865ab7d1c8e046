package observe

import (
	"context"
	"database/sql"
	"errors"

	"github.com/uptrace/bun"
)

// source is a database that loaders load from.
type source struct {
	db     *bun.DB
	titles *sql.Stmt // the title of a book by its id, prepared when the program began
	name   string    // the name of an author by its id, in the database's own parameters
}

// page is what every loader shows.
type page struct {
	Title   string
	Count   int
	Books   []Book
	Reviews []Review
	Places  []UserBook
	Users   []User
}

// A query whose line a mistake is told by has its name in a comment at the end of that line.

// card is a book with its author, joined.
func (s source) card(ctx context.Context, id int64) (p page, err error) {
	q := s.db.NewSelect().Model(&p.Books).Relation("Author").Where("book.id = ?", id)
	err = q.Scan(ctx) // seeded: card
	if err == nil && len(p.Books) == 0 {
		err = sql.ErrNoRows
	}
	return p, err
}

// reviewed is a book, and its reviews once they are looked at.
func (s source) reviewed(ctx context.Context, id int64) (p page, err error) {
	if err = s.db.NewSelect().Model(&p.Books).Where("id = ?", id).Scan(ctx); err != nil {
		return p, err
	}
	for _, b := range p.Books {
		q := s.db.NewSelect().Model(&p.Reviews).Where("book_id = ?", b.ID).Order("id")
		err = errors.Join(err, q.Scan(ctx)) // seeded: reviewed
	}
	return p, err
}

// authorName goes past bun.
func (s source) authorName(ctx context.Context, id int64) (p page, err error) {
	err = s.db.DB.QueryRowContext(ctx, s.name, id).Scan(&p.Title) // seeded: author
	return p, err
}

// companions are the places on shelves of all books that a user has on his.
func (s source) companions(ctx context.Context, id int64) (p page, err error) {
	var own []int64
	if err = s.db.NewSelect().Model((*UserBook)(nil)).Column("book_id").Where("user_id = ?", id).Order("book_id").Scan(ctx, &own); err != nil || len(own) == 0 {
		return p, err
	}
	q := s.db.NewSelect().Model(&p.Places).Where("book_id IN (?)", bun.List(own)).Order("book_id", "user_id")
	err = q.Scan(ctx) // seeded: companions
	return p, err
}

// written is what an author has written.
func (s source) written(ctx context.Context, id int64) (p page, err error) {
	q := s.db.NewSelect().Model(&p.Books).Where("author_id = ?", id).Order("id")
	err = q.Scan(ctx) // seeded: written
	return p, err
}

// profile is a user, with what another function counts.
func (s source) profile(ctx context.Context, id int64) (p page, err error) {
	if err = s.db.NewSelect().Model(&p.Users).Where("id = ?", id).Scan(ctx); err != nil {
		return p, err
	}
	p.Count, err = s.reviewsBy(ctx, id)
	return p, err
}

func (s source) reviewsBy(ctx context.Context, user int64) (int, error) {
	n, err := s.db.NewSelect().Model((*Review)(nil)).Where("user_id = ?", user).Count(ctx) // seeded: profile
	return int(n), err
}

// praised are an author's books with their reviews, a has-many relation.
func (s source) praised(ctx context.Context, id int64) (p page, err error) {
	q := s.db.NewSelect().Model(&p.Books).Where("author_id = ?", id).Order("id").
		Relation("Reviews", func(q *bun.SelectQuery) *bun.SelectQuery { return q.Order("id") })
	err = q.Scan(ctx) // seeded: praised
	return p, err
}

// readers counts the users.
func (s source) readers(ctx context.Context, _ int64) (p page, err error) {
	n, err := s.db.NewSelect().Model((*User)(nil)).Count(ctx) // seeded: readers
	p.Count = int(n)
	return p, err
}

// starred are the books with a review of so many stars.
func (s source) starred(ctx context.Context, stars int64) (p page, err error) {
	good := s.db.NewSelect().Model((*Review)(nil)).ColumnExpr("1").Where("review.book_id = book.id").Where("review.stars = ?", stars)
	q := s.db.NewSelect().Model(&p.Books).Where("EXISTS (?)", good).Order("id")
	err = q.Scan(ctx) // seeded: starred
	return p, err
}

// title asks a statement that was prepared elsewhere.
func (s source) title(ctx context.Context, id int64) (p page, err error) {
	err = s.titles.QueryRowContext(ctx, id).Scan(&p.Title) // seeded: title
	return p, err
}
