package bunhooks_test

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite/tap"
)

// outage is a Redis that can be away.
type outage struct {
	away      atomic.Bool
	delivered chan struct{}
}

func newOutage() *outage { return &outage{delivered: make(chan struct{}, 1)} }

func (o *outage) redis(_ context.Context, t tap.Trip, send func(...redis.Cmder) error) error {
	if o.away.Load() {
		return &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	}
	return send(t.Cmds...)
}

func (o *outage) observe(_ context.Context, e cacheme.Event) {
	if e.Kind == cacheme.EventDelivered {
		select {
		case o.delivered <- struct{}{}:
		default:
		}
	}
}

// back ends it, and waits until what was kept is delivered and Redis is read from again. Somebody has to ask, for the cache to look.
func (o *outage) back(w *world) {
	w.t.Helper()
	o.away.Store(false)
	delivered := false
	for deadline := time.After(30 * time.Second); ; {
		_, loaded := w.get(background, w.line(2, 1))
		if delivered && !loaded {
			return
		}
		select {
		case <-o.delivered:
			delivered = true
		case <-deadline:
			w.t.Fatal("what was kept is not delivered, or nothing is a hit any more")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestOutage_writes_are_committed_and_invalidated_on_return(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		options []bunhooks.Option
	}{{"fenced", nil}, {"after commit", []bunhooks.Option{bunhooks.AfterCommit()}}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := newOutage()
			w := newWorld(t, setup{options: c.options, redis: o.redis, cache: cacheme.Options{Observer: o.observe}})
			all := w.all()
			w.warm(all...)
			o.away.Store(true)
			w.must(w.exec("UPDATE books SET title = 'alone' WHERE id = 3")())
			w.must(w.inTx((*sql.Tx).Commit, "UPDATE books SET author_id = 5 WHERE id = 1")())
			w.must(w.inTx((*sql.Tx).Rollback, "UPDATE lines SET text = 'never'")())
			w.fresh("while it is away", all...)
			o.back(w)
			loaded := w.fresh("on return", all...)
			for _, e := range []entry{w.book(1), w.book(3), w.list(1), w.list(2), w.list(5)} {
				if !loaded[e.name] {
					t.Errorf("%s stayed", e.name)
				}
			}
			if loaded[w.line(1, 1).name] {
				t.Error("what was rolled back became wrong")
			}
		})
	}
}

func TestRefuseOnOutage_rolls_back_what_cannot_be_told(t *testing.T) {
	t.Parallel()
	o := newOutage()
	w := newWorld(t, setup{options: []bunhooks.Option{bunhooks.RefuseOnOutage()}, redis: o.redis, cache: cacheme.Options{Observer: o.observe}})
	w.makesWrong("while Redis is there", w.exec("UPDATE books SET title = 'new' WHERE id = 1"), w.all(), w.book(1), w.list(1))
	before, err := read(background, w.plain, "SELECT * FROM books")
	w.must(err)
	o.away.Store(true)
	for name, write := range map[string]func() error{
		"a statement of its own":   w.exec("UPDATE books SET title = 'never' WHERE id = 1"),
		"a statement that is wide": w.exec("REPLACE INTO books VALUES (1, 'never', 1)"),
		"a transaction":            w.inTx((*sql.Tx).Commit, "UPDATE books SET title = 'never' WHERE id = 1", "DELETE FROM books WHERE id = 2"),
		"several in one text":      w.exec("UPDATE books SET title = 'never' WHERE id = 1; DELETE FROM books"),
		"a COMMIT by text":         w.byText("UPDATE books SET title = 'never' WHERE id = 1"),
		"a statement with RETURNING": func() error {
			_, err := read(background, w.db.DB, "UPDATE books SET title = 'never' WHERE id = 1 RETURNING id")
			return err
		},
	} {
		if err := write(); !errors.Is(err, bunhooks.ErrRefused) {
			t.Errorf("%s: %v, want ErrRefused", name, err)
		}
		if after, err := read(background, w.plain, "SELECT * FROM books"); after != before || err != nil {
			t.Errorf("%s: the database has %q, %v, want %q as before", name, after, err, before)
		}
	}
	w.must(w.exec("UPDATE authors SET name = 'Cid'")())
	w.must(w.inTx((*sql.Tx).Rollback, "DELETE FROM books")())
	w.must(w.inTx((*sql.Tx).Commit, "SELECT 1")())
	o.away.Store(false)
	deadline := time.Now().Add(30 * time.Second)
	for err := w.exec("UPDATE books SET title = 'again' WHERE id = 1")(); err != nil; err = w.exec("UPDATE books SET title = 'again' WHERE id = 1")() {
		if !errors.Is(err, bunhooks.ErrRefused) || time.Now().After(deadline) {
			t.Fatalf("after its return: %v", err)
		}
		w.get(background, w.line(1, 1))
	}
	w.fresh("after its return", w.all()...)
}

// byText runs texts between BEGIN and COMMIT that are texts themselves.
func (w *world) byText(texts ...string) func() error {
	return func() error {
		c, err := w.db.DB.Conn(background)
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		for _, text := range append(append([]string{"BEGIN"}, texts...), "COMMIT") {
			if _, err := c.ExecContext(background, text); err != nil {
				return err
			}
		}
		return nil
	}
}
