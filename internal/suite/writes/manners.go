package writes

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"
)

// manner is a way to run a write: on what, inside what, and how that ends.
type manner struct {
	name   string
	undone bool // nothing of the write remains
	// savepoint: the write runs behind one, which a statement that commits implicitly takes away.
	savepoint bool
	besides   []string // what the manner itself makes wrong
	run       func(ctx context.Context, m moment) error
}

// moment is what a manner works with.
type moment struct {
	db    *bun.DB
	write func(context.Context, bun.IDB, plain) error
	// before is called inside a transaction whose writes are done and whose COMMIT is still to come.
	before func() error
}

// plain is what *sql.DB, *sql.Conn and *sql.Tx share.
type plain interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row
	PrepareContext(ctx context.Context, text string) (*sql.Stmt, error)
}

var errOnPurpose = errors.New("rolled back on purpose")

// onPurpose turns the error that asked for a rollback into none, and any other end into one.
func onPurpose(err error) error {
	if errors.Is(err, errOnPurpose) {
		return nil
	}
	return fmt.Errorf("got %w, want the error that asked for the rollback", err)
}

func manners() []manner {
	return []manner{
		{name: "autocommit", run: func(ctx context.Context, m moment) error {
			return m.write(ctx, m.db, m.db.DB)
		}},
		{name: "bun.Conn", run: func(ctx context.Context, m moment) error {
			return onConn(ctx, m.db, func(c bun.Conn) error { return m.write(ctx, c, c.Conn) })
		}},
		{name: "BeginTx with the outer context", run: func(ctx context.Context, m moment) error {
			tx, err := m.db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			if err := m.write(ctx, tx, tx.Tx); err != nil {
				return errors.Join(err, tx.Rollback())
			}
			return errors.Join(m.before(), tx.Commit())
		}},
		{name: "RunInTx", run: func(ctx context.Context, m moment) error {
			return m.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return m.write(ctx, tx, tx.Tx) })
		}},
		{name: "nested RunInTx", savepoint: true, run: func(ctx context.Context, m moment) error {
			return m.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				return tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return m.write(ctx, tx, tx.Tx) })
			})
		}},
		{name: "raw BEGIN", run: func(ctx context.Context, m moment) error {
			return onConn(ctx, m.db, func(c bun.Conn) error { return between(ctx, c, "BEGIN", "COMMIT", m.write) })
		}},
		{name: "BeginTx, rolled back", undone: true, run: func(ctx context.Context, m moment) error {
			tx, err := m.db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			return errors.Join(m.write(ctx, tx, tx.Tx), tx.Rollback())
		}},
		{name: "RunInTx that fails", undone: true, run: func(ctx context.Context, m moment) error {
			return onPurpose(m.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				return errors.Join(m.write(ctx, tx, tx.Tx), errOnPurpose)
			}))
		}},
		{
			name: "rolled back to a savepoint, the rest committed", undone: true, savepoint: true, besides: []string{"shop 1", "shop 2"},
			run: func(ctx context.Context, m moment) error {
				return m.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
					_, err := tx.ExecContext(ctx, "UPDATE shops SET name = 'before' WHERE id = 1")
					if err != nil {
						return err
					}
					if err := onPurpose(tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
						return errors.Join(m.write(ctx, tx, tx.Tx), errOnPurpose)
					})); err != nil {
						return err
					}
					_, err = tx.ExecContext(ctx, "UPDATE shops SET name = 'after' WHERE id = 2")
					return err
				})
			},
		},
		{name: "a savepoint released, then all rolled back", undone: true, savepoint: true, run: func(ctx context.Context, m moment) error {
			return onPurpose(m.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				err := tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return m.write(ctx, tx, tx.Tx) })
				return errors.Join(err, errOnPurpose)
			}))
		}},
		{name: "raw BEGIN and ROLLBACK", undone: true, run: func(ctx context.Context, m moment) error {
			return onConn(ctx, m.db, func(c bun.Conn) error { return between(ctx, c, "BEGIN", "ROLLBACK", m.write) })
		}},
		{name: "BeginTx, its context cancelled", undone: true, run: func(ctx context.Context, m moment) error {
			cancelled, cancel := context.WithCancel(ctx)
			defer cancel()
			tx, err := m.db.BeginTx(cancelled, nil)
			if err != nil {
				return err
			}
			if err := m.write(ctx, tx, tx.Tx); err != nil {
				return errors.Join(err, tx.Rollback())
			}
			cancel()
			if err := tx.Commit(); err == nil {
				return errors.New("COMMIT after the context was cancelled: no error")
			}
			return idle(ctx, m.db)
		}},
	}
}

// between runs a write between two statements on a connection.
func between(ctx context.Context, c bun.Conn, first, last string, write func(context.Context, bun.IDB, plain) error) error {
	if _, err := c.ExecContext(ctx, first); err != nil {
		return err
	}
	if err := write(ctx, c, c.Conn); err != nil {
		_, rollback := c.ExecContext(ctx, "ROLLBACK")
		return errors.Join(err, rollback)
	}
	_, err := c.ExecContext(ctx, last)
	return err
}

func onConn(ctx context.Context, db *bun.DB, f func(bun.Conn) error) error {
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	return errors.Join(f(c), c.Close())
}

// idle waits until all connections are back in the pool: a cancelled transaction is rolled back behind one's back.
func idle(ctx context.Context, db *bun.DB) error {
	return eventually(ctx, func() bool { return db.Stats().InUse == 0 })
}
