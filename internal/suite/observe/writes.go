package observe

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/internal/suite/writes"
)

// author makes random writes, and remembers what they were.
type author struct {
	dice
	dialect writes.Dialect
	next    int64 // the id of the next row that is new
	told    []string
}

var errUndo = errors.New("undo")

// exec runs a statement of bun's. One that a foreign key forbids is a write that did nothing, outside of transactions.
func (a *author) exec(ctx context.Context, q interface {
	fmt.Stringer
	Exec(ctx context.Context, dest ...any) (sql.Result, error)
},
) error {
	text := q.String()
	_, err := q.Exec(ctx)
	a.told = append(a.told, text)
	if err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	return nil
}

// transact writes once, or several times in a transaction that is committed or not.
func (a *author) transact(ctx context.Context, db *bun.DB) error {
	several := func(ctx context.Context, tx bun.Tx) error {
		for range 1 + a.IntN(3) {
			if err := a.write(ctx, tx, tx.Tx); err != nil {
				return err
			}
		}
		return nil
	}
	switch n := a.IntN(100); {
	case n < 60:
		return a.write(ctx, db, db.DB)
	case n < 80:
		return db.RunInTx(ctx, nil, several)
	case n < 90:
		err := db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			if err := several(ctx, tx); err != nil {
				return err
			}
			return errUndo
		})
		a.told = append(a.told, "ROLLBACK")
		if errors.Is(err, errUndo) {
			return nil
		}
		return err
	default:
		return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			err := tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				if err := several(ctx, tx); err != nil {
					return err
				}
				return errUndo
			})
			a.told = append(a.told, "ROLLBACK TO SAVEPOINT")
			if !errors.Is(err, errUndo) {
				return err
			}
			return several(ctx, tx)
		})
	}
}

// execer is what is below bun.
type execer interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
}

// write is one statement, or two.
func (a *author) write(ctx context.Context, db bun.IDB, plain execer) error {
	switch n := a.IntN(100); {
	case n < 10:
		a.next++
		return a.exec(ctx, db.NewInsert().Model(a.book(a.next)).Returning("NULL"))
	case n < 15:
		many := []Review{*a.review(a.next + 1), *a.review(a.next + 2)}
		a.next += 2
		return a.exec(ctx, db.NewInsert().Model(&many).Returning("NULL"))
	case n < 25:
		q := db.NewUpdate().Model(a.book(a.id())).WherePK()
		if a.chance(60) {
			q = q.Column([]string{"title", "price", "author_id"}[a.IntN(3)])
		}
		return a.exec(ctx, q)
	case n < 32:
		return a.exec(ctx, db.NewUpdate().Model((*Book)(nil)).Set("author_id = ?", a.there()).Where("price = ?", a.Int64N(4)))
	case n < 36:
		return a.exec(ctx, db.NewUpdate().Model((*Book)(nil)).Set("author_id = NULL").Where("id = ?", a.id()))
	case n < 42:
		return a.exec(ctx, db.NewUpdate().Model(&Author{ID: a.id(), Name: fmt.Sprint("n", a.IntN(9))}).WherePK())
	case n < 48:
		return a.exec(ctx, db.NewUpdate().Model((*User)(nil)).Set("name = ?", fmt.Sprint("n", a.IntN(9))).Where("id = ?", a.id()))
	case n < 56:
		return a.exec(ctx, db.NewInsert().Model(&UserBook{UserID: a.there(), BookID: a.there()}).Ignore().Returning("NULL"))
	case n < 62:
		return a.exec(ctx, db.NewDelete().Model((*UserBook)(nil)).Where("user_id = ?", a.id()))
	case n < 68:
		return a.exec(ctx, db.NewUpdate().Model((*Review)(nil)).Set("stars = ?", a.Int64N(4)).Where("book_id = ?", a.id()))
	case n < 74:
		return a.exec(ctx, db.NewUpdate().Model((*Review)(nil)).Set("book_id = ?", a.there()).Where("user_id = ?", a.id()))
	case n < 78:
		return a.exec(ctx, db.NewDelete().Model((*Review)(nil)).Where("stars = ?", a.Int64N(4)))
	case n < 84:
		return a.upsert(ctx, db)
	case n < 88:
		return a.again(ctx, db)
	case n < 92:
		return a.newUser(ctx, db)
	default:
		return a.raw(ctx, plain)
	}
}

func (a *author) upsert(ctx context.Context, db bun.IDB) error {
	q := db.NewInsert().Model(a.book(a.there())).Returning("NULL")
	if a.dialect == writes.MariaDB {
		return a.exec(ctx, q.On("DUPLICATE KEY UPDATE").Set("author_id = VALUES(author_id)").Set("title = VALUES(title)"))
	}
	return a.exec(ctx, q.On("CONFLICT (id) DO UPDATE").Set("author_id = EXCLUDED.author_id").Set("title = EXCLUDED.title"))
}

// again deletes a book, with what the database deletes along with it, and perhaps brings it back; or an author, whose books
// stay.
func (a *author) again(ctx context.Context, db bun.IDB) error {
	if a.chance(30) {
		gone := &Author{ID: a.there(), Name: "again"}
		if err := a.exec(ctx, db.NewDelete().Model(gone).WherePK()); err != nil {
			return err
		}
		return a.exec(ctx, db.NewInsert().Model(gone).Returning("NULL"))
	}
	b := a.book(a.there())
	if err := a.exec(ctx, db.NewDelete().Model(b).WherePK()); err != nil {
		return err
	}
	return a.exec(ctx, db.NewInsert().Model(b).Returning("NULL"))
}

func (a *author) newUser(ctx context.Context, db bun.IDB) error {
	a.next++
	u := &User{ID: a.next, Name: "new", Nick: nick(a.next)}
	if err := a.exec(ctx, db.NewInsert().Model(u).Returning("NULL")); err != nil || a.chance(30) {
		return err
	}
	return a.exec(ctx, db.NewDelete().Model(u).WherePK())
}

// raw is a text that goes around bun.
func (a *author) raw(ctx context.Context, db execer) error {
	text := []string{
		fmt.Sprintf("UPDATE books SET author_id = %d WHERE id = %d", a.there(), a.id()),
		fmt.Sprintf("UPDATE reviews SET stars = stars + 1 WHERE user_id = %d AND stars < 3", a.id()),
		fmt.Sprintf("DELETE FROM user_books WHERE book_id = %d AND user_id < %d", a.id(), a.id()),
		fmt.Sprintf("INSERT INTO user_books (user_id, book_id) SELECT u.id, %d FROM users u WHERE u.id = %d AND NOT EXISTS (SELECT 1 FROM user_books x WHERE x.user_id = u.id AND x.book_id = %[1]d)", a.there(), a.id()),
		fmt.Sprintf("DELETE FROM books WHERE id > %d", most+5),
	}[a.IntN(5)]
	a.told = append(a.told, text)
	if _, err := db.ExecContext(ctx, text); err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	return nil
}
