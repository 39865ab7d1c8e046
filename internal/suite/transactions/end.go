package transactions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/suite/tap"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// seen is what a transaction's round trips to Redis met in the database. It travels in the transaction's context.
type seen struct {
	lot        *lot
	trips      []string
	atHold     string
	atRelease  string
	lookFailed error
}

type seenKey struct{}

// watchTrips notes what the database shows to others while a writer speaks to Redis.
func watchTrips(p **place) func(context.Context, tap.Trip, func(...redis.Cmder) error) error {
	return func(ctx context.Context, t tap.Trip, send func(...redis.Cmder) error) error {
		s, _ := ctx.Value(seenKey{}).(*seen)
		if s == nil || t.Purpose == tap.Other {
			return send(t.Cmds...)
		}
		s.trips = append(s.trips, strings.TrimSpace(string(t.Purpose)+" "+t.Outcome))
		now, err := (*p).dump(context.WithoutCancel(ctx), s.lot)
		s.lookFailed = errors.Join(s.lookFailed, err)
		if t.Purpose == tap.Hold {
			s.atHold = now
		} else {
			s.atRelease = now
		}
		return send(t.Cmds...)
	}
}

// finish ends a transaction in one of the ways that there are. i is where its lot stands.
func (w *worker) finish(x *txn, i int) error {
	defer x.cancel()
	switch n := w.random.IntN(20); {
	case n < 10:
		return w.commit(x)
	case n < 14:
		w.note("ROLLBACK")
		if err := x.end(false); err != nil {
			return fmt.Errorf("ROLLBACK: %w", err)
		}
		return w.undone(x.l, x.seen)
	case n < 16 && !x.byText:
		w.note("its context is cancelled, then COMMIT")
		x.cancel()
		if err := x.end(true); err == nil {
			return errors.New("COMMIT after the context was cancelled: no error")
		}
		return w.undone(x.l, x.seen)
	case n == 16 && !x.byText:
		w.note("its context is cancelled during COMMIT")
		go x.cancel()
		err := x.end(true)
		switch {
		case err != nil && len(x.seen.trips) > 0:
			return w.doubtful(x, i) // pgx does not wait for the answer
		case err != nil || x.aborted:
			return w.undone(x.l, x.seen)
		}
		return w.committed(x.l, x.state, x.seen)
	case n == 17 && !x.aborted:
		if err := w.kill(x); err != nil {
			return err
		}
		if err := w.write(x.ctx, x.hand, x.l, &x.state, true); err == nil && len(x.rows) > 0 {
			return errors.New("a write on a connection that was killed: no error")
		}
		w.note("ROLLBACK")
		_ = x.end(false) // it fails on some drivers: there is nobody to roll back
		w.p.broken.Store(false)
		return w.undone(x.l, x.seen)
	case n == 18 && !x.aborted:
		if err := w.kill(x); err != nil {
			return err
		}
		w.note("COMMIT")
		err := x.end(true)
		w.p.broken.Store(false)
		if err == nil {
			return errors.New("COMMIT on a connection that was killed: no error")
		}
		return w.doubtful(x, i)
	default:
		if err := x.outside(); err != nil {
			return errors.Join(err, x.abandon())
		}
		return w.commit(x)
	}
}

func (w *worker) commit(x *txn) error {
	w.note("COMMIT")
	err := x.end(true)
	if x.aborted {
		return w.undone(x.l, x.seen) // some drivers say so and some do not
	}
	if err != nil {
		return fmt.Errorf("COMMIT: %w", err)
	}
	return w.committed(x.l, x.state, x.seen)
}

// abandon is for a history that has failed already.
func (x *txn) abandon() error {
	defer x.cancel()
	_ = x.end(false) // whatever it says, something else is told
	return nil
}

// kill ends the transaction's connection from outside.
func (w *worker) kill(x *txn) error {
	w.note("its connection is killed")
	var ask, kill string
	switch w.p.Dialect {
	case writes.Postgres:
		ask, kill = "SELECT pg_backend_pid()", "SELECT pg_terminate_backend(?)"
	case writes.MariaDB:
		ask, kill = "SELECT CONNECTION_ID()", "KILL CONNECTION ?"
	default:
		w.p.broken.Store(true)
		return nil
	}
	var id int64
	if err := x.plain.QueryRowContext(x.ctx, ask).Scan(&id); err != nil {
		return fmt.Errorf("ask for the connection's id: %w", err)
	}
	_, err := w.p.admin.ExecContext(w.ctx, kill, id)
	return err
}

// committed holds that exactly what was written has become wrong, between the COMMIT and now.
func (w *worker) committed(l *lot, s state, seen *seen) error {
	w.counts.committed++
	before := text(l.rows)
	l.rows = s.rows
	if err := w.compareTokens(l, s.wrong); err != nil {
		return err
	}
	after := text(s.rows)
	want := []string(nil)
	switch {
	case len(s.wrong) > 0 && w.p.afterCommit:
		want = []string{"invalidate"}
	case len(s.wrong) > 0:
		want = []string{"hold", "release commit"}
	}
	switch {
	case seen.lookFailed != nil:
		return seen.lookFailed
	case !slices.Equal(seen.trips, want):
		return fmt.Errorf("round trips to Redis: %q, want %q", seen.trips, want)
	case want != nil && !w.p.afterCommit && seen.atHold != before:
		return fmt.Errorf("when it was held the database showed %s, want %s: it was not before the COMMIT", seen.atHold, before)
	case want != nil && seen.atRelease != after:
		return fmt.Errorf("when it was invalidated the database showed %s, want %s: it was not after the COMMIT", seen.atRelease, after)
	}
	return w.settled(l)
}

// undone holds that nothing has become wrong.
func (w *worker) undone(l *lot, seen *seen) error {
	w.counts.undone++
	if err := w.compareTokens(l, nil); err != nil {
		return err
	}
	if len(seen.trips) > 0 {
		return fmt.Errorf("round trips to Redis: %q, want none: nothing was committed", seen.trips)
	}
	return w.settled(l)
}

// doubtful is a COMMIT without an answer: nobody knows what became of it, so that all of it is held. The lot is given up.
func (w *worker) doubtful(x *txn, i int) error {
	w.counts.doubtful++
	now, err := w.p.look(w.ctx, x.l.keys)
	if err != nil {
		return err
	}
	for key, token := range now {
		if wrong, held := x.wrong[key], token.held; wrong && !x.aborted && !held {
			w.counts.missing++
			return fmt.Errorf("after a COMMIT without an answer %s is not held", key)
		} else if !wrong && (held || token != x.l.tokens[key]) {
			w.counts.extra++
			return fmt.Errorf("%s became wrong, and was not written", key)
		}
	}
	return w.newLot(i)
}

// settled compares the suite's own idea of the database, and what another process gets, with what there is.
func (w *worker) settled(l *lot) error {
	got, err := w.p.dump(w.ctx, l)
	if err != nil {
		return err
	}
	if want := text(l.rows); got != want {
		return fmt.Errorf("the database holds %s, want %s: the history is not what the suite thinks", got, want)
	}
	return w.get(l)
}

// compareTokens holds that the given tokens of a lot have changed since they were last looked at, and no others.
func (w *worker) compareTokens(l *lot, wrong map[string]bool) error {
	now, err := w.p.look(w.ctx, l.keys)
	if err != nil {
		return err
	}
	var missing, extra []string
	for _, key := range l.keys {
		switch changed := now[key] != l.tokens[key]; {
		case wrong[key] && (!changed || now[key].held):
			missing = append(missing, key)
		case !wrong[key] && changed:
			extra = append(extra, key)
		}
	}
	w.counts.missing += len(missing)
	w.counts.extra += len(extra)
	l.tokens = now
	if len(missing)+len(extra) > 0 {
		return fmt.Errorf("written, and not wrong: %q; wrong, and not written: %q", missing, extra)
	}
	return nil
}
