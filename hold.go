package cacheme

import (
	"context"
	"fmt"
	"time"

	"github.com/cacheme/cacheme/internal/store"
)

// Hold keeps the outcome of a write open on what it makes wrong: until it ends nobody trusts, or stores, anything that
// depends on it. Take it before COMMIT, and end it with what became of the COMMIT:
//
//	hold, err := cache.Hold(ctx, BookChanged{ID: 7})
//	if err != nil {
//		return err // or go on, and Invalidate after the COMMIT
//	}
//	err = tx.Commit()
//	return errors.Join(err, hold.End(ctx, err))
//
// A hold that is not ended lapses after Options.Hold and counts as committed: a process that is killed in between costs
// a load, never an old value, provided that the database gives the transaction up before the hold lapses (PostgreSQL's
// idle_in_transaction_session_timeout, MariaDB's idle_write_transaction_timeout).
//
// An error means that nothing is held for sure, and there is no Hold to end; what was held lapses. It is a *UsageError
// for a mistake, ErrClosed, or what Redis answered.
func (c *Cache) Hold(ctx context.Context, invalids ...Invalid) (*Hold, error) {
	if c.closed.Load() {
		return nil, ErrClosed
	}
	t, err := c.account(ctx, "Hold", invalids)
	if err != nil {
		return nil, err
	}
	h := &Hold{c: c, account: t, owner: store.NewOwner()}
	if err := h.Renew(ctx); err != nil {
		return nil, err
	}
	return h, nil
}

// Hold is the open outcome of one write. It is not safe for concurrent use.
type Hold struct {
	c     *Cache
	owner string
	account
	deadline time.Time
}

// Deadline is when the hold lapses, by this process's clock. The COMMIT has to have arrived by then.
func (h *Hold) Deadline() time.Time { return h.deadline }

// Renew gives the hold its whole time again. After an error its deadline is what it was.
func (h *Hold) Renew(ctx context.Context) error {
	if h.c.closed.Load() {
		return ErrClosed
	}
	if len(h.keys) == 0 {
		return nil
	}
	money := h.c.writePurse(len(h.keys))
	deadlines, err := spendInBatches(&money, h.keys, func(budget time.Duration, batch []string) (time.Time, error) {
		return h.c.store.PlaceHold(ctx, budget, h.owner, batch)
	})
	if err != nil {
		h.c.redisError(ctx, err)
		return fmt.Errorf("cacheme: hold: %w", err)
	}
	h.deadline = deadlines[0] // the first held lapses first
	return nil
}

// Commit ends the hold: the write is committed, and what depends on it is wrong. Errors are those of Invalidate.
func (h *Hold) Commit(ctx context.Context) error { return h.release(ctx, store.Commit) }

// Doubt says that the COMMIT got no answer: what depends on the write is wrong, and stays held until the hold lapses,
// for the COMMIT may yet arrive. Errors are those of Invalidate.
func (h *Hold) Doubt(ctx context.Context) error { return h.release(ctx, store.Doubt) }

func (h *Hold) release(ctx context.Context, outcome store.Outcome) error {
	if len(h.keys) == 0 {
		return nil
	}
	mark := h.c.mark(h.account, outcome == store.Doubt)
	return h.c.invalidateKeys(ctx, h.keys, func(budget time.Duration, batch []string) ([]uint64, error) {
		defer func() { mark = mark.Told() }()
		return h.c.store.Release(ctx, budget, mark, h.owner, outcome, batch)
	})
}

// Rollback ends the hold: nothing was written, and what was fresh before is fresh again. An error means that the hold
// lapses instead, which costs a load.
func (h *Hold) Rollback(ctx context.Context) error {
	if len(h.keys) == 0 {
		return nil
	}
	money := h.c.writePurse(len(h.keys))
	_, err := spendInBatches(&money, h.keys, func(budget time.Duration, batch []string) ([]uint64, error) {
		return h.c.store.Release(ctx, budget, store.Mark{}, h.owner, store.Rollback, batch)
	})
	if err != nil {
		h.c.redisError(ctx, err)
		return fmt.Errorf("cacheme: rollback of a hold: %w", err)
	}
	return nil
}

// End ends the hold with the error of the COMMIT: nil is committed, anything else a doubt, since an error does not prove
// that the database did not commit.
func (h *Hold) End(ctx context.Context, commitErr error) error {
	if commitErr != nil {
		return h.Doubt(ctx)
	}
	return h.Commit(ctx)
}

// HoldTime is Options.Hold, as it came out: a hold lasts at least so long. A transaction that is held has to be given up by
// its database before that.
func (c *Cache) HoldTime() time.Duration { return c.options.Hold }
