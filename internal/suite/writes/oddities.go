package writes

import (
	"context"
	"errors"
)

// oddities are what a caller may do that has nothing to do with what becomes wrong.
func oddities() []write {
	return []write{
		{name: "the last id of an insert", do: func(ctx context.Context, x on) error {
			if x.dialect == Postgres {
				return x.did(x.ExecContext(ctx, "INSERT INTO books (title, author_id) VALUES ('x', 1)"))
			}
			r, err := x.plain.ExecContext(ctx, "INSERT INTO books (title, author_id) VALUES ('x', 1)")
			if err != nil {
				return err
			}
			id, err := r.LastInsertId()
			var found int64
			err = errors.Join(err, x.plain.QueryRowContext(ctx, "SELECT id FROM books WHERE title = 'x'").Scan(&found))
			x.tell("the last id is that of the row: %v", id == found && id >= generatedFrom)
			return errors.Join(err, x.did(r, nil))
		}},
		{name: "the last id of an insert with its id", do: func(ctx context.Context, x on) error {
			return x.inserted(x.plain.ExecContext(ctx, x.text("INSERT INTO shops (id, name) VALUES (?, ?), (?, ?)"), 50, "x", 60, "y"))
		}},
		{name: "every kind of value", do: func(ctx context.Context, x on) error {
			if err := x.did(x.plain.ExecContext(ctx, x.text("UPDATE books SET title = ?, price = ?, owner_id = ? WHERE id = ?"), "ü\n'\"\\", int64(-1), nil, 1)); err != nil {
				return err
			}
			return x.gets(x.plain.QueryContext(ctx, "SELECT title, price, owner_id FROM books WHERE id = 1"))
		}},
		{name: "a RETURNING of everything, with expressions", in: SQLite | Postgres, do: func(ctx context.Context, x on) error {
			return x.gets(x.plain.QueryContext(ctx, x.text("UPDATE books SET price = price + ? WHERE author_id = ? RETURNING *, price * 2 AS twice, 'RETURNING' AS word"), 1, 1))
		}},
		{name: "a RETURNING whose rows are not read to their end", do: func(ctx context.Context, x on) error {
			rows, err := x.plain.QueryContext(ctx, "DELETE FROM chapters WHERE book_id = 1 RETURNING title")
			if err != nil {
				return err
			}
			x.tell("a row: %v", rows.Next())
			return rows.Close()
		}},
		{name: "a wrong number of arguments", fails: true, do: func(ctx context.Context, x on) error {
			// By RETURNING an Exec becomes a Query, for which pgx says this in other words.
			_, err := x.plain.ExecContext(ctx, x.text("UPDATE books SET title = ? WHERE id = ?"), "x")
			x.tell("error: %v", err != nil)
			return nil
		}},
		{name: "an argument of no type that the driver knows", fails: true, do: func(ctx context.Context, x on) error {
			_, err := x.plain.ExecContext(ctx, x.text("UPDATE shops SET name = ? WHERE id = 1"), struct{ A int }{1})
			x.tell("error: %v", err != nil)
			return nil
		}},
		{name: "an empty text", fails: true, do: func(ctx context.Context, x on) error {
			_, err := x.plain.ExecContext(ctx, "")
			x.tell("error: %v", err)
			return nil
		}},
		{name: "a text that is no statement", fails: true, do: func(ctx context.Context, x on) error {
			_, err := x.plain.ExecContext(ctx, "UPDAET books SET title = 'x")
			x.tell("error: %v", err)
			return nil
		}},
		{name: "rows into structs", do: func(ctx context.Context, x on) error {
			var books []Book
			err := x.NewSelect().Model(&books).Relation("Owner").Order("book.id").Scan(ctx)
			for _, b := range books {
				x.tell("%d %s %v", b.ID, b.Title, b.Owner)
			}
			return err
		}},
		{name: "no rows", do: func(ctx context.Context, x on) error {
			err := x.NewSelect().Model(&Book{}).Where("id = 77").Scan(ctx)
			x.tell("error: %v", err)
			return nil
		}},
		{name: "a cancelled context", fails: true, do: func(ctx context.Context, x on) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			_, err := x.plain.ExecContext(ctx, "UPDATE shops SET name = 'x'")
			x.tell("error: %v", err)
			return nil
		}},
	}
}
