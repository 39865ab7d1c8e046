package main

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
)

// The tables. Version is there for the checker: whoever writes a row leaves his number in it. An application needs no such
// column. What belongs to a user, or stands for a book, goes with it: the database sees to that by itself.

// User reads, owns and follows.
type User struct {
	bun.BaseModel `bun:"table:users"`

	ID      int64 `bun:",pk,autoincrement"`
	Name    string
	Version int64
}

// Author writes books.
type Author struct {
	bun.BaseModel `bun:"table:authors"`

	ID   int64 `bun:",pk,autoincrement"`
	Name string
}

// Book has one author, and belongs to the user who sells it.
type Book struct {
	bun.BaseModel `bun:"table:books"`

	ID       int64 `bun:",pk,autoincrement"`
	Title    string
	Price    int64 // in cents
	Chapters string
	AuthorID int64
	Author   *Author `bun:"rel:belongs-to,join:author_id=id"`
	OwnerID  int64
	Owner    *User `bun:"rel:belongs-to,join:owner_id=id,on_delete:CASCADE"`
	Version  int64
}

// UserBook is a place on a shelf: many users have many books.
type UserBook struct {
	bun.BaseModel `bun:"table:user_books"`

	UserID  int64 `bun:",pk"`
	User    *User `bun:"rel:belongs-to,join:user_id=id"`
	BookID  int64 `bun:",pk"`
	Book    *Book `bun:"rel:belongs-to,join:book_id=id"`
	Version int64
}

// Follow is a many-to-many relation of users with users: its two sides are not the same.
type Follow struct {
	bun.BaseModel `bun:"table:follows"`

	FollowerID int64 `bun:",pk"`
	Follower   *User `bun:"rel:belongs-to,join:follower_id=id"`
	FollowedID int64 `bun:",pk"`
	Followed   *User `bun:"rel:belongs-to,join:followed_id=id"`
	Version    int64
}

// Membership of a user in an author's fan club is a relation that says something itself: the role. Who leaves is kept, as
// one who was a member.
type Membership struct {
	bun.BaseModel `bun:"table:memberships"`

	UserID    int64   `bun:",pk"`
	User      *User   `bun:"rel:belongs-to,join:user_id=id"`
	AuthorID  int64   `bun:",pk"`
	Author    *Author `bun:"rel:belongs-to,join:author_id=id"`
	Role      string
	Version   int64
	DeletedAt time.Time `bun:",soft_delete,nullzero"`
}

// createTables creates the tables, which must not exist yet.
func createTables(ctx context.Context, db bun.IDB) error {
	for _, table := range []struct {
		model any
		// keys are the foreign keys that are part of the primary key, which bun leaves to its user.
		keys []string
	}{
		{model: (*User)(nil)},
		{model: (*Author)(nil)},
		{model: (*Book)(nil)},
		{(*UserBook)(nil), []string{"(user_id) REFERENCES users (id) ON DELETE CASCADE", "(book_id) REFERENCES books (id) ON DELETE CASCADE"}},
		{(*Follow)(nil), []string{"(follower_id) REFERENCES users (id) ON DELETE CASCADE", "(followed_id) REFERENCES users (id) ON DELETE CASCADE"}},
		{(*Membership)(nil), []string{"(user_id) REFERENCES users (id) ON DELETE CASCADE", "(author_id) REFERENCES authors (id)"}},
	} {
		create := db.NewCreateTable().Model(table.model).WithForeignKeys()
		for _, key := range table.keys {
			create = create.ForeignKey(key)
		}
		if _, err := create.Exec(ctx); err != nil {
			return fmt.Errorf("create tables, in an empty database: %w", err)
		}
	}
	for _, index := range []struct{ table, column string }{
		{"books", "author_id"},
		{"books", "price"},
		{"user_books", "book_id"},
		{"follows", "followed_id"},
		{"memberships", "author_id"},
	} {
		_, err := db.NewCreateIndex().Table(index.table).Index(index.table + "_" + index.column).Column(index.column).Exec(ctx)
		if err != nil {
			return fmt.Errorf("create index on %s: %w", index.table, err)
		}
	}
	return nil
}
