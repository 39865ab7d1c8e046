package queries

import (
	"context"
	"database/sql"
	"errors"

	"github.com/uptrace/bun"
)

// world is what each write of the grid finds: message 1 is from Ann to Bob, and has tag 1.
func world(withoutMessageOne bool) []any {
	messages := []Message{
		{ID: 1, SenderID: 1, RecipientID: new(int64(2)), Subject: "one", Sent: 10},
		{ID: 2, SenderID: 1, RecipientID: new(int64(3)), Subject: "two", Sent: 20},
		{ID: 3, SenderID: 1, Subject: "three", Sent: 30},
		{ID: 4, SenderID: 2, RecipientID: new(int64(1)), Subject: "four", Sent: 40},
		{ID: 5, SenderID: 2, RecipientID: new(int64(2)), Subject: "five", Sent: 50},
		{ID: 6, SenderID: 2, RecipientID: new(int64(2)), Subject: "six", Sent: 60},
		{ID: 7, SenderID: 3, RecipientID: new(int64(1)), Subject: "seven", Sent: 70},
		{ID: 8, Subject: "eight", Sent: 80},
	}
	if withoutMessageOne {
		messages = messages[1:]
	}
	return []any{
		&[]Team{{ID: 1, Name: "red", City: new("Rome")}, {ID: 2, Name: "blue"}},
		&[]User{
			{ID: 1, Name: "Ann", Width: 10, Age: new(int64(31)), TeamID: 1},
			{ID: 2, Name: "Bob", Width: 20, Age: new(int64(32)), TeamID: 2},
			{ID: 3, Name: "Cy", Width: 30},
			{ID: 4, Name: "Di", Width: 40, Age: new(int64(34))},
		},
		&messages,
		&[]Tag{{ID: 1, Label: "red"}, {ID: 2, Label: "blue"}},
		&[]MessageTag{{MessageID: 1, TagID: 1}, {MessageID: 4, TagID: 1}, {MessageID: 2, TagID: 2}},
	}
}

// write is a column of the grid.
type write struct {
	name string
	// absent says that message 1 is not there before, where it is the row that the criterion is about.
	absent bool
	// elsewhere is the table of a row that is none of the result's, where that is all that is written.
	elsewhere string
	do        func(ctx context.Context, db bun.IDB, c criterion) error
}

// without reports whether message 1 is not there before.
func (w *write) without(c criterion) bool { return w.absent && c == byID }

func exec(ctx context.Context, q interface {
	Exec(ctx context.Context, dest ...any) (sql.Result, error)
},
) error {
	_, err := q.Exec(ctx)
	return err
}

// set updates a message.
func set(id int64, text string) func(context.Context, bun.IDB, criterion) error {
	return func(ctx context.Context, db bun.IDB, _ criterion) error {
		return exec(ctx, db.NewUpdate().Model((*Message)(nil)).Set(text).Where("id = ?", id))
	}
}

func age(id int64) func(context.Context, bun.IDB, criterion) error {
	return func(ctx context.Context, db bun.IDB, _ criterion) error {
		return exec(ctx, db.NewUpdate().Model((*User)(nil)).Set("age = 99").Where("id = ?", id))
	}
}

func insertIn(ctx context.Context, db bun.IDB, c criterion) error {
	m := Message{ID: 1, SenderID: 1, RecipientID: new(int64(2)), Subject: "in"}
	if c != byID {
		m.ID = 20
	}
	return exec(ctx, db.NewInsert().Model(&m).Returning("NULL"))
}

func updateOut(ctx context.Context, db bun.IDB, c criterion) error {
	if c == byID {
		return set(1, "id = 51")(ctx, db, c)
	}
	return set(1, "sender_id = 2")(ctx, db, c)
}

func updateIn(ctx context.Context, db bun.IDB, c criterion) error {
	if c == byID {
		return set(5, "id = 1")(ctx, db, c)
	}
	return set(5, "sender_id = 1")(ctx, db, c)
}

func remove(id int64) func(context.Context, bun.IDB, criterion) error {
	return func(ctx context.Context, db bun.IDB, _ criterion) error {
		return exec(ctx, db.NewDelete().Model((*Message)(nil)).Where("id = ?", id))
	}
}

func tag(message, tag int64) func(context.Context, bun.IDB, criterion) error {
	return func(ctx context.Context, db bun.IDB, _ criterion) error {
		return exec(ctx, db.NewInsert().Model(&MessageTag{MessageID: message, TagID: tag}))
	}
}

var errUndo = errors.New("undo it")

func gridWrites() []write {
	return []write{
		{name: "insert a row that belongs in the result", absent: true, do: insertIn},
		{name: "insert a row that does not", elsewhere: "messages", do: func(ctx context.Context, db bun.IDB, _ criterion) error {
			return exec(ctx, db.NewInsert().Model(&Message{ID: 21, SenderID: 2, RecipientID: new(int64(2))}).Returning("NULL"))
		}},
		{name: "update another row so that it comes in", absent: true, do: updateIn},
		{name: "update a row of the result so that it leaves", do: updateOut},
		{name: "update a column that no condition names, of a row in the result", do: set(1, "note = 'new'")},
		{name: "update a row that is not in it", elsewhere: "messages", do: set(5, "sent = 77")},
		{name: "delete a row of the result", do: remove(1)},
		{name: "delete a row that is not in it", elsewhere: "messages", do: remove(5)},
		{name: "update many rows in one statement, some of them in it", do: func(ctx context.Context, db bun.IDB, _ criterion) error {
			return exec(ctx, db.NewUpdate().Model((*Message)(nil)).Set("sent = sent + 100").Where("id IN (1, 2, 5)"))
		}},
		{name: "insert many rows in one statement, none of them in it", elsewhere: "messages", do: func(ctx context.Context, db bun.IDB, _ criterion) error {
			return exec(ctx, db.NewInsert().Model(&[]Message{{ID: 22, SenderID: 2}, {ID: 23, SenderID: 4}, {ID: 24}}).Returning("NULL"))
		}},
		{name: "update the sender of its rows", do: age(1)},
		{name: "update the recipient of one of its rows", do: age(2)},
		{name: "update another user", elsewhere: "users", do: age(4)},
		{name: "update the team of the sender", do: func(ctx context.Context, db bun.IDB, _ criterion) error {
			return exec(ctx, db.NewUpdate().Model(&Team{ID: 1, Name: "red", City: new("Oslo")}).WherePK())
		}},
		{name: "update another team", elsewhere: "teams", do: func(ctx context.Context, db bun.IDB, _ criterion) error {
			return exec(ctx, db.NewUpdate().Model(&Team{ID: 2, Name: "blue", City: new("Oslo")}).WherePK())
		}},
		{name: "m2m: put a tag on one of its rows", do: tag(1, 2)},
		{name: "m2m: take its tag from one of its rows", do: func(ctx context.Context, db bun.IDB, _ criterion) error {
			return exec(ctx, db.NewDelete().Model(&MessageTag{MessageID: 1, TagID: 1}).WherePK())
		}},
		{name: "m2m: put a tag on another row", elsewhere: "message_tags", do: tag(5, 2)},
		{name: "m2m: update another tag", elsewhere: "tags", do: func(ctx context.Context, db bun.IDB, _ criterion) error {
			return exec(ctx, db.NewUpdate().Model(&Tag{ID: 2, Label: "green"}).WherePK())
		}},
		{name: "all that in a transaction that rolls back", do: func(ctx context.Context, db bun.IDB, c criterion) error {
			err := db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				for _, do := range []func(context.Context, bun.IDB, criterion) error{updateOut, updateIn, age(1), age(2), set(2, "note = 'new'"), remove(3), tag(1, 2), tag(2, 1)} {
					if err := do(ctx, tx, c); err != nil {
						return err
					}
				}
				return errUndo
			})
			if errors.Is(err, errUndo) {
				return nil
			}
			return err
		}},
	}
}
