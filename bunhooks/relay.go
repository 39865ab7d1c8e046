package bunhooks

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/cacheme/cacheme"
)

// maxBatches bounds one look, so that deletions get their turn.
const maxBatches = 50

// Relay deletes the rows that Redis has been told of, tells it now of those that are due and that nobody else has at hand,
// and returns how many these were. The Outbox does so by itself at each Interval. An error leaves the rows where they are:
// *cacheme.UndeliveredError where Redis cannot be told, cacheme.ErrClosed, or what the database answered.
func (o *Outbox) Relay(ctx context.Context) (int, error) {
	if o.engine.Load() == nil {
		return 0, errNotInstalled
	}
	if err := o.delete(ctx); err != nil {
		return 0, err
	}
	return o.relay(ctx)
}

func (o *Outbox) relay(ctx context.Context) (n int, err error) {
	for range maxBatches {
		some, more, err := o.relayBatch(ctx)
		n += some
		if err != nil || !more {
			return n, err
		}
	}
	return n, nil
}

// where chooses the rows that are due. Rows are not counted up and looked for behind the last one: they become visible in
// another order than they were written in. A row that is due later than any writer would have it is one from before the
// database's clock was set back.
func (o *Outbox) where(e *engine) string {
	s := e.dialect.outbox()
	never := fmt.Sprintf(s.later, (o.options.Grace + time.Minute).Milliseconds())
	return fmt.Sprintf(" FROM %s WHERE cache = %s AND (due_at <= %s OR due_at > %s)", o.table, s.literal(e.cache.Prefix()), s.now, never)
}

// pool is a *sql.DB or a *sql.Tx.
type pool interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// apart does something with the table that is no part of a transaction of the program's. Where the database can lock rows
// past which others look, it is a transaction that reads what is committed, whatever isolation the program's own have:
// with the locks of a stricter one MariaDB would keep writers from adding rows, and PostgreSQL would have them fail.
func (o *Outbox) apart(ctx context.Context, e *engine, do func(ctx context.Context, db pool) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if e.dialect.outbox().locks == "" {
		return do(ctx, e.db.DB)
	}
	tx, err := e.db.DB.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	if err := do(ctx, tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// relayBatch takes the oldest rows, tells Redis of them, and deletes them. Where rows can be locked no row is told twice
// but after a failure.
func (o *Outbox) relayBatch(ctx context.Context) (n int, more bool, err error) {
	e := o.engine.Load()
	err = o.apart(ctx, e, func(ctx context.Context, db pool) error {
		n, more, err = o.tellAndDelete(ctx, e, db)
		return err
	})
	if err != nil {
		return 0, false, err
	}
	return n, more, nil
}

// maxTold is how many names one batch makes wrong, but for what its last row has beyond: as many as even a slow Redis takes in
// the time that a batch has. One that never came to its end would be in the way of all that are behind it.
const maxTold = 500

func (o *Outbox) tellAndDelete(ctx context.Context, e *engine, db pool) (n int, more bool, err error) {
	s := e.dialect.outbox()
	rows, err := askPool(db)(ctx, "SELECT id, wrote, what"+o.where(e)+" ORDER BY id LIMIT "+strconv.Itoa(outboxBatch)+s.locks)
	if err != nil || len(rows) == 0 {
		return 0, false, err
	}
	var ids []string
	var invalids []cacheme.Invalid
	for told := 0; len(ids) < len(rows) && told < maxTold; {
		row := rows[len(ids)]
		wrong, names := o.read(e, outboxRow{id: row[0], wrote: row[1], what: row[2]})
		ids, invalids, told = append(ids, row[0]), append(invalids, wrong...), told+names
	}
	if err := e.protect(func() error { return e.cache.Invalidate(ctx, invalids...) }); err != nil {
		return 0, false, err
	}
	o.counts.relayed.Add(uint64(len(ids)))
	_, err = db.ExecContext(ctx, s.deleteRows(o.table, ids))
	return len(ids), len(ids) < len(rows) || len(rows) == outboxBatch, err
}

// delete deletes the rows that Redis has been told of. Those that it does not come to stay with the others.
func (o *Outbox) delete(ctx context.Context) error {
	e := o.engine.Load()
	o.mu.Lock()
	ids := o.done
	o.done = nil
	o.mu.Unlock()
	for len(ids) > 0 {
		n := min(len(ids), outboxBatch)
		err := o.apart(ctx, e, func(ctx context.Context, db pool) error {
			_, err := db.ExecContext(ctx, e.dialect.outbox().deleteRows(o.table, ids[:n]))
			return err
		})
		if err != nil {
			o.mu.Lock()
			left := slices.Concat(ids, o.done)
			o.done = left[:min(len(left), maxDeletable)]
			o.mu.Unlock()
			return err
		}
		ids = ids[n:]
	}
	return nil
}
