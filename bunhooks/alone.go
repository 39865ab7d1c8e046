package bunhooks

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/sqltx"
)

// alone gives a statement that has no transaction one of its own, so that its rows are known, and held, before it is
// committed.
func (e *engine) alone(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement, v verdict, query bool) (a answer, err error) {
	if e.afterCommit && e.outbox == nil && !e.needsTransaction(v, query) {
		return e.afterwards(ctx, c, s, v, query)
	}
	if _, err := c.Exec(ctx, e.dialect.begin(e.limit(guard.FenceOnStatement)), nil); err != nil {
		return a, err
	}
	open := true
	defer func() {
		if open {
			e.undo(ctx, c)
		}
	}()
	a, w, err := e.learn(ctx, c, s, v, query)
	if err != nil {
		return answer{}, err
	}
	e.cap(w)
	err = e.settle(ctx, c, []*written{w}, ofHook, func() error {
		_, err := c.Exec(ctx, "COMMIT", nil)
		open = err != nil
		if err != nil && e.dialect.failsOpen {
			if _, undone := c.Exec(context.WithoutCancel(ctx), "ROLLBACK", nil); undone == nil {
				open = false
				return &undoneError{err}
			}
		}
		return err
	})
	if undone := (*undoneError)(nil); errors.As(err, &undone) {
		return answer{}, undone.error
	}
	if errors.Is(err, driver.ErrBadConn) {
		// With the plain error database/sql would run the statement again, and it may be committed.
		return answer{}, fmt.Errorf("cacheme: COMMIT of a statement got no answer, it may be committed: %s", err) //nolint:errorlint // see above
	}
	if err != nil {
		return answer{}, err
	}
	return a, nil
}

func (e *engine) undo(ctx context.Context, c *sqltx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if _, err := c.Exec(ctx, "ROLLBACK", nil); err != nil {
		c.Discard()
	}
}

func (e *engine) needsTransaction(v verdict, query bool) bool {
	if v.exact == nil {
		return false
	}
	m, why := e.dialect.manner(v.exact, v.tables[0], query)
	return why == "" && m.before
}

// afterwards runs a statement without a transaction, and invalidates then.
func (e *engine) afterwards(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement, v verdict, query bool) (answer, error) {
	a, w, err := e.learn(ctx, c, s, v, query)
	switch {
	case err == nil:
		e.cap(w)
	case unanswered(err):
		w = v.whole()
	default:
		return a, err
	}
	return a, e.settle(ctx, c, []*written{w}, outside, func() error { return err })
}

// unanswered reports whether an error leaves open what became of a statement: the database said nothing.
func unanswered(err error) bool {
	var network net.Error
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network) ||
		err.Error() == "invalid connection" // of go-sql-driver/mysql, which this module does not import
}
