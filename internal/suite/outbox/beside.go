package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// writersAtOnce has transactions at the same time that have nothing to do with each other: none may fail by the outbox, at
// any isolation. Those that are serializable add rows only, which are no conflict by themselves.
func writersAtOnce(t *testing.T, d writes.Database) {
	_, p := withTriggers(t, d)
	const writers, rounds = 6, 25
	for _, level := range []sql.IsolationLevel{sql.LevelDefault, sql.LevelReadCommitted, sql.LevelSerializable} {
		p.warm()
		var running sync.WaitGroup
		failed := make([]error, writers)
		for n := range writers {
			running.Go(func() {
				for i := range rounds {
					text := fmt.Sprintf("UPDATE outbox_papers SET text = '%v %d' WHERE id = %d", level, i, n+1)
					if level == sql.LevelSerializable {
						text = fmt.Sprintf("INSERT INTO outbox_papers (id, desk, text) VALUES (%d, %d, 'new')", 1000+n*rounds+i, 10+n)
					}
					err := p.db.RunInTx(t.Context(), &sql.TxOptions{Isolation: level}, func(ctx context.Context, tx bun.Tx) error {
						_, err := tx.ExecContext(ctx, text)
						return err
					})
					failed[n] = errors.Join(failed[n], err)
				}
			})
		}
		running.Wait()
		if err := errors.Join(failed...); err != nil {
			t.Errorf("%d writers at once, %v: %v", writers, level, err)
		}
		p.relay()
		p.isFresh(level.String())
	}
	if s := p.outbox.Stats(); s.Refused+s.Failed > 0 {
		t.Errorf("Stats() = %+v", s)
	}
}

// slowWriter has another program's transaction open, with its row, while others write and a relay works.
func slowWriter(t *testing.T, d writes.Database) {
	w, p := withTriggers(t, d)
	other := w.start(byHand, 0)
	p.warm()
	tx, err := w.admin.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	w.exec(tx, "UPDATE outbox_papers SET text = 'slow' WHERE id = 1")
	for i := range 250 {
		w.exec(other.db, fmt.Sprintf("UPDATE outbox_papers SET text = 'quick %d' WHERE id = 2", i))
	}
	for _, relay := range []*process{other, p} {
		if _, err := relay.outbox.Relay(t.Context()); err != nil {
			t.Errorf("Relay() = %v beside a transaction that is open", err)
		}
	}
	if n := w.rows(); n != 0 {
		t.Errorf("%d rows are left that are committed", n)
	}
	w.exec(tx, "UPDATE outbox_papers SET desk = 2 WHERE id = 1")
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	p.relay()
	p.isFresh("after the slow one")
}

// notBeforeItsTime has a text in a transaction that may end it and does not, behind a function that writes.
func notBeforeItsTime(t *testing.T, d writes.Database) {
	w, p := withTriggers(t, d)
	reader := w.start(byHand, 0)
	w.makeFunction()
	reader.warm()
	err := p.db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		w.exec(tx, "UPDATE outbox_papers SET text = 'new' WHERE id = 1")
		var one int
		if err := tx.QueryRowContext(ctx, "SELECT outbox_function()").Scan(&one); err != nil {
			return err
		}
		w.exec(tx, "SELECT 1; SAVEPOINT s; RELEASE SAVEPOINT s")
		reader.seen()
		reader.seen() // what is held is not kept
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p.relay()
	reader.isFresh("after the COMMIT")
}

// aborted has a COMMIT of a transaction that has failed already, of which the hook has not heard: it was a row of a result.
func aborted(t *testing.T, d writes.Database) {
	w, p := withTriggers(t, d)
	if d.Dialect != writes.Postgres {
		return // an error leaves the transaction as it was
	}
	late := w.start(byHand, 0, bunhooks.AfterCommit(), bunhooks.RefuseOnOutage())
	for _, p := range []*process{p, late} {
		p.warm()
		before := p.outbox.Stats()
		err := p.db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
			w.exec(tx, "UPDATE outbox_papers SET text = 'never' WHERE id = 1")
			rows, err := tx.QueryContext(ctx, "SELECT 1 / (3 - i) FROM generate_series(1, 5) i")
			if err != nil {
				return nil //nolint:nilerr // a driver that reads ahead
			}
			for rows.Next() {
				continue
			}
			if rows.Err() == nil {
				t.Error("the transaction has not failed")
			}
			return rows.Close()
		})
		if errors.Is(err, bunhooks.ErrRefused) {
			t.Errorf("COMMIT of a transaction that has failed = %v", err)
		}
		p.isFresh("after a COMMIT of what has failed")
		if s := p.outbox.Stats(); s != before {
			t.Errorf("Stats() = %+v, want %+v as before", s, before)
		}
	}
}
