package transactions

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/internal/suite/writes"
)

// worker is one goroutine that plays histories on lots of its own.
type worker struct {
	p      *place
	ctx    context.Context
	random *rand.Rand
	budget *atomic.Int64 // of writes, shared
	kinds  []kind
	lots   []*lot // two for transactions, one for what is written beside them
	next   int64  // id of the next lot
	wrote  int64  // versions given out
	log    []string
	counts counts
}

// counts is what a worker did.
type counts struct {
	writes, committed, undone, doubtful, missing, extra int
}

// lotsOfWorker keeps ids of workers apart.
const lotsOfWorker = 1 << 20

func newWorker(p *place, number int64, seed uint64, budget *atomic.Int64) *worker {
	w := &worker{p: p, random: rand.New(rand.NewPCG(seed, uint64(number))), budget: budget, next: (number + 1) * lotsOfWorker}
	for _, k := range kinds() {
		if k.in == 0 || k.in&p.Dialect != 0 {
			w.kinds = append(w.kinds, k)
		}
	}
	return w
}

func (w *worker) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

func (w *worker) abortsOnError() bool { return w.p.Dialect == writes.Postgres }

// newLot puts a new lot in the place of one.
func (w *worker) newLot(i int) error {
	l, err := w.p.newLot(w.ctx, w.next)
	w.next += itemsOfLot
	w.lots[i] = l
	return err
}

// run plays histories until the budget is used up.
func (w *worker) run(ctx context.Context) error {
	w.ctx = ctx
	w.lots = make([]*lot, 3)
	for i := range w.lots {
		if err := w.newLot(i); err != nil {
			return err
		}
	}
	for w.budget.Load() > 0 {
		w.log = w.log[:0]
		if err := w.history(); err != nil {
			return fmt.Errorf("%w\nafter:\n  %s", err, strings.Join(w.log, "\n  "))
		}
	}
	return nil
}

// history is one transaction or several that have to do with each other.
func (w *worker) history() error {
	alone := w.p.Dialect == writes.SQLite // one writer at a time
	switch n := w.random.IntN(10); {
	case n == 0:
		return w.autocommit(w.lots[2], false)
	case n == 1:
		return w.runInTx(w.lots[0])
	case n < 5 && !alone:
		// MariaDB locks gaps beside what it looks at: two transactions of one goroutine would wait for each other.
		return w.interleaved(w.p.Dialect == writes.MariaDB)
	case n == 5 && !alone:
		return w.beside(w.p.Dialect == writes.MariaDB)
	default:
		return w.single(false)
	}
}

// write does one write of a random kind.
func (w *worker) write(ctx context.Context, h hand, l *lot, s *state, narrow bool) error {
	for {
		k := w.kinds[w.random.IntN(len(w.kinds))]
		if k.wide && narrow {
			continue
		}
		w.wrote++
		p := &pen{hand: h, p: w.p, l: l, s: s, random: w.random, version: w.wrote + 1}
		err := k.do(ctx, p)
		if errors.Is(err, errNothing) {
			if len(s.rows) == 0 && narrow {
				return nil
			}
			continue
		}
		w.note("%s in lot %d", k.name, l.first)
		w.counts.writes++
		w.budget.Add(-1)
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		return nil
	}
}

// autocommit writes without a transaction.
func (w *worker) autocommit(l *lot, narrow bool) error {
	w.note("autocommit")
	s := state{l.rows, map[string]bool{}}.clone()
	seen := &seen{lot: l}
	if err := w.write(context.WithValue(w.ctx, seenKey{}, seen), hand{w.p.db, w.p.db.DB}, l, &s, narrow); err != nil {
		return err
	}
	return w.committed(l, s, seen)
}

// single plays one transaction.
func (w *worker) single(narrow bool) error {
	x, err := w.begin(w.lots[0])
	if err != nil {
		return err
	}
	for range w.random.IntN(10) {
		if err := x.step(narrow); err != nil {
			return errors.Join(err, x.abandon())
		}
	}
	return w.finish(x, 0)
}

// interleaved plays two transactions in turn.
func (w *worker) interleaved(narrow bool) error {
	w.note("two at once")
	a, err := w.begin(w.lots[0])
	if err != nil {
		return err
	}
	b, err := w.begin(w.lots[1])
	if err != nil {
		return errors.Join(err, a.abandon())
	}
	for range 2 + w.random.IntN(14) {
		x := a
		if w.random.IntN(2) == 0 {
			x = b
		}
		if err := x.step(narrow); err != nil {
			return errors.Join(err, a.abandon(), b.abandon())
		}
	}
	if err := w.finish(a, 0); err != nil {
		return errors.Join(err, b.abandon())
	}
	if !narrow && w.random.IntN(2) == 0 {
		if err := b.step(narrow); err != nil {
			return errors.Join(err, b.abandon())
		}
	}
	return w.finish(b, 1)
}

// beside writes on a second connection with the transaction's context: it is committed at once.
func (w *worker) beside(narrow bool) error {
	x, err := w.begin(w.lots[0])
	if err != nil {
		return err
	}
	for range 1 + w.random.IntN(4) {
		err := x.step(narrow)
		if err == nil {
			w.note("on a second connection with the transaction's context:")
			l := w.lots[2]
			s, seen := state{l.rows, map[string]bool{}}.clone(), &seen{lot: l}
			if err = w.write(context.WithValue(x.ctx, seenKey{}, seen), hand{w.p.db, w.p.db.DB}, l, &s, narrow); err == nil {
				err = w.committed(l, s, seen)
			}
		}
		if err != nil {
			return errors.Join(err, x.abandon())
		}
	}
	return w.finish(x, 0)
}

var errUndo = errors.New("undo")

// runInTx plays a transaction by callbacks.
func (w *worker) runInTx(l *lot) error {
	w.note("RunInTx")
	s, seen := state{l.rows, map[string]bool{}}.clone(), &seen{lot: l}
	err := w.p.db.RunInTx(context.WithValue(w.ctx, seenKey{}, seen), nil, func(ctx context.Context, tx bun.Tx) error {
		return w.level(ctx, tx, l, &s, 0)
	})
	switch {
	case errors.Is(err, errUndo):
		return w.undone(l, seen)
	case err != nil:
		return err
	default:
		return w.committed(l, s, seen)
	}
}

// level is one callback, in which others may be nested.
func (w *worker) level(ctx context.Context, tx bun.Tx, l *lot, s *state, depth int) error {
	for range 1 + w.random.IntN(4) {
		if depth < maxDepth && w.random.IntN(3) == 0 {
			before := s.clone()
			w.note("RunInTx, level %d", depth+1)
			err := tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return w.level(ctx, tx, l, s, depth+1) })
			switch {
			case errors.Is(err, errUndo):
				w.note("level %d is undone", depth+1)
				*s = before
			case err != nil:
				return err
			}
			continue
		}
		if err := w.write(ctx, hand{tx, tx.Tx}, l, s, false); err != nil {
			return err
		}
	}
	if w.random.IntN(3) == 0 {
		return errUndo
	}
	return nil
}

// get reads some items of a lot as another process does: never anything but what is committed.
func (w *worker) get(l *lot) error {
	ids := []int64{l.first + w.random.Int64N(itemsOfLot), l.first + w.random.Int64N(itemsOfLot)}
	for _, id := range slices.Compact(ids) {
		got, _, err := w.p.version(w.ctx, id)
		if err != nil {
			return err
		}
		if want := l.rows[id].Version; got != want {
			return fmt.Errorf("item %d is version %d for another process, want %d", id, got, want)
		}
	}
	return nil
}
