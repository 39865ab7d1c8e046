package writes

import (
	"context"
	"slices"
	"testing"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// moves are changes of relations: both ends of what moved are wrong, and nobody else's.
func moves(t *testing.T, open Open) {
	runAll(t, open, []chapter{
		{"a book from one author to another", bookMoves},
		{"a relation is cleared", relationCleared},
		{"a thousand books in one insert", thousandBooks},
		{"a user goes, with a shelf", userGoes},
		{"who follows whom", whoFollows},
	})
}

func bookMoves(t *testing.T, open Open) {
	s := tell(t, open, setup{})
	s.step("by its struct", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewUpdate().Model(&Book{ID: 1, AuthorID: 2}).Column("author_id").WherePK().Exec(ctx))
	}, bookRow(1, 1, 1), bookRow(1, 2, 1))
	s.step("back, in a transaction", func(ctx context.Context, db *bun.DB) error {
		return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			return exec(tx.NewUpdate().Model(&Book{ID: 1, AuthorID: 1}).Column("author_id").WherePK().Exec(ctx))
		})
	}, bookRow(1, 2, 1), bookRow(1, 1, 1))
	s.step("by WHERE", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewUpdate().Model((*Book)(nil)).Set("author_id = ?", 3).Where("title LIKE ?", "S%").Exec(ctx))
	}, bookRow(3, 2, 1), bookRow(3, 3, 1))
	s.step("to where it is", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewUpdate().Model((*Book)(nil)).Set("author_id = 3").Where("id = 3").Exec(ctx))
	}, bookRow(3, 3, 1))
	s.step("twice in one transaction", func(ctx context.Context, db *bun.DB) error {
		return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			for _, author := range []int{1, 2} {
				if _, err := tx.NewUpdate().Model((*Book)(nil)).Set("author_id = ?", author).Where("id = 3").Exec(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	}, bookRow(3, 3, 1), bookRow(3, 1, 1), bookRow(3, 2, 1))
	if s.Dialect == MariaDB {
		return // bun's Bulk() is nothing that MariaDB understands
	}
	s.step("in bulk", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewUpdate().Model(&[]Book{{ID: 1, AuthorID: 3}, {ID: 4, AuthorID: 1}}).Column("author_id").Bulk().Exec(ctx))
	}, bookRow(1, 1, 1), bookRow(1, 3, 1), bookRow(4, 2, 3), bookRow(4, 1, 3))
}

func relationCleared(t *testing.T, open Open) {
	s := tell(t, open, setup{})
	clearShelf := func(user int) func(context.Context, *bun.DB) error {
		return func(ctx context.Context, db *bun.DB) error {
			return exec(db.NewDelete().Model((*UserBook)(nil)).Where("user_id = ?", user).Exec(ctx))
		}
	}
	s.step("from the user's side", clearShelf(1), shelfRow(1, 1), shelfRow(1, 2))
	s.step("when there is nothing in it", clearShelf(1))
	s.step("from the book's side", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewDelete().Model((*UserBook)(nil)).Where("book_id = 2").Exec(ctx))
	}, shelfRow(2, 2))
}

// aThousand is how many that is: a fifth of them in make test.
func aThousand() int64 {
	if suite.Torture() {
		return 1000
	}
	return 200
}

func thousandBooks(t *testing.T, open Open) {
	many := aThousand()
	s := tell(t, open, setup{})
	var books []Book
	var places []UserBook
	for i := range many {
		books = append(books, Book{ID: generatedFrom + i, AuthorID: 3, OwnerID: 2})
		places = append(places, UserBook{UserID: 3, BookID: generatedFrom + i})
	}
	s.step("the books come", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewInsert().Model(&books).Exec(ctx))
	}, bookRow(generated, 3, 2))

	loads := 0
	readers := func(book int64) {
		t.Helper()
		_, err := cacheme.GetFrom(s.ctx, s.cache, Readers{Book: book}, func(context.Context, Readers) (string, error) {
			loads++
			return "whoever", nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	some := []int64{generatedFrom, generatedFrom + many/2, generatedFrom + many - 1}
	for range 2 {
		for _, book := range some {
			readers(book)
		}
	}
	if loads != len(some) {
		t.Fatalf("%d loads of %d lists", loads, len(some))
	}
	s.step("a user takes them all", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewInsert().Model(&places).Exec(ctx))
	}, []string{"shelf of user 3"})
	for _, book := range some {
		readers(book)
	}
	if loads != 2*len(some) {
		t.Errorf("after the insert %d of %d lists were loaded again", loads-len(some), len(some))
	}
	readers(generatedFrom + many) // a list that has nothing to do with it, cached from here on
	loads = 0
	s.step("the user gives them back", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewDelete().Model((*UserBook)(nil)).Where("user_id = 3 AND book_id >= ?", generatedFrom).Exec(ctx))
	}, []string{"shelf of user 3"})
	for _, book := range append(slices.Clone(some), generatedFrom+many) {
		readers(book)
	}
	if loads != len(some) {
		t.Errorf("after the delete %d of %d lists were loaded again", loads, len(some))
	}
}

func userGoes(t *testing.T, open Open) {
	s := tell(t, open, setup{})
	wrong := [][]string{
		node("user 2"), bookRow(2, 1, 2), shelfRow(2, 2), shelfRow(2, 3), followRow(1, 2), followRow(2, 3),
		memberRow(2, 2, 1, "fan"), memberRow(3, 2, 2, "chair"), noteRow(3, 2), noteRow(4, 2),
	}
	if s.Dialect == MariaDB {
		wrong = append(wrong, s.of("memberships")) // by their role, a text that is equal in more than one spelling
	}
	s.step("a user with books, followers, clubs and notes", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewDelete().Model((*User)(nil)).Where("name = ?", "Bob").Exec(ctx))
	}, wrong...)
	s.step("a book that is on no shelf any more", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewDelete().Model(&Book{ID: 3}).WherePK().Exec(ctx))
	}, bookRow(3, 2, 1), chapterRow(3, 1))
}

// whoFollows: the two sides of a relation of users with users are not the same, and a third user has no part in it.
func whoFollows(t *testing.T, open Open) {
	s := tell(t, open, setup{})
	s.step("one follows another", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewInsert().Model(&Follow{FollowerID: 3, FollowedID: 2}).Exec(ctx))
	}, followRow(3, 2))
	s.step("and is followed back", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewInsert().Model(&Follow{FollowerID: 3, FollowedID: 1}).Ignore().Exec(ctx))
	}, followRow(3, 1))
	s.step("and goes off", func(ctx context.Context, db *bun.DB) error {
		return exec(db.NewDelete().Model((*Follow)(nil)).Where("follower_id = 3").Exec(ctx))
	}, followRow(3, 1), followRow(3, 2))
}
