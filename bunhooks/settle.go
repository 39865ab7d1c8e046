package bunhooks

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/sqltx"
)

// settle stands around a COMMIT: a limit in the database, a hold in Redis, the COMMIT, and the end of the hold as its
// outcome has it. It returns without committing where the commit is refused.
func (e *engine) settle(ctx context.Context, c *sqltx.Conn, all []*written, fence bool, commit func() error) error {
	invalids := e.invalids(all)
	// The outcome has to be told even if the caller gives up; the cache bounds its own work.
	ctx = context.WithoutCancel(ctx)
	var err error
	switch {
	case len(invalids) == 0:
		err = commit()
	case e.afterCommit:
		err = e.settleAfter(ctx, invalids, commit)
	default:
		err = e.settleHeld(ctx, c, invalids, fence, commit)
	}
	if err == nil {
		e.refill(all)
	}
	if err == nil && slices.ContainsFunc(all, func(w *written) bool { return w.schema }) {
		e.relearn(ctx, c)
	}
	return err
}

func (e *engine) settleHeld(ctx context.Context, c *sqltx.Conn, invalids []cacheme.Invalid, fence bool, commit func() error) error {
	if fence {
		failed, done := e.fence(ctx, c)
		defer done()
		if failed {
			return commit()
		}
	}
	hold, err := e.hold(ctx, invalids)
	if err != nil && e.refuse {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if hold != nil && e.rules.Off(guard.ReleaseAfterCommit) {
		e.tell(func() error { return hold.Commit(ctx) })
		return commit()
	}
	if hold != nil && time.Until(hold.Deadline()) < e.cache.HoldTime()/2 {
		// The process was paused: readers may have settled the hold, or be about to.
		if err := hold.Renew(ctx); err != nil && e.refuse {
			e.tell(func() error { return hold.Rollback(ctx) })
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
	}
	err = commit()
	end := func() {
		switch {
		case err != nil && e.rolledBack(err):
			if hold != nil {
				e.tell(func() error { return hold.Rollback(ctx) })
			}
		case hold != nil:
			e.tell(func() error { return hold.End(ctx, err) })
		default:
			e.invalidate(ctx, invalids)
		}
	}
	if e.rules.Off(guard.ReturnAfterRelease) {
		go end()
		return err
	}
	end()
	return err
}

// settleAfter commits, and then invalidates. A COMMIT without an answer may still arrive: what it makes wrong is held
// until it no longer can.
func (e *engine) settleAfter(ctx context.Context, invalids []cacheme.Invalid, commit func() error) error {
	err := commit()
	switch {
	case err == nil:
		e.invalidate(ctx, invalids)
	case !e.rolledBack(err):
		hold, held := e.hold(ctx, invalids)
		if held != nil {
			e.invalidate(ctx, invalids)
			break
		}
		e.tell(func() error { return hold.Doubt(ctx) })
	}
	return err
}

// undoneError is a COMMIT that failed, and whose transaction was rolled back after it.
type undoneError struct{ error }

// rolledBack reports whether it is sure that nothing was committed.
func (e *engine) rolledBack(err error) bool {
	undone := (*undoneError)(nil)
	return errors.As(err, &undone) || e.dialect.rolledBack(err)
}

// fence limits the transaction in the database. done takes the limit back from the session.
func (e *engine) fence(ctx context.Context, c *sqltx.Conn) (failed bool, done func()) {
	limit := e.limit(guard.FenceOnTransaction)
	if limit <= 0 {
		return false, func() {}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	failed, err := e.dialect.fence(ctx, c, limit)
	cancel()
	if err != nil {
		e.warn.once("fence", "cacheme cannot limit a transaction in the database: a writer that is paused for longer than the hold and then killed leaves old data until the TTL",
			"err", err)
		return failed, func() {}
	}
	return failed, func() {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if err := e.dialect.unfence(ctx, c); err != nil {
			c.Discard()
		}
	}
}

// limit is how long the database may wait for the COMMIT: less than the hold, by what the COMMIT itself may take.
func (e *engine) limit(rule guard.Rule) time.Duration {
	if e.rules.Off(rule) {
		return 0
	}
	return e.cache.HoldTime() * 4 / 5
}

// hold is Cache.Hold. What a user's observer panics with is an error here.
func (e *engine) hold(ctx context.Context, invalids []cacheme.Invalid) (hold *cacheme.Hold, err error) {
	err = e.protect(func() error {
		hold, err = e.cache.Hold(ctx, invalids...)
		return err
	})
	if err != nil {
		hold = nil
	}
	return hold, err
}

func (e *engine) invalidate(ctx context.Context, invalids []cacheme.Invalid) {
	e.tell(func() error { return e.cache.Invalidate(ctx, invalids...) })
}

// tell tells the cache. What goes wrong it has told already, as an event: an invalidation that cannot be delivered is
// kept, and a write that is committed does not fail by it.
func (e *engine) tell(what func() error) {
	if err := e.protect(what); errors.Is(err, cacheme.ErrClosed) {
		e.warn.once("closed", "cacheme: a write was committed after the cache was closed; what it makes wrong stays until the TTL", "err", err)
	}
}

// protect keeps a panic of the user's, in an observer or a logger, out of his own write.
func (e *engine) protect(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cacheme: panic: %v", r)
			e.warn.once("panic", "cacheme: an observer panicked during a write", "panic", r)
		}
	}()
	return f()
}

// alone gives a statement that has no transaction one of its own, so that its rows are known, and held, before it is
// committed.
func (e *engine) alone(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement, v verdict, query bool) (a answer, err error) {
	if e.afterCommit && !e.needsTransaction(v, query) {
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
	err = e.settle(ctx, c, []*written{w}, !e.dialect.fencesAtBegin, func() error {
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
	return a, e.settle(ctx, c, []*written{w}, false, func() error { return err })
}

// unanswered reports whether an error leaves open what became of a statement: the database said nothing.
func unanswered(err error) bool {
	var network net.Error
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network) ||
		err.Error() == "invalid connection" // of go-sql-driver/mysql, which this module does not import
}
