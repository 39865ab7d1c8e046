package bunhooks_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
)

// newOutbox makes an Outbox that does nothing by itself, with its table in the world's database.
func newOutbox(w *world) *bunhooks.Outbox {
	w.t.Helper()
	o := bunhooks.NewOutbox(bunhooks.OutboxOptions{Interval: -1, Grace: time.Hour})
	w.must(o.Create(background, bun.NewDB(w.plain, sqlitedialect.New())))
	w.t.Cleanup(func() {
		if err := o.Close(background); err != nil {
			w.t.Errorf("Close() = %v", err)
		}
	})
	return o
}

func (w *world) outboxRows() string {
	w.t.Helper()
	rows, err := read(background, w.plain, "SELECT wrote FROM cacheme_outbox ORDER BY id")
	w.must(err)
	return rows
}

func TestWithOutbox_wants_its_table_and_wrapped_connections(t *testing.T) {
	t.Parallel()
	install := func(w *world, s setup, o *bunhooks.Outbox) error {
		pool := sql.OpenDB(w.connector(s))
		t.Cleanup(func() { _ = pool.Close() })
		_, err := bunhooks.Install(bun.NewDB(pool, sqlitedialect.New()), w.cache, w.log.option(), bunhooks.WithOutbox(o))
		return err
	}
	refused := func(err error, want string) {
		t.Helper()
		if e := (*bunhooks.InstallError)(nil); !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("Install() = %v, want an *InstallError with %q", err, want)
		}
	}
	w := newBareWorld(t, setup{})
	refused(install(w, setup{}, bunhooks.NewOutbox(bunhooks.OutboxOptions{})), "Migrations.MustRegister(outbox.Create, outbox.Drop)")
	o := newOutbox(w)
	refused(install(w, setup{unwrapped: true}, o), "wrapped connections")
	w.must(install(w, setup{}, o))
	refused(install(w, setup{}, o), "installed already")
	refused(install(newBareWorld(t, setup{}), setup{}, o), "installed already") // of a database without its table too
	_, _, err := o.Triggers(background, bun.NewDB(w.plain, sqlitedialect.New()), w.cache)
	refused(err, "PostgreSQL")
}

func TestOutbox_that_is_not_installed_does_nothing(t *testing.T) {
	t.Parallel()
	o := bunhooks.NewOutbox(bunhooks.OutboxOptions{})
	if err := o.Close(background); err != nil {
		t.Errorf("Close() = %v", err)
	}
	if _, err := o.Relay(background); err == nil {
		t.Error("Relay() = nil")
	}
	if _, _, err := o.Depth(background); err == nil {
		t.Error("Depth() = nil")
	}
}

// works waits until an Outbox of any test works in the background, or none does.
func works(t *testing.T, want bool) {
	t.Helper()
	stacks := make([]byte, 4<<20)
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("(*Outbox).work(")) == want {
			return
		}
	}
	t.Errorf("in 30 s it did not come to this: an Outbox works: %v", want)
}

func TestOutbox_ends_with_its_database_or_its_cache(t *testing.T) { //nolint:paralleltest // it looks at all goroutines
	for name, end := range map[string]func(*world) error{
		"the database": func(w *world) error { return w.db.Close() },
		"the cache":    func(w *world) error { return w.cache.Close(background) },
	} {
		w := newBareWorld(t, setup{})
		o := bunhooks.NewOutbox(bunhooks.OutboxOptions{Interval: time.Millisecond, Grace: time.Millisecond})
		w.must(o.Create(background, bun.NewDB(w.plain, sqlitedialect.New())))
		w.open(setup{options: []bunhooks.Option{bunhooks.WithOutbox(o)}})
		works(t, true)
		w.must(end(w))
		_, err := w.plain.ExecContext(background, "INSERT INTO cacheme_outbox VALUES ('0', 0, 'CM:', NULL, '[]', '{}')")
		w.must(err)
		works(t, false)
		ctx, cancel := context.WithTimeout(background, 10*time.Second)
		if err := o.Close(ctx); err != nil {
			t.Errorf("%s: Close() = %v", name, err)
		}
		if err := o.Close(ctx); err != nil {
			t.Errorf("%s: Close() again = %v", name, err)
		}
		cancel()
	}
}

// However much a process writes, it tells Redis of what others have left.
func TestOutbox_of_a_busy_process_looks_for_rows(t *testing.T) {
	t.Parallel()
	w := newBareWorld(t, setup{})
	o := bunhooks.NewOutbox(bunhooks.OutboxOptions{Interval: 2 * time.Second, Grace: time.Hour})
	w.must(o.Create(background, bun.NewDB(w.plain, sqlitedialect.New())))
	_, err := w.plain.ExecContext(background, "INSERT INTO cacheme_outbox VALUES ('0', 0, 'CM:', NULL, '[\"books\"]', '{}')")
	w.must(err)
	w.open(setup{options: []bunhooks.Option{bunhooks.WithOutbox(o)}})
	for end := time.Now().Add(30 * time.Second); o.Stats().Relayed == 0 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for range 250 {
			o.Told("1") // which is to be deleted at once, when there are so many
		}
	}
	if s := o.Stats(); s.Relayed != 1 {
		t.Errorf("Stats() = %+v, want the row told", s)
	}
	w.must(o.Close(background))
}

func TestOutbox_that_cannot_be_written_fails_no_write(t *testing.T) {
	t.Parallel()
	w := newBareWorld(t, setup{})
	o := newOutbox(w)
	w.open(setup{options: []bunhooks.Option{bunhooks.WithOutbox(o)}})
	_, err := w.plain.ExecContext(background, "DROP TABLE cacheme_outbox")
	w.must(err)
	all := w.all()
	w.makesWrong("alone", w.exec("UPDATE books SET title = 'new' WHERE id = 1"), all, w.book(1), w.list(1))
	w.makesWrong("in a transaction", w.inTx((*sql.Tx).Commit, "UPDATE books SET title = 'new' WHERE id = 3"), all, w.book(3), w.list(2))
	if n := w.log.count("cannot write a row of its outbox"); n != 1 {
		t.Errorf("%d warnings, want 1", n)
	}
	if n := o.Stats().Refused; n != 2 {
		t.Errorf("%d rows refused, want 2", n)
	}
}

func TestRefuseOnOutage_refuses_what_the_outbox_does(t *testing.T) {
	t.Parallel()
	w := newBareWorld(t, setup{})
	o := newOutbox(w)
	w.open(setup{options: []bunhooks.Option{bunhooks.WithOutbox(o), bunhooks.RefuseOnOutage()}})
	_, err := w.plain.ExecContext(background, "DROP TABLE cacheme_outbox")
	w.must(err)
	for what, write := range map[string]func() error{
		"alone":            w.exec("UPDATE books SET title = 'never' WHERE id = 1"),
		"in a transaction": w.inTx((*sql.Tx).Commit, "UPDATE books SET title = 'never' WHERE id = 3"),
	} {
		if err := write(); !errors.Is(err, bunhooks.ErrRefused) {
			t.Errorf("%s: %v, want ErrRefused", what, err)
		}
	}
	if n, err := read(background, w.plain, "SELECT count(*) FROM books WHERE title = 'never'"); n != "0,;" || err != nil {
		t.Errorf("%s of what was refused is there, %v", n, err)
	}
}

func TestOutbox_changes_nothing_that_the_program_sees(t *testing.T) {
	t.Parallel()
	w := newBareWorld(t, setup{})
	o := newOutbox(w)
	w.open(setup{options: []bunhooks.Option{bunhooks.WithOutbox(o)}})
	c, err := w.db.DB.Conn(background)
	w.must(err)
	defer c.Close()
	r, err := c.ExecContext(background, "INSERT INTO books (title, author_id) VALUES ('new', 1)")
	w.must(err)
	id, err := r.LastInsertId()
	if n, _ := r.RowsAffected(); id != 4 || n != 1 || err != nil {
		t.Errorf("LastInsertId() = %d, %v, RowsAffected() = %d", id, err, n)
	}
	if got, err := read(background, c, "SELECT last_insert_rowid()"); got != "4,;" || err != nil {
		t.Errorf("last_insert_rowid() = %s, %v, want 4", got, err)
	}
	if got := w.outboxRows(); got != `["books"],;` {
		t.Errorf("the outbox has %s", got)
	}
}

func TestOutbox_keeps_what_is_its_own_COMMIT(t *testing.T) {
	t.Parallel()
	out := newOutage()
	w := newBareWorld(t, setup{redis: out.redis, cache: cacheme.Options{Observer: out.observe}})
	o := newOutbox(w)
	w.open(setup{options: []bunhooks.Option{bunhooks.WithOutbox(o)}})
	text := "BEGIN; UPDATE books SET title = 'new' WHERE id = 1; COMMIT"
	w.must(w.exec(text)())
	_, err := o.Relay(background)
	w.must(err)
	if got := w.outboxRows(); got != "" {
		t.Errorf("once Redis is told the outbox has %s", got)
	}
	out.away.Store(true)
	w.must(w.exec(text)())
	// One from before it, which may have been told too early, and one from after it.
	if got := w.outboxRows(); got != `["books"],;["books"],;` {
		t.Errorf("while Redis is away the outbox has %s", got)
	}
	out.back(w)
}
