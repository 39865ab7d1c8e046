package queries

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/internal/suite/writes"
)

// author makes random writes, and remembers what they were.
type author struct {
	dice
	dialect writes.Dialect
	next    int64 // the id of the next row that is new
	told    []string
	undone  bool // nothing of it was committed
}

// writer is what a statement is executed on: bun's, and what is below it.
type writer struct {
	bun.IDB
	plain interface {
		ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	}
}

func (a *author) tell(text string) { a.told = append(a.told, text) }

// exec runs a statement of bun's.
func (a *author) exec(ctx context.Context, q interface {
	fmt.Stringer
	Exec(ctx context.Context, dest ...any) (sql.Result, error)
},
) error {
	text := q.String()
	_, err := q.Exec(ctx)
	a.tell(text)
	if err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	return nil
}

func (a *author) fresh() int64 { a.next++; return a.next }

// some is a condition on messages for a WHERE of a write.
func (a *author) some() expr {
	return a.condition(scope{dialect: a.dialect, columns: messageColumns("m"), depth: 1}, a.IntN(2))
}

// transact writes once, or several times in a transaction that is committed or not.
func (a *author) transact(ctx context.Context, db *bun.DB) error {
	several := func(ctx context.Context, tx bun.Tx) error {
		for range 1 + a.IntN(3) {
			if err := a.write(ctx, writer{tx, tx.Tx}); err != nil {
				return err
			}
		}
		return nil
	}
	undo := func(ctx context.Context, tx bun.Tx) error {
		if err := several(ctx, tx); err != nil {
			return err
		}
		return errUndo
	}
	undone := func(err error) error {
		if errors.Is(err, errUndo) {
			a.tell("ROLLBACK")
			return nil
		}
		return err
	}
	switch n := a.IntN(100); {
	case n < 55:
		return a.write(ctx, writer{db, db.DB})
	case n < 75:
		a.tell("BEGIN")
		defer a.tell("COMMIT")
		return db.RunInTx(ctx, nil, several)
	case n < 83:
		a.tell("BEGIN")
		a.undone = true
		return undone(db.RunInTx(ctx, nil, undo))
	default:
		a.tell("BEGIN")
		defer a.tell("COMMIT")
		return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			if a.chance(50) {
				if err := several(ctx, tx); err != nil {
					return err
				}
			}
			inner := several
			if a.chance(60) {
				inner = undo
			}
			a.tell("SAVEPOINT")
			if err := undone(tx.RunInTx(ctx, nil, inner)); err != nil {
				return err
			}
			if a.chance(50) {
				return several(ctx, tx)
			}
			return nil
		})
	}
}

// write is one statement.
func (a *author) write(ctx context.Context, db writer) error {
	switch n := a.IntN(100); {
	case n < 8:
		return a.exec(ctx, db.NewInsert().Model(new(a.newMessage(a.fresh()))).Returning("NULL"))
	case n < 12:
		many := make([]Message, 1+a.IntN(4))
		for i := range many {
			many[i] = a.newMessage(a.fresh())
		}
		return a.exec(ctx, db.NewInsert().Model(&many).Returning("NULL"))
	case n < 22:
		m := a.newMessage(a.message())
		q := db.NewUpdate().Model(&m).WherePK()
		if a.chance(60) {
			q = q.Column(pick(a.dice, "sender_id", "recipient_id", "subject", "sent", "urgent", "note"))
		}
		return a.exec(ctx, q)
	case n < 34:
		return a.updateWhere(ctx, db)
	case n < 42:
		return a.exec(ctx, db.NewDelete().Model((*Message)(nil)).Where("id = ?", a.message()))
	case n < 44:
		w := a.leaf(scope{dialect: a.dialect, columns: []column{{source: "m", name: "sender_id", id: dice.user}, {source: "m", name: "sent"}}, depth: 1})
		if a.dialect == writes.MariaDB { // whose DELETE has no alias
			w = expr{"sent = ?", []any{a.number()}}
		}
		return a.exec(ctx, db.NewDelete().Model((*Message)(nil)).Where(w.text, w.args...))
	case n < 50:
		return a.upsert(ctx, db)
	case n < 54:
		// A row becomes another.
		return a.exec(ctx, db.NewUpdate().Model((*Message)(nil)).Set("id = ?", a.fresh()).Where("id = ?", a.message()))
	case n < 57:
		// A row that was there comes back, or is taken over.
		m := a.newMessage(a.message())
		if err := a.exec(ctx, db.NewDelete().Model(&m).WherePK()); err != nil {
			return err
		}
		return a.exec(ctx, db.NewInsert().Model(&m).Returning("NULL"))
	case n < 66:
		return a.exec(ctx, db.NewInsert().Model(&MessageTag{MessageID: a.message(), TagID: a.tag()}).Ignore())
	case n < 72:
		return a.exec(ctx, db.NewDelete().Model((*MessageTag)(nil)).Where("message_id = ?", a.message()))
	case n < 75:
		return a.exec(ctx, db.NewUpdate().Model(&Tag{ID: a.tag(), Label: a.word()}).WherePK())
	case n < 88:
		return a.onUser(ctx, db)
	case n < 93:
		t := Team{ID: a.team(), Name: a.word(), City: a.maybeWord()}
		if a.chance(30) {
			return a.exec(ctx, db.NewDelete().Model(&t).WherePK())
		}
		if a.chance(40) {
			return a.exec(ctx, db.NewInsert().Model(&t).Ignore().Returning("NULL"))
		}
		return a.exec(ctx, db.NewUpdate().Model(&t).WherePK())
	default:
		return a.raw(ctx, db)
	}
}

func (a *author) updateWhere(ctx context.Context, db writer) error {
	q := db.NewUpdate().Model((*Message)(nil))
	switch a.IntN(6) {
	case 0:
		q = q.Set("sender_id = ?", pick(a.dice, any(a.user()), nil))
	case 1:
		q = q.Set("recipient_id = sender_id")
	case 2:
		q = q.Set("sent = sent + 1")
	case 3:
		q = q.Set("subject = ?", a.word())
	case 4:
		q = q.Set("urgent = NOT urgent")
	default:
		q = q.Set("note = ?", a.maybeWord())
	}
	if a.chance(50) {
		return a.exec(ctx, q.Where("id = ?", a.message()))
	}
	w := a.some()
	return a.exec(ctx, q.Where(w.text, w.args...))
}

func (a *author) upsert(ctx context.Context, db writer) error {
	m := a.newMessage(a.message())
	q := db.NewInsert().Model(&m).Returning("NULL")
	if a.dialect == writes.MariaDB {
		return a.exec(ctx, q.On("DUPLICATE KEY UPDATE").Set("sender_id = VALUES(sender_id)").Set("note = VALUES(note)"))
	}
	return a.exec(ctx, q.On("CONFLICT (id) DO UPDATE").Set("sender_id = EXCLUDED.sender_id").Set("note = EXCLUDED.note"))
}

func (a *author) onUser(ctx context.Context, db writer) error {
	id := a.id(users)
	q := db.NewUpdate().Model((*User)(nil)).WhereAllWithDeleted().Where("id = ?", id)
	switch a.IntN(8) {
	case 0:
		return a.exec(ctx, q.Set("name = ?", a.word()))
	case 1:
		return a.exec(ctx, q.Set("age = ?", a.maybe(a.number())))
	case 2:
		return a.exec(ctx, q.Set("team_id = ?", a.maybe(a.team())))
	case 3:
		return a.exec(ctx, q.Set("deleted = NULL"))
	case 4:
		return a.exec(ctx, db.NewDelete().Model((*User)(nil)).Where("id = ?", id))
	case 5:
		// Two users swap their widths, each of which is one's alone.
		return a.swap(ctx, db)
	case 6:
		if err := a.exec(ctx, db.NewDelete().Model(&User{ID: id}).WherePK().ForceDelete()); err != nil {
			return err
		}
		u := User{ID: id, Name: a.word(), Width: 100 + a.fresh(), Age: a.maybe(a.number()), TeamID: a.team()}
		return a.exec(ctx, db.NewInsert().Model(&u).Returning("NULL"))
	default:
		w := a.leaf(scope{dialect: a.dialect, columns: userColumns("u")[1:2], depth: 1})
		return a.exec(ctx, db.NewUpdate().Model((*User)(nil)).Set("age = age + 1").Where(w.text, w.args...))
	}
}

func (a *author) swap(ctx context.Context, db writer) error {
	for _, step := range []struct{ to, from int64 }{{-1, 1}, {1, 2}, {2, -1}} {
		if err := a.exec(ctx, db.NewUpdate().Model((*User)(nil)).WhereAllWithDeleted().Set("width = ?", step.to).Where("width = ?", step.from)); err != nil {
			return err
		}
	}
	return nil
}

// raw is a text that goes around bun.
func (a *author) raw(ctx context.Context, db writer) error {
	text := pick(
		a.dice,
		fmt.Sprintf("UPDATE messages SET sender_id = %d WHERE id = %d", a.user(), a.message()),
		fmt.Sprintf("UPDATE users SET age = %d WHERE id = %d", a.number(), a.user()),
		fmt.Sprintf("DELETE FROM message_tags WHERE tag_id = %d AND message_id < %d", a.tag(), a.message()),
		fmt.Sprintf("INSERT INTO message_tags (message_id, tag_id) SELECT m.id, %d FROM messages m WHERE m.sent = %d AND NOT EXISTS (SELECT 1 FROM message_tags x WHERE x.message_id = m.id AND x.tag_id = %[1]d)", a.tag(), a.number()),
		fmt.Sprintf("UPDATE teams SET city = '%s' WHERE id = %d", strings.ReplaceAll(a.word(), `\`, ""), a.team()),
	)
	text = strings.ReplaceAll(text, "'o'b'", "'ob'")
	a.tell(text)
	_, err := db.plain.ExecContext(ctx, text)
	if err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	return nil
}
