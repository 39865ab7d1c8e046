package writes

import (
	"context"
	"fmt"
)

func deletions() []write {
	return []write{
		{
			name: "delete of a struct by its key", wrong: node("shop 1"),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewDelete().Model(&Shop{ID: 1}).WherePK().Exec(ctx))
			},
		}, {
			name: "delete of a slice by its keys", wrong: all(node("shop 1"), node("shop 2")),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewDelete().Model(&[]Shop{{ID: 1}, {ID: 2}}).WherePK().Exec(ctx))
			},
		}, {
			name: "delete by WHERE alone", wrong: all(memberRow(2, 2, 1, "fan"), memberRow(3, 2, 2, "chair")),
			wide: []string{"memberships"}, wideIn: MariaDB, why: foldedText,
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewDelete().Model((*Membership)(nil)).Where("user_id = ?", 2).Exec(ctx))
			},
		}, {
			name: "delete of a struct by a WHERE that says another id", wrong: node("shop 2"),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewDelete().Model(&Shop{ID: 1}).Where("name = 'station'").Exec(ctx))
			},
		}, {
			name: "delete of all rows", wrong: all(followRow(1, 2), followRow(2, 3)),
			do: func(ctx context.Context, x on) error {
				return x.did(x.plain.ExecContext(ctx, "DELETE FROM follows"))
			},
		}, {
			name: "delete with a RETURNING of the user's own", wrong: all(chapterRow(1, 1), chapterRow(1, 2)),
			do: func(ctx context.Context, x on) error {
				var titles []string
				err := x.did(x.NewDelete().Model((*Chapter)(nil)).Where("book_id = 1").Returning("title").Exec(ctx, &titles))
				if err == nil && len(titles) != 2 {
					err = fmt.Errorf("RETURNING gave %v", titles)
				}
				return err
			},
		}, {
			name: "DELETE .. RETURNING, read as a query", wrong: ticketRow(ticketTwo, "all"),
			do: func(ctx context.Context, x on) error {
				return x.gets(x.plain.QueryContext(ctx, "DELETE FROM tickets WHERE seat = '2B' RETURNING seat"))
			},
		}, {
			name: "DELETE .. USING another table", in: Postgres, wrong: all(shelfRow(1, 1), shelfRow(1, 2)),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewDelete().Model((*UserBook)(nil)).TableExpr("users AS u").Where("u.id = user_id").Where("u.name = 'Ann'").Exec(ctx))
			},
		}, {
			name: "DELETE of one table joined with another", in: MariaDB, wide: []string{"user_books"}, why: manyTables,
			do: func(ctx context.Context, x on) error {
				return x.did(x.ExecContext(ctx, "DELETE ub FROM user_books AS ub JOIN users ON users.id = ub.user_id WHERE users.name = 'Ann'"))
			},
		}, {
			name: "delete that meets no row",
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewDelete().Model(&Shop{ID: 3}).WherePK().Exec(ctx))
			},
		}, {
			name: "delete that a foreign key forbids", fails: true,
			do: func(ctx context.Context, x on) error {
				return x.failed(x.NewDelete().Model(&Author{ID: 1}).WherePK().Exec(ctx))
			},
		}, {
			name: "delete of a user, and what the schema deletes with him",
			wrong: all(node("user 1"), bookRow(1, 1, 1), bookRow(3, 2, 1), shelfRow(1, 1), shelfRow(1, 2), followRow(1, 2),
				memberRow(1, 1, 1, "fan"), noteRow(1, 1), noteRow(2, 1)),
			wide: []string{"memberships"}, wideIn: MariaDB, why: foldedText,
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewDelete().Model(&User{ID: 1}).WherePK().Exec(ctx))
			},
		}, {
			name:  "delete of a book by WHERE, and what the schema deletes with it",
			wrong: all(bookRow(1, 1, 1), shelfRow(1, 1), chapterRow(1, 1), chapterRow(1, 2)),
			do: func(ctx context.Context, x on) error {
				return x.did(x.ExecContext(ctx, "DELETE FROM books WHERE title = ?", "Emma"))
			},
		}, {
			name: "delete of a coupon, and its tickets forget it", wrong: all(node("coupon all"), ticketRow(ticketTwo, "all")),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewDelete().Model(&Coupon{Code: "all"}).WherePK().Exec(ctx))
			},
		},
	}
}
