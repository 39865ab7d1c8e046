package main

import (
	"context"
	"database/sql"
	"errors"

	"github.com/uptrace/bun"
)

// write is one way of writing. None of them knows of the cache.
type write struct {
	path string
	// deletes: rows go, or are marked as gone, and nothing is left in them to tell the checker who did it.
	deletes bool
	do      func(ctx context.Context, h hand, version int64) error
}

// hand is what is written with: the database, or a transaction of it.
type hand struct {
	bun.IDB

	plain plain
}

// plain is database/sql, below bun: *sql.DB or *sql.Tx.
type plain interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// done drops what an Exec says besides its error.
func done(_ sql.Result, err error) error { return err }

func retitle(book int64, title string) write {
	return write{path: "struct by key", do: func(ctx context.Context, h hand, version int64) error {
		b := &Book{ID: book, Title: title, Version: version}
		return done(h.NewUpdate().Model(b).Column("title", "version").WherePK().Exec(ctx))
	}}
}

// reprice changes the prices of all books of an author, to a percentage.
func reprice(author, percent int64) write {
	return write{path: "update where", do: func(ctx context.Context, h hand, version int64) error {
		return done(h.NewUpdate().Model((*Book)(nil)).
			Set("price = price * ? / 100", percent).Set("version = ?", version).
			Where("author_id = ?", author).Exec(ctx))
	}}
}

// move gives a book to another author.
func move(book, author int64) write {
	return write{path: "move", do: func(ctx context.Context, h hand, version int64) error {
		return done(h.NewUpdate().Model((*Book)(nil)).
			Set("author_id = ?", author).Set("version = ?", version).Where("id = ?", book).Exec(ctx))
	}}
}

// setPrices updates several books in one statement.
func setPrices(books []Book) write {
	return write{path: "bulk update", do: func(ctx context.Context, h hand, version int64) error {
		for i := range books {
			books[i].Version = version
		}
		return done(h.NewUpdate().Model(&books).Column("price", "version").Bulk().Exec(ctx))
	}}
}

// addBooks inserts books; one that is there already stays as it is.
func addBooks(books []Book) write {
	return write{path: "bulk insert", do: func(ctx context.Context, h hand, version int64) error {
		for i := range books {
			books[i].Version = version
		}
		return done(h.NewInsert().Model(&books).On("CONFLICT DO NOTHING").Exec(ctx))
	}}
}

// publish inserts one book, and gives it an id.
func publish(b *Book) write {
	return write{path: "insert", do: func(ctx context.Context, h hand, version int64) error {
		b.Version = version
		return done(h.NewInsert().Model(b).Exec(ctx))
	}}
}

// deleteBook removes a book; the database takes it off every shelf.
func deleteBook(book int64) write {
	return write{path: "delete by key", deletes: true, do: func(ctx context.Context, h hand, _ int64) error {
		return done(h.NewDelete().Model(&Book{ID: book}).WherePK().Exec(ctx))
	}}
}

// rename is plain SQL in bun's hands.
func rename(user int64, name string) write {
	return write{path: "ExecContext", do: func(ctx context.Context, h hand, version int64) error {
		return done(h.ExecContext(ctx, "UPDATE users SET name = ?, version = ? WHERE id = ?", name, version, user))
	}}
}

// rewrite is plain SQL in bun's other hands.
func rewrite(book int64, chapters string) write {
	return write{path: "NewRaw", do: func(ctx context.Context, h hand, version int64) error {
		return done(h.NewRaw("UPDATE books SET chapters = ?, version = ? WHERE id = ?", chapters, version, book).Exec(ctx))
	}}
}

// sell gives books of one owner to another one, by a statement that is prepared first.
func sell(book, owner int64) write {
	return write{path: "prepared", do: func(ctx context.Context, h hand, version int64) (err error) {
		statement, err := h.plain.PrepareContext(ctx, "UPDATE books SET owner_id = ?, version = ? WHERE id = ?")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, statement.Close()) }()
		return done(statement.ExecContext(ctx, owner, version, book))
	}}
}

// follow goes past bun altogether.
func follow(follower, followed int64) write {
	return write{path: "database/sql", do: func(ctx context.Context, h hand, version int64) error {
		return done(h.plain.ExecContext(ctx, "INSERT INTO follows (follower_id, followed_id, version) VALUES (?, ?, ?) "+
			"ON CONFLICT DO NOTHING", follower, followed, version))
	}}
}

// unfollow also tells whom, as its statement returns it.
func unfollow(follower int64) write {
	return write{path: "returning", deletes: true, do: func(ctx context.Context, h hand, _ int64) error {
		var followed []int64
		_, err := h.NewDelete().Model((*Follow)(nil)).Where("follower_id = ?", follower).Returning("followed_id").Exec(ctx, &followed)
		return err
	}}
}

// addToShelf puts books on a user's shelf, all at once.
func addToShelf(user int64, books ...int64) write {
	return write{path: "m2m bulk add", do: func(ctx context.Context, h hand, version int64) error {
		places := make([]UserBook, len(books))
		for i, book := range books {
			places[i] = UserBook{UserID: user, BookID: book, Version: version}
		}
		return done(h.NewInsert().Model(&places).On("CONFLICT DO NOTHING").Exec(ctx))
	}}
}

// takeFromShelf takes books off a user's shelf, all at once.
func takeFromShelf(user int64, books ...int64) write {
	return write{path: "m2m bulk remove", deletes: true, do: func(ctx context.Context, h hand, _ int64) error {
		places := make([]UserBook, len(books))
		for i, book := range books {
			places[i] = UserBook{UserID: user, BookID: book}
		}
		return done(h.NewDelete().Model(&places).WherePK().Exec(ctx))
	}}
}

// clearShelf takes everything off.
func clearShelf(user int64) write {
	return write{path: "delete where", deletes: true, do: func(ctx context.Context, h hand, _ int64) error {
		return done(h.NewDelete().Model((*UserBook)(nil)).Where("user_id = ?", user).Exec(ctx))
	}}
}

// collect puts all books of an author on a user's shelf; the database finds them.
func collect(user, author int64) write {
	return write{path: "insert select", do: func(ctx context.Context, h hand, version int64) error {
		return done(h.ExecContext(ctx, "INSERT INTO user_books (user_id, book_id, version) "+
			"SELECT ?, id, ? FROM books WHERE author_id = ? ON CONFLICT DO NOTHING", user, version, author))
	}}
}

// setRole makes a user a member of an author's fan club, or gives a member another role.
func setRole(user, author int64, role string) write {
	return write{path: "upsert", do: func(ctx context.Context, h hand, version int64) error {
		return done(h.NewInsert().Model(&Membership{UserID: user, AuthorID: author, Role: role, Version: version}).
			On("CONFLICT (user_id, author_id) DO UPDATE").
			Set("role = EXCLUDED.role, version = EXCLUDED.version, deleted_at = NULL").Exec(ctx))
	}}
}

// leaveClubs ends all memberships of a user, who is remembered as a former member.
func leaveClubs(user int64) write {
	return write{path: "soft delete", deletes: true, do: func(ctx context.Context, h hand, _ int64) error {
		return done(h.NewDelete().Model((*Membership)(nil)).Where("user_id = ?", user).Exec(ctx))
	}}
}

// deleteUser removes a user; the database takes along what hangs on him, and what hangs on that: his books too go from
// other people's shelves.
func deleteUser(user int64) write {
	return write{path: "cascade", deletes: true, do: func(ctx context.Context, h hand, _ int64) error {
		return done(h.NewDelete().Model((*User)(nil)).Where("id = ?", user).Exec(ctx))
	}}
}

// addUsers inserts users; one who is there already stays as he is.
func addUsers(users []User) write {
	return write{path: "bulk insert", do: func(ctx context.Context, h hand, version int64) error {
		for i := range users {
			users[i].Version = version
		}
		return done(h.NewInsert().Model(&users).On("CONFLICT DO NOTHING").Exec(ctx))
	}}
}
