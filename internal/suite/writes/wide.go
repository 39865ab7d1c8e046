package writes

import (
	"context"
	"fmt"

	"github.com/cacheme/cacheme/bunhooks"
)

const (
	severalInOne = "the answers of several statements in one text cannot be told apart"
	noRows       = "it tells of no row"
	anything     = "it may write anything"
	insideCTE    = "a write inside a common table expression shows its rows to nobody else"
)

// wideWrites are those of which nobody can tell the rows.
func wideWrites() []write {
	return []write{
		{
			name: "MERGE", in: Postgres, wide: []string{"shops"}, why: noRows,
			do: func(ctx context.Context, x on) error {
				return x.did(x.ExecContext(ctx, `MERGE INTO shops AS s USING (VALUES (1, 'merged'), (3, 'added')) AS v (id, name) ON s.id = v.id
					WHEN MATCHED THEN UPDATE SET name = v.name WHEN NOT MATCHED THEN INSERT (id, name) VALUES (v.id, v.name)`))
			},
		}, {
			name: "MERGE, from bun", in: Postgres, wide: []string{"shops"}, why: noRows,
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewMerge().Model((*Shop)(nil)).With("_data", x.NewValues(&[]Shop{{ID: 1, Name: "merged"}})).
					Using("_data").On("?TableAlias.id = _data.id").WhenDelete("MATCHED").Exec(ctx))
			},
		}, {
			name: "a write in a common table expression of a SELECT", in: Postgres, wide: []string{"user_books"}, why: insideCTE,
			do: func(ctx context.Context, x on) error {
				return x.gets(x.plain.QueryContext(ctx, "WITH gone AS (DELETE FROM user_books WHERE user_id = 1 RETURNING book_id) SELECT count(*) FROM gone"))
			},
		}, {
			name: "a write in a common table expression, from bun", in: Postgres, wide: []string{"user_books"}, why: insideCTE,
			do: func(ctx context.Context, x on) error {
				var n int
				err := x.NewSelect().With("gone", x.NewDelete().Model((*UserBook)(nil)).Where("user_id = 1").Returning("*")).
					Table("gone").ColumnExpr("count(*)").Scan(ctx, &n)
				if err == nil && n != 2 {
					err = fmt.Errorf("%d rows are gone", n)
				}
				return err
			},
		}, {
			name: "several statements in one text", wide: []string{"shops", "notes"}, why: severalInOne,
			do: func(ctx context.Context, x on) error {
				_, err := x.plain.ExecContext(ctx, "UPDATE shops SET name = 'x' WHERE id = 1; UPDATE notes SET body = 'y' WHERE id = 1")
				return err
			},
		}, {
			name: "several statements in one text, one of which deletes", wide: []string{"books", "chapters", "user_books"},
			why: severalInOne + "; with the books go what the schema deletes with them",
			do: func(ctx context.Context, x on) error {
				_, err := x.plain.ExecContext(ctx, "DELETE FROM books WHERE id = 1; SELECT 1")
				return err
			},
		}, {
			name: "TRUNCATE", wrong: all(followRow(1, 2), followRow(2, 3)), wide: []string{"follows"}, wideIn: Postgres | MariaDB, why: noRows, commits: MariaDB,
			do: func(ctx context.Context, x on) error {
				_, err := x.NewTruncateTable().Model((*Follow)(nil)).Exec(ctx)
				return err
			},
		}, {
			name: "TRUNCATE .. CASCADE", in: Postgres, wide: watched(), why: "it empties whatever refers to the table",
			do: func(ctx context.Context, x on) error {
				_, err := x.plain.ExecContext(ctx, "TRUNCATE users CASCADE")
				return err
			},
		}, {
			name: "DROP TABLE", wide: []string{"follows"}, why: noRows, schema: true, commits: MariaDB,
			do: func(ctx context.Context, x on) error {
				_, err := x.NewDropTable().Model((*Follow)(nil)).Exec(ctx)
				return err
			},
		}, {
			name: "ALTER TABLE", wide: []string{"follows"}, why: noRows, schema: true, commits: MariaDB,
			do: func(ctx context.Context, x on) error {
				_, err := x.plain.ExecContext(ctx, "ALTER TABLE follows ADD COLUMN since integer DEFAULT 5")
				return err
			},
		}, {
			name: "DO", in: Postgres, wide: watched(), why: anything,
			do: func(ctx context.Context, x on) error {
				_, err := x.plain.ExecContext(ctx, "DO $$ BEGIN UPDATE books SET title = 'x' WHERE id = 1; END $$")
				return err
			},
		}, {
			name: "EXECUTE IMMEDIATE", in: MariaDB, wide: watched(), why: anything + ", and might commit", early: MariaDB,
			do: func(ctx context.Context, x on) error {
				_, err := x.plain.ExecContext(ctx, "EXECUTE IMMEDIATE 'UPDATE books SET title = ''x'' WHERE id = 1'")
				return err
			},
		}, {
			name: "a write through a view", in: Postgres | MariaDB, wide: []string{"shops"}, why: "it is known which tables a view shows, and not which rows",
			do: func(ctx context.Context, x on) error {
				return x.did(x.plain.ExecContext(ctx, "UPDATE shop_names SET name = 'seen' WHERE id = 1"))
			},
		}, {
			name: "a write to a table whose trigger writes another", wide: []string{"shops"}, why: "it is known which tables a trigger writes, and not which rows",
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewUpdate().Model(&Till{ID: 1, Total: 5}).WherePK().Exec(ctx))
			},
		}, {
			name: "a statement that nobody can see through, with Touches", wide: []string{"shops"}, why: "that is what the caller says",
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewInsert().Model(&AuditLine{Line: "a trigger writes shops"}).Exec(bunhooks.Touches(ctx, "shops")))
			},
		},
	}
}
