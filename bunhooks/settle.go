package bunhooks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/sqltx"
)

// place is where a COMMIT takes place.
type place uint8

const (
	ofProgram place = iota // in a transaction of the program's
	ofHook                 // in one that a statement was given
	outside                // in none, or in the text itself: the statement is its own COMMIT
)

// settle stands around a COMMIT: a limit in the database, a row in the outbox, a hold in Redis, the COMMIT, and the end of
// the hold as its outcome has it. It returns without committing where the commit is refused.
func (e *engine) settle(ctx context.Context, c *sqltx.Conn, all []*written, in place, commit func() error) error {
	effects := e.effects(all)
	// The outcome has to be told even if the caller gives up; the cache bounds its own work.
	ctx = context.WithoutCancel(ctx)
	var err error
	switch {
	case len(effects) == 0:
		err = commit()
	case e.afterCommit:
		err = e.settleAfter(ctx, c, effects, all, in, commit)
	default:
		err = e.settleHeld(ctx, c, effects, all, in, commit)
	}
	if err == nil {
		e.refill(all)
	}
	return err
}

func (e *engine) settleHeld(ctx context.Context, c *sqltx.Conn, effects []effect, all []*written, in place, commit func() error) error {
	if in == ofProgram || in == ofHook && !e.dialect.fencesAtBegin {
		failed, done := e.fence(ctx, c)
		defer done()
		if failed {
			return commit()
		}
	}
	p, err := e.post(ctx, c, effects, all, in)
	if err != nil {
		return err
	}
	hold, err := e.hold(ctx, p.invalids)
	if err != nil && e.refuse {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if hold != nil && e.rules.Off(guard.ReleaseAfterCommit) {
		e.tell(func() error { return hold.Commit(ctx) })
		return commit()
	}
	if hold != nil && time.Until(hold.Deadline()) < e.cache.HoldTime()/2 {
		// The process was paused: readers may have settled the hold, or be about to.
		if err := e.protect(func() error { return hold.Renew(ctx) }); err != nil && e.refuse {
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
			e.delivered(ctx, c, p, in, err, e.tell(func() error { return hold.End(ctx, err) }))
		default:
			e.delivered(ctx, c, p, in, err, e.invalidate(ctx, p.invalids))
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
func (e *engine) settleAfter(ctx context.Context, c *sqltx.Conn, effects []effect, all []*written, in place, commit func() error) error {
	p, err := e.post(ctx, c, effects, all, in)
	if err != nil {
		return err
	}
	err = commit()
	switch {
	case err == nil:
		e.delivered(ctx, c, p, in, nil, e.invalidate(ctx, p.invalids))
	case !e.rolledBack(err):
		hold, held := e.hold(ctx, p.invalids)
		if held != nil {
			e.invalidate(ctx, p.invalids)
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

func (e *engine) invalidate(ctx context.Context, invalids []cacheme.Invalid) (delivered bool) {
	return e.tell(func() error { return e.cache.Invalidate(ctx, invalids...) })
}

// tell tells the cache, and reports whether that has told Redis. What goes wrong it has told already, as an event: an
// invalidation that cannot be delivered is kept, and a write that is committed does not fail by it.
func (e *engine) tell(what func() error) (delivered bool) {
	err := e.protect(what)
	if errors.Is(err, cacheme.ErrClosed) {
		e.warn.once("closed", "cacheme: a write was committed after the cache was closed; what it makes wrong stays until the TTL", "err", err)
	}
	return err == nil
}

// protect keeps a panic of the user's, in a hook of his Redis client, out of his own write.
func (e *engine) protect(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cacheme: panic: %v", r)
			e.warn.once("panic", "cacheme: a panic during a write", "panic", r)
		}
	}()
	return f()
}
