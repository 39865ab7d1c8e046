package transactions

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// readsBeforeCommit is how often what a transaction is about to change is read while it is open.
const readsBeforeCommit = 100

// setVersionOf writes by bun, whatever its WHERE.
func setVersionOf(ctx context.Context, db bun.IDB, id, version int64) error {
	r, err := db.NewUpdate().Model((*Item)(nil)).Set("version = ?", version).Where("id = ?", id).Exec(ctx)
	return wrote(r, err, 1)
}

// neverOldAgain reads an item again and again while its new version waits for the COMMIT, and once it is there: from
// then on no reader gets the old one.
func neverOldAgain(t *testing.T, d writes.Database) {
	p := newPlace(t, d, setup{})
	ctx := t.Context()
	const id = 10
	_, err := p.admin.NewInsert().Model(&Item{ID: id, Shelf: 1, Version: 1}).Exec(ctx)
	check(t, err)
	rounds := suite.Count(100)
	for round := range int64(rounds) {
		before, after := round+1, round+2
		check(t, p.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			if err := setVersionOf(ctx, tx, id, after); err != nil {
				return err
			}
			var loads int
			for range readsBeforeCommit {
				got, loaded, err := p.version(t.Context(), id)
				if err != nil {
					return err
				}
				if got != before {
					t.Errorf("round %d: before the COMMIT another process got version %d, want %d", round, got, before)
				}
				if loaded {
					loads++
				}
			}
			// Nothing is wrong before the COMMIT: it stays as the round before left it.
			if want := map[bool]int{true: 1}[round == 0]; loads != want {
				t.Errorf("round %d: %d loads in %d reads before the COMMIT, want %d", round, loads, readsBeforeCommit, want)
			}
			return nil
		}))
		for range readsBeforeCommit {
			got, _, err := p.version(ctx, id)
			check(t, err)
			if got != after {
				t.Fatalf("round %d: after the COMMIT another process got version %d, want %d", round, got, after)
			}
		}
		got, err := cacheme.GetFrom(ctx, p.writer, ItemVersion{ID: id}, func(ctx context.Context, v ItemVersion) (int64, error) {
			return versionOf(ctx, p.db, v.ID)
		})
		check(t, err)
		if got != after {
			t.Fatalf("round %d: after the COMMIT the writer got version %d, want %d", round, got, after)
		}
	}
}

// readWriteRead reads through the cache inside a transaction, before and after a write of its own, and rolls back.
// It sees its own rows; nobody else ever does, and all that was cached stays so.
func readWriteRead(t *testing.T, d writes.Database) {
	p := newPlace(t, d, setup{})
	ctx := t.Context()
	const id, beside = 10, 11
	_, err := p.admin.NewInsert().Model(&[]Item{{ID: id, Shelf: 1, Version: 1}, {ID: beside, Shelf: 1, Version: 1}}).Exec(ctx)
	check(t, err)
	for _, warm := range []int64{id, beside} {
		_, _, err := p.version(ctx, warm)
		check(t, err)
	}
	// own reads in the writing process, on the transaction.
	own := func(ctx context.Context, tx bun.IDB, id int64) (int64, error) {
		return cacheme.GetFrom(ctx, p.writer, ItemVersion{ID: id}, func(ctx context.Context, v ItemVersion) (int64, error) {
			return versionOf(ctx, tx, v.ID)
		})
	}
	cached := func(when string) {
		t.Helper()
		for _, other := range []int64{id, beside} {
			got, loaded, err := p.version(ctx, other)
			check(t, err)
			if got != 1 || loaded {
				t.Errorf("%s another process got version %d of item %d, loaded: %v; want 1, from the cache", when, got, other, loaded)
			}
		}
	}
	inside := func(inTx context.Context, tx bun.Tx) error {
		got, err := own(inTx, tx, id)
		if err != nil || got != 1 {
			return fmt.Errorf("before the write the transaction reads version %d, %w", got, err)
		}
		if err := setVersionOf(inTx, tx, id, 666); err != nil {
			return err
		}
		cached("while it is open")
		// With its context; with another one the process's own entry may stand in, for nobody knows of a transaction.
		if inTx != ctx {
			if got, err = own(inTx, tx, id); err != nil || got != 666 {
				return fmt.Errorf("after the write the transaction reads version %d, %w", got, err)
			}
		}
		cached("after the transaction read it")
		return nil
	}
	for _, way := range []struct {
		name string
		run  func(do func(ctx context.Context, tx bun.Tx) error) error
	}{
		{"RunInTx", func(do func(ctx context.Context, tx bun.Tx) error) error {
			return p.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return errors.Join(do(ctx, tx), errUndo) })
		}},
		{"BeginTx, read with the outer context", func(do func(ctx context.Context, tx bun.Tx) error) error {
			tx, err := p.db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			return errors.Join(do(ctx, tx), tx.Rollback(), errUndo)
		}},
		{"a savepoint", func(do func(ctx context.Context, tx bun.Tx) error) error {
			return p.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				return tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return errors.Join(do(ctx, tx), errUndo) })
			})
		}},
	} {
		var failed error
		err := way.run(func(inTx context.Context, tx bun.Tx) error {
			failed = inside(inTx, tx)
			return failed
		})
		if failed != nil || !errors.Is(err, errUndo) {
			t.Errorf("%s: %v, %v", way.name, failed, err)
		}
		cached(way.name + ": after the rollback")
	}
	// A load inside of it that finds nothing cached is not stored, whatever the context.
	tx, err := p.db.BeginTx(ctx, nil)
	check(t, err)
	check(t, p.writer.Invalidate(ctx, ItemChanged{ID: id}))
	check(t, setVersionOf(ctx, tx, id, 666))
	if got, err := own(ctx, tx, id); err != nil || got != 666 {
		t.Errorf("the transaction reads version %d, %v, want its own", got, err)
	}
	if got, loaded, err := p.version(ctx, id); err != nil || got != 1 || !loaded {
		t.Errorf("another process got version %d, loaded: %v, %v; want a load of 1", got, loaded, err)
	}
	check(t, tx.Rollback())
	if got, err := own(ctx, p.db, id); err != nil || got != 1 {
		t.Errorf("after the rollback the writer got version %d, %v, want 1", got, err)
	}
}
