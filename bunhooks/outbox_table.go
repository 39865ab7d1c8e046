package bunhooks

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/sqltext"
)

// Create makes the outbox's table, unless it is there. It is a migration as bun has them, beside Drop:
//
//	Migrations.MustRegister(outbox.Create, outbox.Drop)
//
// Who writes through the database needs to insert, select, update (for the locks of a relay) and delete there. It may be run
// by several processes at once.
func (o *Outbox) Create(ctx context.Context, db *bun.DB) error {
	d, err := dialectOf(ctx, db, askPool(db.DB))
	if err != nil {
		return err
	}
	name, quoted, err := d.outboxName(o.options.Table)
	if err != nil {
		return err
	}
	name.Schema = "" // an index is where its table is
	for _, statement := range d.outbox().create {
		if _, err := db.ExecContext(ctx, fmt.Sprintf(statement, quoted, d.quote(beside(name, "writer")))); err != nil {
			return fmt.Errorf("bunhooks: create the outbox: %w", err)
		}
	}
	return nil
}

// Drop takes the outbox's table away, and with it what nobody has told Redis of yet. Drop its triggers before it: a write to
// a table that has one would fail.
func (o *Outbox) Drop(ctx context.Context, db *bun.DB) error {
	d, err := dialectOf(ctx, db, askPool(db.DB))
	if err != nil {
		return err
	}
	_, quoted, err := d.outboxName(o.options.Table)
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "DROP TABLE IF EXISTS "+quoted); err != nil {
		return fmt.Errorf("bunhooks: drop the outbox: %w", err)
	}
	return nil
}

// Depth returns how many rows of the cache are in the table, and for how long the oldest has been due: more than Interval
// says that nobody tells Redis of them, because it is away for one.
func (o *Outbox) Depth(ctx context.Context) (rows int, overdue time.Duration, err error) {
	e := o.engine.Load()
	if e == nil {
		return 0, 0, errNotInstalled
	}
	s := e.dialect.outbox()
	all, err := askPool(e.db.DB)(ctx, fmt.Sprintf("SELECT count(*), %s FROM %s WHERE cache = %s", s.overdue, o.table, s.literal(e.cache.Prefix())))
	if err != nil {
		return 0, 0, fmt.Errorf("bunhooks: look at the outbox: %w", err)
	}
	if rows, err = strconv.Atoi(all[0][0]); err != nil {
		return 0, 0, fmt.Errorf("bunhooks: look at the outbox: %w", err)
	}
	if rows == 0 {
		return 0, 0, nil // of nothing the age is NULL
	}
	ms, err := strconv.ParseInt(all[0][1], 10, 64)
	if err != nil {
		return 0, 0, fmt.Errorf("bunhooks: look at the outbox: %w", err)
	}
	return rows, max(0, time.Duration(ms)*time.Millisecond), nil
}

// outboxHome is where an outbox is.
type outboxHome struct {
	name   sqltext.Name // with its schema
	quoted string
}

// find looks for the table's schema: a connection may look names up elsewhere when a row is written.
func (o *Outbox) find(ctx context.Context, d dialect, q ask) (h outboxHome, err error) {
	s := d.outbox()
	if h.name, h.quoted, err = d.outboxName(o.options.Table); err != nil {
		return h, err
	}
	if h.name.Schema == "" {
		home := s.home
		if strings.Contains(home, "%s") {
			home = fmt.Sprintf(home, s.literal(h.quoted))
		}
		rows, err := q(ctx, home)
		if err != nil {
			return h, err
		}
		if len(rows) != 1 {
			return h, errors.New("it is not there")
		}
		h.name.Schema = rows[0][0]
		h.quoted = d.name(h.name)
	}
	_, err = q(ctx, "SELECT id, due_at, cache, writer, wrote, what FROM "+h.quoted+" WHERE 1 = 0"+s.locks)
	return h, err
}

// unusable says what keeps the table from being used, and the remedy.
func (o *Outbox) unusable(err error) error {
	return &InstallError{Reason: fmt.Sprintf("cannot use the table %s for WithOutbox (%v); create it with the Outbox's method Create, as a migration for one: "+
		"Migrations.MustRegister(outbox.Create, outbox.Drop); and let whoever writes insert, select, update and delete there", o.options.Table, err)}
}

// check finds the table, and tries whether it can be written, so that no transaction of the program's finds out.
func (o *Outbox) check(ctx context.Context, d dialect, db *sql.DB, prefix string) error {
	home, err := o.find(ctx, d, askPool(db))
	if err != nil {
		return o.unusable(err)
	}
	o.table = home.quoted
	s := d.outbox()
	if s.locks == "" {
		return nil // there are no privileges, and one writer at a time, who need not wait for this
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("bunhooks: try the outbox: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // it was a try
	row := outboxRow{id: newRowID(), cache: prefix, wrote: "[]", what: "{}"}
	for _, try := range []string{s.insert(o.table, row, 0, false), s.deleteRows(o.table, []string{row.id})} {
		if _, err := tx.ExecContext(ctx, try); err != nil {
			return o.unusable(err)
		}
	}
	return nil
}

// isOver reports whether an error says that the database or the cache is closed.
func isOver(err error) bool {
	return errors.Is(err, cacheme.ErrClosed) || strings.Contains(err.Error(), "sql: database is closed") // which has no name
}
