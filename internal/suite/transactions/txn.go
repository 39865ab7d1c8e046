package transactions

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"
)

// txn is one open transaction of a history.
type txn struct {
	hand
	w      *worker
	l      *lot
	ctx    context.Context
	cancel context.CancelFunc
	seen   *seen

	state
	layers  []layer
	aborted bool // PostgreSQL refuses everything but a rollback
	byText  bool // database/sql does not know of it, so that its context ends nothing
	end     func(commit bool) error
}

// layer is a savepoint: what to go back to, and how.
type layer struct {
	hand
	state
	release, rollback func() error
}

const maxDepth = 4

// begin opens a transaction in one of the ways that there are.
func (w *worker) begin(l *lot) (*txn, error) {
	x := &txn{w: w, l: l, state: state{l.rows, map[string]bool{}}.clone(), seen: &seen{lot: l}}
	ctx, cancel := context.WithCancel(context.WithValue(w.ctx, seenKey{}, x.seen))
	x.ctx, x.cancel = ctx, cancel
	var err error
	switch way := w.random.IntN(4); way {
	case 0:
		w.note("BeginTx")
		err = x.beginBun(w.p.db)
	case 1:
		w.note("database/sql's BeginTx")
		var tx *sql.Tx
		if tx, err = w.p.db.DB.BeginTx(ctx, nil); err == nil {
			x.hand, x.end = hand{plainOnly{w.p.db, tx}, tx}, ender(tx.Commit, tx.Rollback)
		}
	default:
		w.note("BEGIN on a connection")
		var c bun.Conn
		if c, err = w.p.db.Conn(ctx); err != nil {
			break
		}
		if way == 2 {
			err = x.beginBun(c)
			inner := x.end
			x.end = func(commit bool) error { return errors.Join(inner(commit), c.Close()) }
			break
		}
		x.byText = true
		_, err = c.ExecContext(ctx, "BEGIN")
		text := func(text string) func() error {
			return func() error {
				_, err := c.ExecContext(context.WithoutCancel(ctx), text)
				return err
			}
		}
		end := ender(text("COMMIT"), text("ROLLBACK"))
		x.hand, x.end = hand{c, c.Conn}, func(commit bool) error { return errors.Join(end(commit), c.Close()) }
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("begin: %w", err)
	}
	return x, nil
}

func (x *txn) beginBun(db interface {
	BeginTx(context.Context, *sql.TxOptions) (bun.Tx, error)
},
) error {
	tx, err := db.BeginTx(x.ctx, nil)
	x.hand, x.end = hand{tx, tx.Tx}, ender(tx.Commit, tx.Rollback)
	return err
}

func ender(commit, rollback func() error) func(bool) error {
	return func(commits bool) error {
		if commits {
			return commit()
		}
		return rollback()
	}
}

// step does one thing at random.
func (x *txn) step(narrow bool) error {
	w := x.w
	switch n := w.random.IntN(20); {
	case x.aborted:
		return nil // all that could be done is over
	case n < 3 && len(x.layers) < maxDepth:
		return x.save()
	case n < 5 && len(x.layers) > 0:
		return x.back(w.random.IntN(2) == 0)
	case n == 5:
		return x.outside()
	case n == 6 && !narrow:
		return x.fail()
	default:
		return w.write(x.ctx, x.hand, x.l, &x.state, narrow)
	}
}

// save sets a savepoint, by bun where it is bun's transaction, or as text.
func (x *txn) save() error {
	before := layer{hand: x.hand, state: x.clone()}
	depth := len(x.layers) + 1
	if outer, ok := x.bun.(bun.Tx); ok && x.w.random.IntN(2) == 0 {
		x.w.note("savepoint %d by bun", depth)
		tx, err := outer.BeginTx(x.ctx, nil)
		if err != nil {
			return fmt.Errorf("nested BeginTx: %w", err)
		}
		x.hand = hand{tx, tx.Tx}
		before.release, before.rollback = tx.Commit, tx.Rollback
	} else {
		x.w.note("savepoint %d", depth)
		name := fmt.Sprintf("s%d", depth)
		run := func(text string) func() error {
			return func() error {
				_, err := x.plain.ExecContext(x.ctx, text+name)
				return err
			}
		}
		if err := run("SAVEPOINT ")(); err != nil {
			return fmt.Errorf("savepoint: %w", err)
		}
		before.release = run("RELEASE SAVEPOINT ")
		before.rollback = run("ROLLBACK TO SAVEPOINT ")
	}
	x.layers = append(x.layers, before)
	return nil
}

// back ends one of the open savepoints, and with it those inside of it.
func (x *txn) back(keep bool) error {
	i := len(x.layers) - 1
	if !x.aborted && x.w.random.IntN(4) == 0 {
		i = x.w.random.IntN(len(x.layers))
	}
	to := x.layers[i]
	x.hand, x.layers = to.hand, x.layers[:i]
	if keep && !x.aborted {
		x.w.note("release of savepoint %d", i+1)
		return to.release()
	}
	x.w.note("rollback to savepoint %d", i+1)
	x.state, x.aborted = to.state, false
	return to.rollback()
}

// fail has a statement refused, from which PostgreSQL recovers at a savepoint alone.
func (x *txn) fail() error {
	x.w.note("a write that fails")
	p := &pen{hand: x.hand, p: x.w.p, l: x.l, s: &x.state, random: x.w.random}
	err := p.fail(x.ctx)
	if errors.Is(err, errNothing) || err != nil {
		return ignoreNothing(err)
	}
	if !x.w.abortsOnError() {
		return nil
	}
	x.aborted = true
	if len(x.layers) > 0 && x.w.random.IntN(2) == 0 {
		return x.back(false)
	}
	return nil
}

// outside looks from outside while the transaction is open: nothing has become wrong, and nothing can be seen.
func (x *txn) outside() error {
	x.w.note("look from outside")
	if err := x.w.compareTokens(x.l, nil); err != nil {
		return fmt.Errorf("before the COMMIT: %w", err)
	}
	return x.w.get(x.l)
}

func ignoreNothing(err error) error {
	if errors.Is(err, errNothing) {
		return nil
	}
	return err
}

// plainOnly is a bun.IDB whose statements run on a plain transaction.
type plainOnly struct {
	*bun.DB
	tx *sql.Tx
}

func (o plainOnly) NewUpdate() *bun.UpdateQuery { return o.DB.NewUpdate().Conn(o.tx) }
func (o plainOnly) NewInsert() *bun.InsertQuery { return o.DB.NewInsert().Conn(o.tx) }
func (o plainOnly) NewDelete() *bun.DeleteQuery { return o.DB.NewDelete().Conn(o.tx) }
func (o plainOnly) NewSelect() *bun.SelectQuery { return o.DB.NewSelect().Conn(o.tx) }
