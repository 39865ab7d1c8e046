package writes

import (
	"context"
	"errors"
	"fmt"
)

const generated = generatedFrom // stands for an id that the database gives

func insertions() []write {
	return []write{
		{
			name: "insert of a struct, its id from the database", wrong: bookRow(generated, 1, 2),
			do: func(ctx context.Context, x on) error {
				b := &Book{Title: "Sanditon", AuthorID: 1, OwnerID: 2}
				err := x.inserted(x.NewInsert().Model(b).Exec(ctx))
				if err == nil && b.ID < generatedFrom {
					err = fmt.Errorf("the id of the new book is %d", b.ID)
				}
				return err
			},
		}, {
			name: "insert of a struct with its id", wrong: bookRow(5, 2, 1),
			do: func(ctx context.Context, x on) error {
				return x.inserted(x.NewInsert().Model(&Book{ID: 5, Title: "Agnes", AuthorID: 2, OwnerID: 1}).Exec(ctx))
			},
		}, {
			name: "insert of a row whose foreign key is NULL", wrong: bookRow(5, 2, 0),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewInsert().Model(&Book{ID: 5, Title: "Agnes", AuthorID: 2}).Exec(ctx))
			},
		}, {
			name: "insert of a slice", wrong: all(bookRow(5, 1, 1), bookRow(6, 2, 3)),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewInsert().Model(&[]Book{{ID: 5, AuthorID: 1, OwnerID: 1}, {ID: 6, AuthorID: 2, OwnerID: 3}}).Exec(ctx))
			},
		}, {
			name: "insert of a slice of pointers, their ids from the database", wrong: all(bookRow(generated, 1, 1), bookRow(generated, 1, 3)),
			do: func(ctx context.Context, x on) error {
				books := []*Book{{AuthorID: 1, OwnerID: 1}, {AuthorID: 1, OwnerID: 3}}
				err := x.did(x.NewInsert().Model(&books).Exec(ctx))
				if err == nil && books[0].ID+1 != books[1].ID {
					err = fmt.Errorf("the ids of the new books are %d and %d", books[0].ID, books[1].ID)
				}
				return err
			},
		}, {
			name: "insert of a map", wrong: bookRow(5, 1, 0),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewInsert().Model(&map[string]any{"id": 5, "title": "Map", "price": 1, "author_id": 1}).TableExpr("books").Exec(ctx))
			},
		}, {
			name: `insert with Returning("NULL")`, wrong: noteRow(generated, 3),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewInsert().Model(&Note{UserID: 3, Body: "salt"}).Returning("NULL").Exec(ctx))
			},
		}, {
			name: "insert with a RETURNING of the user's own", wrong: bookRow(5, 1, 2),
			do: func(ctx context.Context, x on) error {
				var id int64
				var title string
				err := x.did(x.NewInsert().Model(&Book{ID: 5, Title: "Own", AuthorID: 1, OwnerID: 2}).Returning("id, title").Exec(ctx, &id, &title))
				if err == nil && (id != 5 || title != "Own") {
					err = fmt.Errorf("RETURNING gave %d, %q", id, title)
				}
				return err
			},
		}, {
			name: "insert of a row with a text as its key", wrong: node("coupon NEW"),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewInsert().Model(&Coupon{Code: "NEW", Percent: 50}).Exec(ctx))
			},
		}, {
			name: "insert of a row with a UUID as its key", wrong: ticketRow(ticketNew, "all"),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewInsert().Model(&Ticket{ID: ticketNew, Seat: "9Z", Code: "all"}).Exec(ctx))
			},
		}, {
			name: "insert of a row with a key of two columns", wrong: chapterRow(2, 2),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewInsert().Model(&Chapter{BookID: 2, Number: 2, Title: "II"}).Exec(ctx))
			},
		}, {
			name: "insert of nothing but defaults", wrong: node("all shops"),
			do: func(ctx context.Context, x on) error {
				return x.inserted(x.plain.ExecContext(ctx, x.pick(map[Dialect]string{
					SQLite | Postgres: "INSERT INTO shops DEFAULT VALUES", MariaDB: "INSERT INTO shops () VALUES ()",
				})))
			},
		}, {
			name: "INSERT .. SELECT, from bun", wrong: all(chapterRow(4, 1), chapterRow(4, 2)),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewInsert().Table("chapters").Table("src").With("src", x.NewSelect().Model((*Chapter)(nil)).
					ColumnExpr("4 AS book_id, number, title").Where("book_id = 1")).Column("book_id", "number", "title").Exec(ctx))
			}, in: SQLite | Postgres,
		}, {
			name: "INSERT .. SELECT, as text", wrong: all(shelfRow(3, 1), shelfRow(3, 2)),
			do: func(ctx context.Context, x on) error {
				return x.did(x.ExecContext(ctx, "INSERT INTO user_books (user_id, book_id) SELECT 3, id FROM books WHERE author_id = ?", 1))
			},
		}, {
			name: "INSERT .. SET, as text", in: MariaDB, wrong: shelfRow(3, 1),
			do: func(ctx context.Context, x on) error {
				return x.did(x.ExecContext(ctx, "INSERT INTO user_books SET user_id = 3, book_id = 1"))
			},
		}, {
			name: "INSERT .. RETURNING, read as a query", wrong: shelfRow(3, 1),
			do: func(ctx context.Context, x on) error {
				return x.gets(x.plain.QueryContext(ctx, x.text("INSERT INTO user_books (user_id, book_id) VALUES (?, ?) RETURNING book_id"), 3, 1))
			},
		}, {
			name: "insert that fails for one of its rows", fails: true,
			do: func(ctx context.Context, x on) error {
				return x.failed(x.NewInsert().Model(&[]Book{{ID: 5, AuthorID: 1}, {ID: 1, AuthorID: 1}}).Exec(ctx))
			},
		}, {
			name: "insert that a foreign key forbids", fails: true,
			do: func(ctx context.Context, x on) error {
				return x.failed(x.NewInsert().Model(&Chapter{BookID: 6, Number: 1}).Exec(ctx))
			},
		},
	}
}

// formerUnknown is why an upsert may have to make a table wrong as a whole.
const (
	formerUnknown = "it may change a column that a node names, and nobody tells what the row held before"
	noReturning   = "the server tells neither which row it was nor whether it was there before"
	replaced      = "it deletes whatever rows stand in the way, and nobody tells which"
)

func upserts() []write {
	// as writes an upsert as bun has it in each database.
	type upsert struct{ conflict, set string }
	as := func(x on, conflict, set string) upsert {
		if x.dialect == MariaDB {
			return upsert{"DUPLICATE KEY UPDATE", set + " = VALUES(" + set + ")"}
		}
		return upsert{"CONFLICT (" + conflict + ") DO UPDATE", set + " = EXCLUDED." + set}
	}
	return []write{
		{
			name: "upsert that meets a row", wrong: node("coupon SPRING"),
			wide: []string{"coupons"}, wideIn: MariaDB, why: noReturning,
			do: func(ctx context.Context, x on) error {
				u := as(x, "code", "percent")
				return x.did(x.NewInsert().Model(&Coupon{Code: "SPRING", Percent: 11}).On(u.conflict).Set(u.set).Exec(ctx))
			},
		}, {
			name: "upsert that meets none", wrong: node("coupon NEW"),
			wide: []string{"coupons"}, wideIn: MariaDB, why: noReturning,
			do: func(ctx context.Context, x on) error {
				u := as(x, "code", "percent")
				return x.did(x.NewInsert().Model(&Coupon{Code: "NEW", Percent: 11}).On(u.conflict).Set(u.set).Exec(ctx))
			},
		}, {
			name: "upsert of several rows", wrong: all(node("coupon NEW"), node("coupon a:b")),
			wide: []string{"coupons"}, wideIn: MariaDB, why: noReturning,
			do: func(ctx context.Context, x on) error {
				u := as(x, "code", "percent")
				return x.did(x.NewInsert().Model(&[]Coupon{{Code: "NEW", Percent: 1}, {Code: "a:b", Percent: 2}}).On(u.conflict).Set(u.set).Exec(ctx))
			},
		}, {
			name: "upsert that may change a column that a node names", wide: []string{"books"}, why: formerUnknown,
			do: func(ctx context.Context, x on) error {
				u := as(x, "id", "author_id")
				return x.did(x.NewInsert().Model(&Book{ID: 1, Title: "Emma", AuthorID: 2, OwnerID: 1}).On(u.conflict).Set(u.set).Exec(ctx))
			},
		}, {
			name: "upsert on another key than the primary one", wide: []string{"memberships"}, why: formerUnknown,
			do: func(ctx context.Context, x on) error {
				u := as(x, "user_id, author_id", "role")
				return x.did(x.NewInsert().Model(&Membership{UserID: 1, AuthorID: 1, Role: "chair"}).On(u.conflict).Set(u.set).Exec(ctx))
			},
		}, {
			name: "insert that ignores a row that is there",
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewInsert().Model(&UserBook{UserID: 1, BookID: 1}).Ignore().Exec(ctx))
			},
		}, {
			name: "insert that ignores one row of two", wrong: shelfRow(1, 4),
			do: func(ctx context.Context, x on) error {
				return x.did(x.NewInsert().Model(&[]UserBook{{UserID: 1, BookID: 1}, {UserID: 1, BookID: 4}}).Ignore().Exec(ctx))
			},
		}, {
			name: "REPLACE, or INSERT OR REPLACE", in: SQLite | MariaDB, wide: []string{"shops"}, why: replaced,
			do: func(ctx context.Context, x on) error {
				return x.did(x.ExecContext(ctx, x.pick(map[Dialect]string{
					SQLite:  "INSERT OR REPLACE INTO shops (id, name) VALUES (1, 'replaced')",
					MariaDB: "REPLACE INTO shops (id, name) VALUES (1, 'replaced')",
				})))
			},
		},
	}
}

var errSilent = errors.New("nothing came back")
