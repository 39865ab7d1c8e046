package writes

import "context"

// keyWrites change columns that nodes name: what the row was is wrong, and what it is.
func keyWrites() []write {
	return []write{
		{
			name: "move of a book to another author, by its struct", wrong: all(bookRow(1, 1, 1), bookRow(1, 2, 1)),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model(&Book{ID: 1, Title: "Emma", Price: 10, AuthorID: 2, OwnerID: 1}).WherePK().Exec(ctx))
			},
		}, {
			name: "move of books to another author, by WHERE", wrong: all(bookRow(1, 1, 1), bookRow(2, 1, 2), bookRow(1, 3, 1), bookRow(2, 3, 2)),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model((*Book)(nil)).Set("author_id = 3").Where("author_id = 1").Exec(ctx))
			},
		}, {
			name: "move of books to another author, Bulk()", wrong: all(bookRow(1, 1, 1), bookRow(3, 2, 1), bookRow(1, 3, 1), bookRow(3, 3, 1)),
			in: SQLite | Postgres,
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model(&[]Book{{ID: 1, AuthorID: 3}, {ID: 3, AuthorID: 3}}).Column("author_id").Bulk().Exec(ctx))
			},
		}, {
			name: "a foreign key becomes NULL", wrong: bookRow(4, 2, 3),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model(&Book{ID: 4}).Column("owner_id").WherePK().Exec(ctx))
			},
		}, {
			name: "a place moves from one book to another", wrong: all(shelfRow(1, 1), shelfRow(1, 3)),
			wide: []string{"user_books"}, wideIn: MariaDB, why: keyItself,
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model((*UserBook)(nil)).Set("book_id = 3").Where("user_id = 1 AND book_id = 1").Exec(ctx))
			},
		}, {
			name: "a role changes", wrong: all(memberRow(1, 1, 1, "fan"), memberRow(1, 1, 1, "chair")),
			wide: []string{"memberships"}, wideIn: MariaDB, why: foldedText,
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model(&Membership{ID: 1, Role: "chair"}).Column("role").WherePK().Exec(ctx))
			},
		}, {
			name: "a primary key changes, and a foreign key follows", wide: []string{"coupons", "tickets"}, why: othersFollow,
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model((*Coupon)(nil)).Set("code = 'NEW'").Where("code = 'SPRING'").Exec(ctx))
			},
		}, {
			name: "columns set as a tuple", in: SQLite | Postgres, wrong: all(bookRow(1, 1, 1), bookRow(1, 2, 3)),
			do: func(ctx context.Context, x on) error {
				return x.did(x.ExecContext(ctx, `UPDATE "books" SET ("author_id", "owner_id") = (2, 3) WHERE "id" = 1`))
			},
		}, {
			name: "a move with arguments in another order", wrong: all(bookRow(2, 1, 2), bookRow(2, 3, 2)),
			do: func(ctx context.Context, x on) error {
				text := "UPDATE books SET author_id = ?, title = ? WHERE price = ? AND author_id = ?"
				args := []any{3, "moved", 12, 1}
				if x.dialect == Postgres {
					text = "UPDATE books SET author_id = $3, title = $1 WHERE price = $2 AND author_id = $4"
					args = []any{"moved", 12, 3, 1}
				}
				return x.did(x.plain.ExecContext(ctx, text, args...))
			},
		},
	}
}
