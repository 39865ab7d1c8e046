package bunhooks_test

import (
	"context"
	"errors"
	"testing"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
)

func TestLoads_in_a_transaction_are_not_stored(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]bunhooks.Option{"fenced": nil, "after commit": {bunhooks.AfterCommit()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{options: options})
			e := w.book(1)
			dirty, err := e.get(background, func(ctx context.Context) (string, error) {
				tx, err := w.db.BeginTx(ctx, nil)
				if err != nil {
					return "", err
				}
				defer func() { w.must(tx.Rollback()) }()
				if _, err := tx.ExecContext(ctx, "UPDATE books SET title = 'dirty' WHERE id = 1"); err != nil {
					return "", err
				}
				return read(ctx, tx, e.query)
			})
			if dirty != "dirty,1,;" || err != nil {
				t.Errorf("Get() = %q, %v, want what its own loader read", dirty, err)
			}
			if _, loaded := w.get(background, e); !loaded {
				t.Error("a value that was read in a transaction was stored")
			}
			w.warm(e)
		})
	}
}

func TestLoads_on_a_connection_with_a_transaction_by_text_are_not_stored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	e := w.book(1)
	c, err := w.db.DB.Conn(background)
	w.must(err)
	defer func() { _ = c.Close() }()
	_, err = c.ExecContext(background, "BEGIN")
	w.must(err)
	load := func(ctx context.Context) (string, error) { return read(ctx, c, e.query) }
	for range 2 {
		if _, err := e.get(background, load); err != nil {
			t.Error(err)
		}
	}
	_, err = c.ExecContext(background, "COMMIT")
	w.must(err)
	if _, loaded := w.get(background, e); !loaded {
		t.Error("a value that was read in a transaction was stored")
	}
	w.warm(e)
	if _, err := e.get(background, func(context.Context) (string, error) { return "", errors.New("not cached") }); err != nil {
		t.Error(err)
	}
}

func TestGet_with_the_context_of_a_transaction_leaves_the_cache_alone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	w.warm(w.all()...)
	inside := func(ctx context.Context, tx bun.Tx) string {
		text, err := w.book(1).get(ctx, func(ctx context.Context) (string, error) { return read(ctx, tx, w.book(1).query) })
		w.must(err)
		return text
	}
	cancel := errors.New("roll back")
	err := w.db.RunInTx(background, nil, func(ctx context.Context, tx bun.Tx) error {
		if got := inside(ctx, tx); got != "a,1,;" {
			t.Errorf("before the write it reads %q", got)
		}
		_, err := tx.NewUpdate().Model((*Book)(nil)).Set("title = 'mine'").Where("id = 1").Exec(ctx)
		w.must(err)
		if got := inside(ctx, tx); got != "mine,1,;" {
			t.Errorf("after its own write it reads %q", got)
		}
		if loaded := w.fresh("others meanwhile", w.all()...); len(loaded) > 0 {
			t.Errorf("others have loaded %v", loaded)
		}
		return cancel
	})
	if !errors.Is(err, cancel) {
		t.Error(err)
	}
	if loaded := w.fresh("after the rollback", w.all()...); len(loaded) > 0 {
		t.Errorf("a rollback made wrong %v", loaded)
	}
}

func TestLoads_that_write_are_stored_by_the_next_one(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	e := w.book(1)
	seen := func(ctx context.Context) (string, error) {
		_, err := w.db.NewUpdate().Model((*Book)(nil)).Set("title = title || '+'").Where("id = 1").Exec(ctx)
		return "stands before its own write", err
	}
	if _, err := e.get(background, seen); err != nil {
		t.Error(err)
	}
	if loaded := w.fresh("after a load that made itself wrong", e); len(loaded) != 1 {
		t.Error("its value was kept")
	}
	w.warm(e, w.list(1))
	if _, err := w.list(2).get(background, seen); err != nil {
		t.Error(err)
	}
	if loaded := w.fresh("after a load that made others wrong", e, w.list(1)); len(loaded) != 2 {
		t.Errorf("loaded %v, want both", loaded)
	}
}

func TestRows_read_in_a_transaction_do_not_stand_in_the_way_of_its_writes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	w.makesWrong("a write between rows", func() error {
		tx, err := w.db.BeginTx(background, nil)
		if err != nil {
			return err
		}
		rows, err := tx.QueryContext(background, "SELECT book_id FROM lines ORDER BY number")
		if err != nil {
			return err
		}
		var ids []int64
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			if ids = append(ids, id); len(ids) == 1 {
				if _, err := tx.ExecContext(background, "UPDATE books SET author_id = 5 WHERE id = 2"); err != nil {
					return err
				}
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil || len(ids) != 3 {
			t.Errorf("read %v, %v, want 3 rows", ids, err)
		}
		return tx.Commit()
	}, w.all(), w.book(2), w.list(1), w.list(5))
}

func TestObserver_that_panics_does_not_fail_a_write(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{cache: cacheme.Options{Observer: func(context.Context, cacheme.Event) { panic("observer") }}})
	w.makesWrong("a write", w.exec("UPDATE books SET title = 'new' WHERE id = 1"), w.all(), w.book(1), w.list(1))
}
