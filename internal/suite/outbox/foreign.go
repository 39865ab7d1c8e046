package outbox

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// knowsLess has the rows of triggers relayed by processes of another version: one that has not all nodes of the table, and one that
// has none of it.
func knowsLess(t *testing.T, d writes.Database) {
	w, p := withTriggers(t, d)
	for name, declared := range map[string][]cacheme.Declaration{
		"without a column":  {PaperChanged{}, PaperText{}},
		"without the table": {},
	} {
		less := w.startOf(declared, byHand, 0)
		p.warm()
		w.exec(w.admin, "UPDATE outbox_papers SET desk = 3 - desk, text = '"+name+"' WHERE id = 2")
		if n := less.relay(); n != 1 {
			t.Errorf("%s: %d rows were told, want 1", name, n)
		}
		p.isFresh("told by a process " + name)
	}
	p.warm()
	less := w.startOf([]cacheme.Declaration{PaperChanged{}, PaperText{}}, byHand, 0)
	w.exec(less.db, "UPDATE outbox_papers SET desk = 3 - desk WHERE id = 2")
	for p.relay() > 0 {
		continue
	}
	p.isFresh("written by a process that has not all nodes")
}

// madeAnew makes the triggers anew while others write: no write is missed, or everything is wrong after it.
func madeAnew(t *testing.T, d writes.Database) {
	w, p := withTriggers(t, d)
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	p.warm()
	before := w.rows()
	wrote := make(chan int)
	go func() {
		n := 0
		defer func() { wrote <- n }()
		for ctx.Err() == nil {
			if _, err := w.admin.DB.Exec(fmt.Sprintf("UPDATE outbox_papers SET text = '%d' WHERE id = 1", n)); err != nil {
				t.Errorf("write %d: %v", n, err)
				return
			}
			n++
			time.Sleep(100 * time.Microsecond)
		}
	}()
	for range 10 {
		if err := p.outbox.CreateTriggers(ctx, w.admin, p.cache); err != nil {
			t.Error(err)
		}
	}
	stop()
	n, rows := <-wrote, w.rows()-before
	for p.relay() > 0 {
		continue
	}
	loads := p.loaded()
	t.Logf("%d rows of %d writes, and %d entries are loaded again", rows, n, loads)
	if n == 0 || rows != n && loads != 8 {
		t.Errorf("%d rows of %d writes, and %d of 8 entries are loaded again", rows, n, loads)
	}
}

// unnamedColumn has a column whose values JSON does not have at all, and then one that was renamed.
func unnamedColumn(t *testing.T, d writes.Database) {
	w := newWorld(t, d)
	if d.Dialect == writes.Postgres {
		w.exec(w.admin, "CREATE TYPE outbox_odd AS (a int)", `CREATE FUNCTION outbox_odd_json(outbox_odd) RETURNS json LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'`,
			"CREATE CAST (outbox_odd AS json) WITH FUNCTION outbox_odd_json(outbox_odd)", "ALTER TABLE outbox_papers ADD odd outbox_odd")
		w.exec(w.admin, "UPDATE outbox_papers SET odd = ROW(1)")
	}
	p := w.start(byHand, 0)
	if err := p.outbox.CreateTriggers(t.Context(), w.admin, p.cache); err != nil {
		t.Fatal(err)
	}
	p.relay()
	p.warm()
	w.exec(w.admin, "UPDATE outbox_papers SET text = 'new' WHERE id = 1")
	p.relay()
	if loads := p.loaded(); loads != 2 {
		t.Errorf("%d entries became wrong, want 2", loads)
	}
	if d.Dialect != writes.Postgres {
		return
	}
	w.exec(w.admin, "ALTER TABLE outbox_papers RENAME desk TO bureau", "UPDATE outbox_papers SET text = 'newer' WHERE id = 1")
	var whole bool
	if err := w.admin.QueryRowContext(t.Context(), "SELECT (what::jsonb -> 'whole')::bool FROM cacheme_outbox").Scan(&whole); err != nil || !whole {
		t.Errorf("a write after a column was renamed: whole is %v, %v", whole, err)
	}
}

// asRole connects as another role.
type asRole struct {
	driver.Connector
	role string
}

func (a asRole) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := a.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	e, ok := c.(driver.ExecerContext)
	if !ok {
		return nil, errors.Join(errors.ErrUnsupported, c.(io.Closer).Close())
	}
	if _, err := e.ExecContext(ctx, "SET ROLE "+a.role, nil); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// leastRights has a role with the rights to the outbox that Install asks for, and one with one less each.
func leastRights(t *testing.T, d writes.Database) {
	w, p := withTriggers(t, d)
	if d.Dialect != writes.Postgres {
		return // users of MariaDB cannot be changed on a connection
	}
	role := "outbox_" + strings.ToLower(strings.TrimRight(w.prefix, ":")) + fmt.Sprint(time.Now().UnixNano())
	w.exec(w.admin, "CREATE ROLE "+role, "GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_papers, outbox_folders TO "+role)
	drop := w.pool(d.Connector())
	t.Cleanup(func() {
		for _, text := range []string{"DROP OWNED BY " + role, "DROP ROLE " + role} {
			if _, err := drop.Exec(text); err != nil {
				t.Error(err)
			}
		}
	})
	install := func() (*bun.DB, *bunhooks.Outbox, error) {
		o := bunhooks.NewOutbox(byHand)
		pool := w.pool(bunhooks.WrapConnector(asRole{d.Connector(), role}))
		db, err := bunhooks.Install(pool, p.cache, bunhooks.WithOutbox(o), bunhooks.WithLogger(slog.New(slog.DiscardHandler)))
		return db, o, err
	}
	rights := []string{"INSERT", "SELECT", "UPDATE", "DELETE"}
	for _, right := range rights {
		w.exec(w.admin, "GRANT "+strings.Join(rights, ", ")+" ON cacheme_outbox TO "+role, "REVOKE "+right+" ON cacheme_outbox FROM "+role)
		if _, _, err := install(); err == nil || !strings.Contains(err.Error(), "insert, select, update and delete") {
			t.Errorf("without %s: Install() = %v, want an error that names the rights", right, err)
		}
	}
	w.exec(w.admin, "GRANT "+strings.Join(rights, ", ")+" ON cacheme_outbox TO "+role)
	db, o, err := install()
	if err != nil {
		t.Fatal(err)
	}
	w.exec(db, "UPDATE outbox_papers SET text = 'new' WHERE id = 1")
	w.exec(w.admin, "UPDATE outbox_papers SET text = 'foreign' WHERE id = 2")
	if n, err := o.Relay(t.Context()); n != 1 || err != nil {
		t.Errorf("Relay() = %d, %v, want 1", n, err)
	}
	if err := o.Close(t.Context()); err != nil {
		t.Error(err)
	}
	w.exec(w.admin, "REVOKE ALL ON cacheme_outbox FROM "+role)
	w.exec(w.pool(asRole{d.Connector(), role}), "UPDATE outbox_papers SET text = 'without any right' WHERE id = 3")
	if n := p.relay(); n != 1 {
		t.Errorf("%d rows of a role without rights, want 1", n)
	}
}
