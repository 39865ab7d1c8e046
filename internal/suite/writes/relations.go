package writes

import (
	"context"

	"github.com/uptrace/bun"
)

func relations() []write {
	return []write{
		{
			name: "a user puts a book on the shelf", wrong: shelfRow(3, 1),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewInsert().Model(&UserBook{UserID: 3, BookID: 1}).Exec(ctx))
			},
		}, {
			name: "a user puts many books on the shelf at once", wrong: all(shelfRow(3, 1), shelfRow(3, 2), shelfRow(3, 3)),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewInsert().Model(&[]UserBook{{UserID: 3, BookID: 1}, {UserID: 3, BookID: 2}, {UserID: 3, BookID: 3}}).Exec(ctx))
			},
		}, {
			name: "a book leaves a shelf", wrong: shelfRow(2, 3),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewDelete().Model(&UserBook{UserID: 2, BookID: 3}).WherePK().Exec(ctx))
			},
		}, {
			name: "a shelf is cleared", wrong: all(shelfRow(1, 1), shelfRow(1, 2)),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewDelete().Model((*UserBook)(nil)).Where("user_id = ?", 1).Exec(ctx))
			},
		}, {
			name: "a book loses all its readers", wrong: all(shelfRow(1, 2), shelfRow(2, 2)),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewDelete().Model((*UserBook)(nil)).Where("book_id = ?", 2).Exec(ctx))
			},
		}, {
			name: "a user follows another", wrong: followRow(3, 1),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewInsert().Model(&Follow{FollowerID: 3, FollowedID: 1}).Exec(ctx))
			},
		}, {
			name: "a user follows no more", wrong: followRow(1, 2),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewDelete().Model(&Follow{FollowerID: 1, FollowedID: 2}).WherePK().Exec(ctx))
			},
		}, {
			name: "a follower is exchanged for another", wrong: all(followRow(1, 2), followRow(3, 2)),
			wide: []string{"follows"}, wideIn: MariaDB, why: keyItself,
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model((*Follow)(nil)).Set("follower_id = 3").Where("followed_id = 2").Exec(ctx))
			},
		}, {
			name: "a user joins a club", wrong: memberRow(5, 1, 2, "guest"),
			wide: []string{"memberships"}, wideIn: MariaDB, why: foldedText,
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewInsert().Model(&Membership{ID: 5, UserID: 1, AuthorID: 2, Role: "guest"}).Exec(ctx))
			},
		}, {
			name: "a user leaves a club, by both sides", wrong: memberRow(4, 3, 2, "fan"),
			wide: []string{"memberships"}, wideIn: MariaDB, why: foldedText,
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewDelete().Model(&Membership{UserID: 3, AuthorID: 2}).WherePK("user_id", "author_id").Exec(ctx))
			},
		}, {
			name: "a shelf is set anew", wrong: all(shelfRow(1, 1), shelfRow(1, 2), shelfRow(1, 4)),
			do: func(ctx context.Context, x on) error {
				set := func(ctx context.Context, tx bun.IDB) error {
					if err := x.did(tx.NewDelete().Model((*UserBook)(nil)).Where("user_id = 1").Exec(ctx)); err != nil {
						return err
					}
					return x.did(tx.NewInsert().Model(&[]UserBook{{UserID: 1, BookID: 2}, {UserID: 1, BookID: 4}}).Exec(ctx))
				}
				return set(ctx, x.IDB)
			},
		},
	}
}
