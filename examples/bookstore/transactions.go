package main

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
)

// job is what is to be written, and under which number.
type job struct {
	write   write
	besides []write // also, where the manner has room for it
	version int64
}

// manner is how a write meets a transaction.
type manner struct {
	name string
	run  func(ctx context.Context, s *shop, j job) error
}

// errUndone is why a transaction is rolled back here.
var errUndone = errors.New("undone")

// The manners.
var (
	// alone: the statement is its own transaction.
	alone = manner{"autocommit", func(ctx context.Context, s *shop, j job) error {
		return j.write.do(ctx, hand{s.db, s.db.DB}, j.version)
	}}

	inTx = manner{"RunInTx", func(ctx context.Context, s *shop, j job) error {
		return s.db.RunInTx(ctx, nil, j.all)
	}}

	// byHand begins and commits by hand, and its statements know the transaction by their connection alone.
	byHand = manner{"BeginTx", func(ctx context.Context, s *shop, j job) error {
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err := j.all(ctx, tx); err != nil {
			return errors.Join(err, tx.Rollback())
		}
		return tx.Commit()
	}}

	nested = manner{"savepoint", func(ctx context.Context, s *shop, j job) error {
		return s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			if err := j.first(ctx, tx); err != nil {
				return err
			}
			return tx.RunInTx(ctx, nil, j.others)
		})
	}}

	// innerUndone: what was written besides is taken back, and the rest is committed.
	innerUndone = manner{"savepoint undone", func(ctx context.Context, s *shop, j job) error {
		return s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			err := tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				return errors.Join(j.others(ctx, tx), errUndone)
			})
			if !errors.Is(err, errUndone) {
				return err
			}
			return j.first(ctx, tx)
		})
	}}

	// undone: everything is taken back; and somebody who asked meanwhile, inside the transaction, got what never was.
	undone = manner{"rollback", func(ctx context.Context, s *shop, j job) error {
		err := s.db.RunInTx(ctx, nil, func(inside context.Context, tx bun.Tx) error {
			if err := j.all(inside, tx); err != nil {
				return err
			}
			const hot = 8
			node := BookByID{ID: 1 + j.version%hot}
			if _, err := cacheme.GetFrom(ctx, s.cache, node, loaders{tx}.book); err != nil && !errors.Is(err, cacheme.ErrNotFound) {
				return err
			}
			return errUndone
		})
		return err
	}}
)

var manners = []manner{alone, inTx, byHand, nested, innerUndone, undone}

func (j job) first(ctx context.Context, tx bun.Tx) error {
	return j.write.do(ctx, hand{tx, tx.Tx}, j.version)
}

func (j job) others(ctx context.Context, tx bun.Tx) error {
	for _, w := range j.besides {
		if err := w.do(ctx, hand{tx, tx.Tx}, j.version); err != nil {
			return err
		}
	}
	return nil
}

func (j job) all(ctx context.Context, tx bun.Tx) error {
	if err := j.first(ctx, tx); err != nil {
		return err
	}
	return j.others(ctx, tx)
}
