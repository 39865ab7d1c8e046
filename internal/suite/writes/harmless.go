package writes

import (
	"context"
	"fmt"
)

// harmless are statements that make nothing wrong.
func harmless() []write {
	return []write{
		{
			name: "a SELECT",
			do: func(ctx context.Context, x on) error {
				return x.gets(x.plain.QueryContext(ctx, "SELECT title FROM books WHERE title <> 'UPDATE books; DELETE FROM users' ORDER BY id"))
			},
		}, {
			name: "a SELECT with all relations, from bun",
			do: func(ctx context.Context, x on) error {
				var books []Book
				err := x.NewSelect().Model(&books).Relation("Author").Relation("Readers").Order("book.id").Scan(ctx)
				if err == nil && (len(books) != 4 || len(books[1].Readers) != 2 || books[0].Author.Name != "Austen") {
					err = fmt.Errorf("found %d books: %w", len(books), errSilent)
				}
				return err
			},
		}, {
			name: "SELECT .. FOR UPDATE", in: Postgres | MariaDB,
			do: func(ctx context.Context, x on) error {
				return x.gets(x.plain.QueryContext(ctx, "SELECT title FROM books WHERE id = 1 FOR UPDATE"))
			},
		}, {
			name: "a write to a table that no node names",
			do: func(ctx context.Context, x on) error {
				return x.inserted(x.NewInsert().Model(&AuditLine{Line: "x"}).Exec(ctx))
			},
		}, {
			name: "a text with an error in it", fails: true,
			do: func(ctx context.Context, x on) error {
				return x.failed(x.plain.ExecContext(ctx, "UPDATE books SET no_such_column = 1 WHERE id = 1"))
			},
		}, {
			name: "SET, or PRAGMA",
			do: func(ctx context.Context, x on) error {
				_, err := x.plain.ExecContext(ctx, x.pick(map[Dialect]string{
					SQLite: "PRAGMA optimize", Postgres: "SET LOCAL work_mem = '8MB'", MariaDB: "SET @x = 1",
				}))
				return err
			},
		},
	}
}
