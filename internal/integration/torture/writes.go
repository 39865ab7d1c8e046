package torture

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
)

// stroke is one write: what it does under its stamp. What it takes back it has written under the other one, which
// nobody may ever see.
type stroke struct {
	stamp, other int64
	ids          []int64 // of things, in rising order: whoever writes several takes them in this order
	dice         *rand.Rand
}

func (s *stroke) thing() int64 { return s.ids[0] }

// deed is a way to write.
type deed struct {
	name   string
	weight int
	stamps extent
	do     func(ctx context.Context, p *process, s *stroke) error
}

func (d deed) is() (string, int) { return d.name, d.weight }

// extent is which of a stroke's things a deed stamps.
type extent int

const (
	no extent = iota
	first
	every
)

// of are those.
func (e extent) of(ids []int64) []int64 {
	switch e {
	case first:
		return ids[:1]
	case every:
		return ids
	default:
		return nil
	}
}

// errUndone is why a transaction is rolled back here.
var errUndone = errors.New("undone")

// deeds are all of them.
var deeds = []deed{
	{"a statement", 6, first, func(ctx context.Context, p *process, s *stroke) error {
		return stampThing(ctx, p.db, s.thing(), s.stamp)
	}},
	{"plain SQL", 3, first, func(ctx context.Context, p *process, s *stroke) error {
		_, err := p.db.DB.ExecContext(ctx, p.text("UPDATE things SET stamp = ? WHERE id = ?"), s.stamp, s.thing())
		return err
	}},
	{"RunInTx", 4, every, func(ctx context.Context, p *process, s *stroke) error {
		return p.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return stampAll(ctx, tx, s.ids, s.stamp) })
	}},
	{"BeginTx", 3, every, byHand},
	{"where", 2, every, func(ctx context.Context, p *process, s *stroke) error {
		_, err := p.db.NewUpdate().Model((*Thing)(nil)).Set("stamp = ?", s.stamp).Where("id IN (?)", bun.List(s.ids)).Exec(ctx)
		return err
	}},
	{"another label", 3, first, func(ctx context.Context, p *process, s *stroke) error {
		_, err := p.db.NewUpdate().Model((*Thing)(nil)).Set("stamp = ?", s.stamp).Set("label = ?", 1+s.dice.IntN(labels)).
			Where("id = ?", s.thing()).Exec(ctx)
		return err
	}},
	{"rollback", 3, no, func(ctx context.Context, p *process, s *stroke) error {
		return p.db.RunInTx(ctx, nil, func(inside context.Context, tx bun.Tx) error {
			if err := stampAll(inside, tx, s.ids, s.other); err != nil {
				return err
			}
			// Somebody in the transaction reads what never will be: nobody else may get that, whichever context he has.
			asks := inside
			if s.dice.IntN(2) == 0 {
				asks = ctx
			}
			_, err := cacheme.GetFrom(asks, p.cache, One{ID: s.thing()}, func(ctx context.Context, n One) (Seen, error) {
				return loadRow[Thing](ctx, p, tx, thingIs, n.ID)
			})
			p.pause(atCommit)
			return errors.Join(err, errUndone)
		})
	}},
	{"savepoint undone", 2, every, func(ctx context.Context, p *process, s *stroke) error {
		return p.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			err := tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				return errors.Join(stampAll(ctx, tx, s.ids, s.other), errUndone)
			})
			if !errors.Is(err, errUndone) {
				return err
			}
			return stampAll(ctx, tx, s.ids, s.stamp)
		})
	}},
	{"a place more or less", 4, no, replace},
	{"a note more or less", 3, no, renote},
	{"by hand", 4, no, handmade},
}

func stampThing(ctx context.Context, db bun.IDB, id, stamp int64) error {
	_, err := db.NewUpdate().Model((*Thing)(nil)).Set("stamp = ?", stamp).Where("id = ?", id).Exec(ctx)
	return err
}

func stampAll(ctx context.Context, db bun.IDB, ids []int64, stamp int64) error {
	for _, id := range ids {
		if err := stampThing(ctx, db, id, stamp); err != nil {
			return err
		}
	}
	return nil
}

// byHand begins and commits by hand.
func byHand(ctx context.Context, p *process, s *stroke) error {
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := stampAll(ctx, tx, s.ids, s.stamp); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// replace puts a thing on a shelf, or takes it away.
func replace(ctx context.Context, p *process, s *stroke) error {
	return moreOrLess(ctx, p, &Place{User: draw(s.dice, users), Thing: s.thing(), Stamp: s.stamp}, true)
}

// renote writes a note, or takes it away.
func renote(ctx context.Context, p *process, s *stroke) error {
	return moreOrLess(ctx, p, &Note{ID: draw(s.dice, notes), Stamp: s.stamp}, s.dice.IntN(2) == 0)
}

// moreOrLess stamps a row, or inserts it where it is not there; one that was there goes, if less. What goes is stamped
// first, so that the witness knows whose deed it was.
func moreOrLess(ctx context.Context, p *process, row any, less bool) error {
	return p.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		r, err := tx.NewUpdate().Model(row).Column("stamp").WherePK().Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			_, insert := tx.NewInsert().Model(row).On("CONFLICT DO NOTHING").Exec(ctx)
			return errors.Join(err, insert)
		}
		if less {
			_, err = tx.NewDelete().Model(row).WherePK().Exec(ctx)
		}
		return err
	})
}

// handmade writes where nobody watches, and says so.
func handmade(ctx context.Context, p *process, s *stroke) error {
	id := draw(s.dice, bares)
	if _, err := p.db.NewUpdate().Model((*Bare)(nil)).Set("stamp = ?", s.stamp).Where("id = ?", id).Exec(ctx); err != nil {
		return err
	}
	return keptIsDone(p.cache.Remove(ctx, Exact{ID: id}), p.cache.Invalidate(ctx, cacheme.Class[Classed]()))
}

// keptIsDone takes an invalidation that is kept for one that is done: the process tells of it in another way.
func keptIsDone(errs ...error) error {
	for i, err := range errs {
		if _, kept := errors.AsType[*cacheme.UndeliveredError](err); kept {
			errs[i] = nil
		}
	}
	return errors.Join(errs...)
}
