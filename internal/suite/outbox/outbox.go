package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// Run holds the promises that need no process to die.
func Run(t *testing.T, open writes.Open) {
	for _, part := range []struct {
		name string
		run  func(*testing.T, writes.Database)
	}{
		{"a row comes with its transaction and goes once Redis is told", comesAndGoes},
		{"what Redis has not got is told by another process", anotherTells},
		{"after the COMMIT alone", afterCommit},
		{"a row that nobody understands makes its tables wrong, and is in nobody's way", unreadable},
		{"a transaction of many rows keeps its tables", tooLong},
		{"relays do not share rows, and keep nobody from writing", besideEachOther},
		{"one connection is enough", oneConnection},
		{"no row keeps those behind it", poison},
		{"a row that does not say what it is about makes everything wrong", namesNothing},
		{"many rows are told a part at a time", partAtATime},
		{"several relays at once work off what there is", relaysAtOnce},
		{"a clock that is set back keeps nothing waiting", clockSetBack},
		{"several processes may make the table at once", createdAtOnce},
		{"two outboxes of one name", sameName},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.run(t, open(t))
		})
	}
}

func comesAndGoes(t *testing.T, d writes.Database) {
	w := newWorld(t, d)
	p := w.start(bunhooks.OutboxOptions{Interval: -1, Grace: time.Hour}, 0)
	ctx := t.Context()
	count := func(what string, want int) {
		t.Helper()
		if n := w.rows(); n != want {
			t.Errorf("%s: %d rows in the outbox, want %d", what, n, want)
		}
	}
	w.exec(p.db, "UPDATE outbox_papers SET text = 'new' WHERE id = 1")
	err := p.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE outbox_papers SET desk = 1 WHERE id = 2")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	count("two that Redis was told of", 2)
	if n := p.relay(); n != 0 {
		t.Errorf("%d rows are told before their grace is over", n)
	}
	count("and deleted", 0)
	never := errors.New("never")
	err = p.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		w.exec(tx, "UPDATE outbox_papers SET text = 'never' WHERE id = 1")
		return never
	})
	if !errors.Is(err, never) {
		t.Fatal(err)
	}
	w.exec(p.db, "UPDATE outbox_papers SET text = 'nobody' WHERE id = 77", "INSERT INTO outbox_folders (id) VALUES (1)")
	s := p.outbox.Stats()
	if s.Written != 2 || s.Refused+s.Failed+s.Relayed != 0 {
		t.Errorf("Stats() = %+v", s)
	}
	p.relay()
	count("after a rollback, and writes that make nothing wrong", 0)
}

// anotherTells also shows that the row is what does it.
func anotherTells(t *testing.T, d writes.Database) {
	w := newWorld(t, d)
	reader := w.start(byHand, 0)
	for _, broken := range []bool{false, true} {
		rules := guard.Set(0)
		if broken {
			rules = guard.Without(guard.OutboxWithWrite)
		}
		reader.warm()
		writer := w.start(byHand, rules)
		writer.away.Store(true)
		paper := 1
		if broken {
			paper = 2 // the first writer has yet to deliver what it kept of the other one
		}
		w.exec(writer.db, fmt.Sprintf("UPDATE outbox_papers SET text = 'new', desk = 3 - desk WHERE id = %d", paper))
		before := reader.seen()
		if before == w.truth() {
			t.Error("the reader knows what its Redis was not told of: this shows nothing")
		}
		rows, overdue, err := reader.outbox.Depth(t.Context())
		if err != nil || rows > 0 == broken || overdue > time.Minute {
			t.Errorf("Depth() = %d, %v, %v", rows, overdue, err)
		}
		n := reader.relay()
		fresh := reader.seen() == w.truth()
		if fresh == broken || n > 0 == broken {
			t.Errorf("rules %b: %d rows were told, and the reader is fresh: %v", rules, n, fresh)
		}
		if loads := reader.loaded(); !broken && loads > 3 {
			t.Errorf("%d loads after one paper was written", loads)
		}
		if n := w.rows(); n != 0 {
			t.Errorf("%d rows are left", n)
		}
		writer.away.Store(false)
		writer.seen()
	}
}

func afterCommit(t *testing.T, d writes.Database) {
	w := newWorld(t, d)
	reader, writer := w.start(byHand, 0), w.start(byHand, 0, bunhooks.AfterCommit())
	reader.warm()
	w.exec(writer.db, "UPDATE outbox_papers SET text = 'new' WHERE id = 3")
	reader.isFresh("after a write")
	reader.warm()
	writer.away.Store(true)
	w.exec(writer.db, "UPDATE outbox_papers SET text = 'newer' WHERE id = 3")
	if n := reader.relay(); n == 0 {
		t.Error("no row was told")
	}
	reader.isFresh("after a write that Redis was not told of")
	writer.away.Store(false)
	writer.seen()
}

func unreadable(t *testing.T, d writes.Database) {
	w := newWorld(t, d)
	p := w.start(byHand, 0)
	for what, row := range map[string][2]string{
		"of another version":          {`["outbox_papers"]`, `{"v":2,"news":[1]}`},
		"that is no JSON":             {`["outbox_papers"]`, `row:paper:1`},
		"with a name of another kind": {`["outbox_papers","of_another_process"]`, `{"v":1,"writes":[{"names":["galaxy:1"]}]}`},
		"with nothing in it":          {`["outbox_papers"]`, `{"v":1}`},
		"of a trigger that knows none": {
			`["outbox_papers"]`, `{"v":1,"op":"UPDATE","whole":true}`,
		},
		"of a trigger that lacks a column": {`["outbox_papers"]`, `{"v":1,"op":"UPDATE","rows":[{"id":1}]}`},
	} {
		p.warm()
		w.keep(0, row[0], row[1])
		w.exec(w.admin, "UPDATE outbox_papers SET text = text") // nothing, on some other program's part
		if n := p.relay(); n != 1 {
			t.Errorf("a row %s: %d were told, want it", what, n)
		}
		if loads := p.loaded(); loads != 8 {
			t.Errorf("a row %s: %d of 8 entries became wrong", what, loads)
		}
	}
	if n := p.outbox.Stats().Unreadable; n != 4 {
		t.Errorf("%d rows were told as unreadable, want 4", n)
	}
}

func tooLong(t *testing.T, d writes.Database) {
	w := newWorld(t, d)
	reader, writer := w.start(byHand, 0), w.start(byHand, 0, bunhooks.WithRowCap(1_000_000))
	var papers []Paper
	const long = 1_000_000_000_000_000_000
	for id := range int64(600) {
		papers = append(papers, Paper{ID: long + id, Desk: long + id, Text: "many"})
	}
	reader.warm()
	writer.away.Store(true)
	err := writer.db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(&papers).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewUpdate().Model((*Paper)(nil)).Set("text = 'new'").Where("id = 1").Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var longest int
	if err := w.admin.QueryRowContext(t.Context(), "SELECT max(length(what)) FROM cacheme_outbox").Scan(&longest); err != nil || longest > 1000 {
		t.Errorf("a row of %d characters, %v, want the table as a whole", longest, err)
	}
	reader.relay()
	reader.isFresh("after many rows")
	writer.away.Store(false)
	writer.seen()
}

// besideEachOther has a row at hand in one relay while another looks and a third process writes.
func besideEachOther(t *testing.T, d writes.Database) {
	if d.Dialect == writes.SQLite {
		t.Skip("SQLite has one writer at a time, and no locks for a relay to hold")
	}
	w := newWorld(t, d)
	writer, relay := w.start(byHand, 0), w.start(byHand, 0)
	writer.away.Store(true)
	w.exec(writer.db, "UPDATE outbox_papers SET text = 'new' WHERE id = 1")
	time.Sleep(5 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tx, err := w.admin.DB.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		t.Fatal(err)
	}
	var id string
	if err := tx.QueryRowContext(ctx, "SELECT id FROM cacheme_outbox ORDER BY id LIMIT 200 FOR UPDATE SKIP LOCKED").Scan(&id); err != nil {
		t.Fatal(err)
	}
	if n := relay.relay(); n != 0 {
		t.Errorf("%d rows are told that another one has at hand", n)
	}
	w.exec(writer.db, "UPDATE outbox_papers SET text = 'newer' WHERE id = 2")
	if n := relay.relay(); n != 1 {
		t.Errorf("%d rows are told beside those that another one has at hand, want 1", n)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if n := relay.relay(); n != 1 {
		t.Errorf("%d rows are told once they are free, want 1", n)
	}
	writer.away.Store(false)
	writer.seen()
}

// oneConnection has an outbox that works in the background as fast as it can beside a pool of one connection.
func oneConnection(t *testing.T, d writes.Database) {
	w := newWorld(t, d)
	p := w.start(bunhooks.OutboxOptions{Interval: time.Millisecond, Grace: time.Millisecond}, 0)
	p.db.SetMaxOpenConns(1)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	for i := range 60 {
		p.away.Store(i%3 == 0)
		err := p.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE outbox_papers SET desk = 3 - desk WHERE id = 4")
			time.Sleep(2 * time.Millisecond) // the relay asks for the connection meanwhile
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	p.away.Store(false)
	for w.rows() > 0 && ctx.Err() == nil {
		p.seen() // somebody has to ask, for the cache to look for its Redis
		time.Sleep(10 * time.Millisecond)
	}
	if got, want := p.seen(), w.truth(); got != want || ctx.Err() != nil {
		t.Errorf("seen %s, want %s; %d rows, %v", got, want, w.rows(), ctx.Err())
	}
}
