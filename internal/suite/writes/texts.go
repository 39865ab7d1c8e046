package writes

import (
	"context"
	"errors"
)

// texts are statements that bun did not build.
func texts() []write {
	return []write{
		{
			name: "NewRaw", wrong: bookRow(1, 1, 1),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewRaw("UPDATE books SET title = ? WHERE id = ?", "raw", 1).Exec(ctx))
			},
		}, {
			name: "ExecContext of bun", wrong: bookRow(1, 1, 1),
			do: func(ctx context.Context, x on) error {
				return x.did(x.ExecContext(ctx, "UPDATE books SET title = ? WHERE id = ?", "raw", 1))
			},
		}, {
			name: "ExecContext of database/sql", wrong: bookRow(1, 1, 1),
			do: func(ctx context.Context, x on) error {
				return x.did(x.plain.ExecContext(ctx, x.text("UPDATE books SET title = ? WHERE id = ?"), "raw", 1))
			},
		}, {
			name: "QueryContext of a statement that returns nothing", wrong: bookRow(1, 1, 1),
			do: func(ctx context.Context, x on) error {
				return x.gets(x.plain.QueryContext(ctx, x.text("UPDATE books SET title = ? WHERE id = ?"), "raw", 1))
			},
		}, {
			name: "a text with comments and newlines", wrong: bookRow(1, 1, 1),
			do: func(ctx context.Context, x on) error {
				return x.did(x.plain.ExecContext(ctx, "/* from the\n shop */\n\tupdate -- what?\n\tbooks\nSET title = 'it''s; DELETE FROM users' -- this; and that\nwhere\tid = 1 ;\n-- done\n"))
			},
		}, {
			name: "quoted names and an alias", wrong: bookRow(1, 1, 1),
			do: func(ctx context.Context, x on) error {
				return x.did(x.plain.ExecContext(ctx, x.pick(map[Dialect]string{
					SQLite:   "UPDATE [books] AS \"the book\" SET `title` = 'x' WHERE \"the book\".id = 1",
					Postgres: `UPDATE ONLY "books" AS "the book" SET "title" = 'x' WHERE "the book".id = 1`,
					MariaDB:  "UPDATE `books` AS `the book` SET `the book`.`title` = 'x' WHERE `the book`.id = 1",
				})))
			},
		}, {
			name: "names in capitals", in: SQLite | Postgres, wrong: bookRow(1, 1, 1),
			do: func(ctx context.Context, x on) error {
				return x.did(x.plain.ExecContext(ctx, "UPDATE BOOKS SET TITLE = 'x' WHERE ID = 1"))
			},
		}, {
			name: "a move, as text", wrong: all(bookRow(1, 1, 1), bookRow(1, 3, 1)),
			do: func(ctx context.Context, x on) error {
				return x.did(x.plain.ExecContext(ctx, x.text("UPDATE books SET author_id = ? WHERE title IN (SELECT title FROM books WHERE id = ?)"), 3, 1))
			}, in: SQLite | Postgres,
		}, {
			name: "a prepared statement, run twice", wrong: all(bookRow(1, 1, 1), bookRow(4, 2, 3)),
			do: func(ctx context.Context, x on) error {
				stmt, err := x.plain.PrepareContext(ctx, x.text("UPDATE books SET price = ? WHERE id = ?"))
				if err != nil {
					return err
				}
				err = errors.Join(x.did(stmt.ExecContext(ctx, 5, 1)), x.did(stmt.ExecContext(ctx, 6, 4)))
				return errors.Join(err, stmt.Close())
			},
		}, {
			name: "a prepared statement that moves", wrong: all(bookRow(1, 1, 1), bookRow(1, 3, 1)),
			do: func(ctx context.Context, x on) error {
				stmt, err := x.plain.PrepareContext(ctx, x.text("UPDATE books SET author_id = ? WHERE id = ?"))
				if err != nil {
					return err
				}
				return errors.Join(x.did(stmt.ExecContext(ctx, 3, 1)), stmt.Close())
			},
		}, {
			name: "a prepared statement that returns rows", wrong: shelfRow(3, 1),
			do: func(ctx context.Context, x on) error {
				stmt, err := x.plain.PrepareContext(ctx, x.text("INSERT INTO user_books (user_id, book_id) VALUES (?, ?) RETURNING user_id"))
				if err != nil {
					return err
				}
				return errors.Join(x.gets(stmt.QueryContext(ctx, 3, 1)), stmt.Close())
			},
		}, {
			name: "a common table expression before the write", in: SQLite | Postgres, wrong: all(bookRow(1, 1, 1), bookRow(2, 1, 2)),
			do: func(ctx context.Context, x on) error {
				return x.did(x.plain.ExecContext(ctx, x.text(
					"WITH picked AS (SELECT id FROM books WHERE author_id = ?) UPDATE books SET title = ? WHERE id IN (SELECT id FROM picked)"), 1, "x"))
			},
		}, {
			name: "two writes that cancel each other", wrong: node("shop 3"), idle: true,
			do: func(ctx context.Context, x on) error {
				if err := x.did(x.NewInsert().Model(&Shop{ID: 3, Name: "short-lived"}).Exec(ctx)); err != nil {
					return err
				}
				return x.did(x.NewDelete().Model(&Shop{ID: 3}).WherePK().Exec(ctx))
			},
		},
	}
}
