package main

import (
	"context"
	"database/sql"

	"github.com/uptrace/bun"
)

// What can be done in the shop. None of it knows of the cache: it only notes which rows it wrote. What is not there to
// be changed is sql.ErrNoRows.

// editBook changes a book: its title, its price, its author.
func editBook(id int64, edit func(*Book)) work {
	return func(ctx context.Context, tx bun.Tx, w *written) error {
		var before Book
		if err := tx.NewSelect().Model(&before).Where("id = ?", id).Scan(ctx); err != nil {
			return err
		}
		after := before
		edit(&after)
		after.Version = w.version
		w.books = append(w.books, change[Book]{&before, &after})
		_, err := tx.NewUpdate().Model(&after).WherePK().Exec(ctx)
		return err
	}
}

// insertBook adds a book, under the id that it has or a new one.
func insertBook(b *Book) work {
	return func(ctx context.Context, tx bun.Tx, w *written) error {
		b.Version = w.version
		w.books = append(w.books, inserted(b))
		_, err := tx.NewInsert().Model(b).Exec(ctx)
		return err
	}
}

// deleteBook removes a book, also from every shelf.
func deleteBook(id int64) work {
	return func(ctx context.Context, tx bun.Tx, w *written) error {
		var places []UserBook
		if err := tx.NewDelete().Model(&places).Where("book_id = ?", id).Returning("*").Scan(ctx); err != nil {
			return err
		}
		for i := range places {
			w.places = append(w.places, deleted(&places[i]))
		}
		var b Book
		if err := tx.NewDelete().Model(&b).Where("id = ?", id).Returning("*").Scan(ctx); err != nil {
			return err
		}
		w.books = append(w.books, deleted(&b))
		return nil
	}
}

// renameUser gives a user another name.
func renameUser(id int64, name string) work {
	return func(ctx context.Context, tx bun.Tx, w *written) error {
		after := User{ID: id, Name: name, Version: w.version}
		w.users = append(w.users, change[User]{after: &after})
		_, err := tx.NewUpdate().Model(&after).WherePK().Exec(ctx)
		return err
	}
}

// addToShelf puts books on a user's shelf that are not there yet.
func addToShelf(user int64, books ...int64) work {
	return func(ctx context.Context, tx bun.Tx, w *written) error {
		for _, book := range books {
			there, err := tx.NewSelect().Model((*Book)(nil)).Where("id = ?", book).Exists(ctx)
			switch {
			case err != nil:
				return err
			case !there:
				return sql.ErrNoRows
			}
			place := &UserBook{UserID: user, BookID: book}
			w.places = append(w.places, inserted(place))
			if _, err := tx.NewInsert().Model(place).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

// toggleShelf takes a book off a user's shelf, or puts it there.
func toggleShelf(user, book int64) work {
	return func(ctx context.Context, tx bun.Tx, w *written) error {
		place := &UserBook{UserID: user, BookID: book}
		done, err := tx.NewDelete().Model(place).WherePK().Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 1 {
			w.places = append(w.places, deleted(place))
			return err
		}
		return addToShelf(user, book)(ctx, tx, w)
	}
}

// toggleFollow makes a user follow another one, or ends that.
func toggleFollow(follower, followed int64) work {
	return func(ctx context.Context, tx bun.Tx, w *written) error {
		follow := &Follow{FollowerID: follower, FollowedID: followed}
		done, err := tx.NewDelete().Model(follow).WherePK().Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 1 {
			w.follows = append(w.follows, deleted(follow))
			return err
		}
		w.follows = append(w.follows, inserted(follow))
		_, err = tx.NewInsert().Model(follow).Exec(ctx)
		return err
	}
}

// setRole makes a user a member of an author's fan club, or gives a member another role.
func setRole(user, author int64, role string) work {
	return func(ctx context.Context, tx bun.Tx, w *written) error {
		after := &Membership{UserID: user, AuthorID: author, Role: role, Version: w.version}
		w.members = append(w.members, change[Membership]{after: after})
		_, err := tx.NewInsert().Model(after).
			On("CONFLICT (user_id, author_id) DO UPDATE").
			Set("role = EXCLUDED.role, version = EXCLUDED.version").Exec(ctx)
		return err
	}
}
