package main

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
)

// work is what happens inside one transaction. It notes in w which rows it wrote.
type work func(ctx context.Context, tx bun.Tx, w *written) error

// witness watches the writes for the checker. The shop itself does not need one.
type witness interface {
	// nextVersion is greater than any before.
	nextVersion() int64
	// commits is told what is about to be committed, and returns what to call once the write has returned.
	commits(w *written) (returned func())
}

// write does work in a transaction, and makes wrong in the cache what depends on the rows that it wrote.
//
// This is the one place where the cache is told of writes by hand. The hold stands on both sides of the COMMIT: while
// it does nobody trusts, or stores, what the COMMIT is about to change; so a reader sees the new rows as soon as write
// has returned, and a process that dies in between leaves nothing old behind.
func (s *shop) write(ctx context.Context, do work) (*written, error) {
	return s.transact(ctx, do, func(tx bun.Tx, hold *cacheme.Hold, w *written) error {
		returned := s.witness.commits(w)
		err := tx.Commit()
		if err = errors.Join(err, hold.End(ctx, err)); err == nil {
			returned()
		}
		return err
	})
}

// abandon does work in a transaction and takes it back at the last moment: nothing has become wrong.
func (s *shop) abandon(ctx context.Context, do work) (*written, error) {
	return s.transact(ctx, do, func(tx bun.Tx, hold *cacheme.Hold, _ *written) error {
		return errors.Join(tx.Rollback(), hold.Rollback(ctx))
	})
}

func (s *shop) transact(ctx context.Context, do work, end func(bun.Tx, *cacheme.Hold, *written) error) (*written, error) {
	tx, err := s.db.writer.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	w := &written{version: s.witness.nextVersion()}
	if err := do(ctx, tx, w); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	hold, err := s.cache.Hold(ctx, w.invalids()...)
	if err != nil {
		// Part of the hold may stand; it lapses by itself, and costs a load.
		return nil, errors.Join(err, tx.Rollback())
	}
	return w, end(tx, hold, w)
}
