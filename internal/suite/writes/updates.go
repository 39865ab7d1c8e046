package writes

import (
	"context"
	"fmt"
)

const (
	manyTables   = "the statement names several tables, and tells of no row"
	keyItself    = "the primary key itself changes, and without UPDATE .. RETURNING nobody tells what it is then"
	othersFollow = "other tables refer to the column, and the database changes them with it"
	foldedText   = "a node names the column `role`, whose texts are equal in more than one spelling here"
)

func updates() []write {
	return []write{
		{
			name: "update of a struct by its key", wrong: bookRow(1, 1, 1),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model(&Book{ID: 1, Title: "new", AuthorID: 1, OwnerID: 1}).WherePK().Exec(ctx))
			},
		}, {
			name: "update of one column of a struct", wrong: bookRow(3, 2, 1),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model(&Book{ID: 3, Title: "new"}).Column("title").WherePK().Exec(ctx))
			},
		}, {
			name: "update of a slice, Bulk()", wrong: all(bookRow(1, 1, 1), bookRow(3, 2, 1)), in: SQLite | Postgres,
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model(&[]Book{{ID: 1, Title: "x"}, {ID: 3, Title: "y"}}).Column("title").Bulk().Exec(ctx))
			},
		}, {
			name: "update by WHERE alone", wrong: all(bookRow(1, 1, 1), bookRow(2, 1, 2)),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model((*Book)(nil)).Set("price = price + 1").Where("author_id = ?", 1).Exec(ctx))
			},
		}, {
			name: "update of a struct by a WHERE that says another id", wrong: bookRow(3, 2, 1),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model(&Book{ID: 5}).Set("title = 'new'").Where("id = 3").Exec(ctx))
			},
		}, {
			name: "update by WherePK of another column", wrong: bookRow(2, 1, 2),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model(&Book{ID: 5, Title: "Persuasion"}).Set("price = 99").WherePK("title").Exec(ctx))
			},
		}, {
			name: "update by Table(), without a model", wrong: bookRow(4, 2, 3),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Table("books").Set("price = 1").Where("title = ?", "Villette").Exec(ctx))
			},
		}, {
			name: "update of all rows", wrong: all(node("shop 1"), node("shop 2")),
			do: func(ctx context.Context, x on) error {
				return x.did(x.plain.ExecContext(ctx, "UPDATE shops SET name = 'all'"))
			},
		}, {
			name: "update with a RETURNING of the user's own", wrong: all(bookRow(3, 2, 1), bookRow(4, 2, 3)), in: SQLite | Postgres,
			do: func(ctx context.Context, x on) error {
				var titles []string
				err := x.did(x.NewUpdate().Model((*Book)(nil)).Set("title = upper(title)").Where("author_id = 2").Returning("title").Exec(ctx, &titles))
				if err == nil && len(titles) != 2 {
					err = fmt.Errorf("RETURNING gave %v", titles)
				}
				return err
			},
		}, {
			name: "update into the slice that is its model", wrong: all(bookRow(3, 2, 1), bookRow(4, 2, 3)), in: SQLite | Postgres,
			do: func(ctx context.Context, x on) error {
				var books []Book
				err := x.did(x.NewUpdate().Model(&books).Set("price = 7").Where("author_id = 2").Returning("*").Exec(ctx))
				if err == nil && (len(books) != 2 || books[0].Price != 7) {
					err = fmt.Errorf("RETURNING gave %v", books)
				}
				return err
			},
		}, {
			name: "UPDATE .. RETURNING, read as a query", wrong: bookRow(1, 1, 1), in: SQLite | Postgres,
			do: func(ctx context.Context, x on) error {
				return x.gets(x.plain.QueryContext(ctx, x.text("UPDATE books SET title = ? WHERE id = ? RETURNING id, title"), "new", 1))
			},
		}, {
			name: "UPDATE .. RETURNING, one row of it", wrong: bookRow(1, 1, 1), in: SQLite | Postgres,
			do: func(ctx context.Context, x on) error {
				var title string
				err := x.plain.QueryRowContext(ctx, "UPDATE books SET title = 'new' WHERE id = 1 RETURNING title").Scan(&title)
				x.tell("%q %v", title, err)
				return err
			},
		}, {
			name: "update that meets no row",
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model(&Book{ID: 6, Title: "none"}).WherePK().Exec(ctx))
			},
		}, {
			name: "update that fails", fails: true,
			do: func(ctx context.Context, x on) error {
				return x.failed(x.NewUpdate().Model((*Book)(nil)).Set("id = 1").Where("id = 2").Exec(ctx))
			},
		}, {
			name: "UPDATE .. FROM another table", wrong: bookRow(2, 1, 2), in: SQLite | Postgres,
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model((*Book)(nil)).TableExpr("users AS u").Set("title = u.name").
					Where("?TableAlias.owner_id = u.id").Where("u.id = 2").Exec(ctx))
			},
		}, {
			name: "UPDATE of two tables joined", in: MariaDB, wide: []string{"chapters"}, why: manyTables,
			do: func(ctx context.Context, x on) error {
				return x.did(x.ExecContext(ctx, "UPDATE chapters JOIN books ON chapters.book_id = books.id SET chapters.title = books.title WHERE books.id = 1"))
			},
		}, {
			name: "UPDATE .. ORDER BY .. LIMIT", in: MariaDB, wrong: bookRow(4, 2, 3),
			do: func(ctx context.Context, x on) error {
				return x.did(x.ExecContext(ctx, "UPDATE books SET title = 'last' WHERE id > 3 ORDER BY id DESC LIMIT 1"))
			},
		}, {
			name: "update of a table with its schema", in: SQLite | Postgres, wrong: node("shop 2"),
			do: func(ctx context.Context, x on) error {
				return x.did(x.ExecContext(ctx, x.pick(map[Dialect]string{
					SQLite: "UPDATE main.shops SET name = 'x' WHERE id = 2", Postgres: "UPDATE public.shops SET name = 'x' WHERE id = 2",
				})))
			},
		}, {
			name: "update of a row whose key is a UUID", wrong: ticketRow(ticketOne, "SPRING"),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model(&Ticket{ID: ticketOne, Seat: "3C"}).Column("seat").WherePK().Exec(ctx))
			},
		}, {
			name: "update of a row with a key of two columns", wrong: chapterRow(1, 2),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model(&Chapter{BookID: 1, Number: 2, Title: "new"}).WherePK().Exec(ctx))
			},
		}, {
			name: "soft delete by the key", wrong: noteRow(1, 1),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewDelete().Model(&Note{ID: 1}).WherePK().Exec(ctx))
			},
		}, {
			name: "soft delete by WHERE", wrong: all(noteRow(1, 1), noteRow(2, 1)),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewDelete().Model((*Note)(nil)).Where("user_id = 1").Exec(ctx))
			},
		}, {
			name: "soft delete of what is deleted softly",
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewDelete().Model((*Note)(nil)).Where("id = 4").Exec(ctx))
			},
		}, {
			name: "restore of what was deleted softly", wrong: noteRow(4, 2),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model((*Note)(nil)).Set("deleted_at = NULL").WhereDeleted().Where("id = 4").Exec(ctx))
			},
		}, {
			name: "ForceDelete", wrong: noteRow(3, 2),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewDelete().Model(&Note{ID: 3}).WherePK().ForceDelete().Exec(ctx))
			},
		},
	}
}
