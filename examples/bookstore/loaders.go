package main

import (
	"context"
	"strings"

	"github.com/uptrace/bun"
)

// loaders load what is cached from the database, each with one query. They know nothing of the cache.
type loaders struct{ db bun.IDB }

func (l loaders) shelf(ctx context.Context, n Shelf) (books []Book, err error) {
	err = l.db.NewSelect().Model(&books).
		Join("JOIN user_books AS place ON place.book_id = book.id").
		Where("place.user_id = ?", n.User).Order("book.id").Scan(ctx)
	return books, err
}

func (l loaders) readers(ctx context.Context, n Readers) (users []User, err error) {
	err = l.db.NewSelect().Model(&users).
		Join("JOIN user_books AS place ON place.user_id = user.id").
		Where("place.book_id = ?", n.Book).Order("user.id").Scan(ctx)
	return users, err
}

func (l loaders) owner(ctx context.Context, n BookOwner) (owner User, err error) {
	err = l.db.NewSelect().Model(&owner).
		Join("JOIN books AS book ON book.owner_id = user.id").
		Where("book.id = ?", n.ID).Scan(ctx)
	return owner, err
}

func (l loaders) chapters(ctx context.Context, n BookChapters) (Chapters, error) {
	var b Book
	err := l.db.NewSelect().Model(&b).Column("chapters", "version").Where("id = ?", n.ID).Scan(ctx)
	return Chapters{Titles: strings.Split(b.Chapters, "\n"), Version: b.Version}, err
}

func (l loaders) book(ctx context.Context, n BookByID) (b Book, err error) {
	err = l.db.NewSelect().Model(&b).Where("id = ?", n.ID).Scan(ctx) // sql.ErrNoRows: there is none
	return b, err
}

func (l loaders) authorBooks(ctx context.Context, n AuthorBooks) (books []Book, err error) {
	err = l.db.NewSelect().Model(&books).Where("author_id = ?", n.Author).Order("id").Scan(ctx)
	return books, err
}

func (l loaders) followers(ctx context.Context, n Followers) (users []User, err error) {
	err = l.db.NewSelect().Model(&users).
		Join("JOIN follows AS follow ON follow.follower_id = user.id").
		Where("follow.followed_id = ?", n.User).Order("user.id").Scan(ctx)
	return users, err
}

func (l loaders) club(ctx context.Context, n Club) (members []Membership, err error) {
	err = l.db.NewSelect().Model(&members).Relation("User").
		Where("membership.author_id = ?", n.Author).Order("membership.user_id").Scan(ctx)
	return members, err
}

func (l loaders) bargains(ctx context.Context, _ Bargains) (books []Book, err error) {
	err = l.db.NewSelect().Model(&books).Order("price", "id").Limit(10).Scan(ctx)
	return books, err
}
