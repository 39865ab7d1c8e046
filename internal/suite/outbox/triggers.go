package outbox

import (
	"context"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// Triggers holds what a database with triggers tells of the writes of other programs, and that nothing is told twice of
// those of a hooked one.
func Triggers(t *testing.T, open writes.Open) {
	for _, part := range []struct {
		name string
		run  func(*testing.T, writes.Database)
	}{
		{"another program's writes are told", foreignWrites},
		{"a hooked write is told once", hookedOnce},
		{"what a function writes in a hooked transaction is told with it", functions},
		{"they come and go", upAndDown},
		{"writers at once do not fail by each other", writersAtOnce},
		{"a writer that takes its time keeps no relay", slowWriter},
		{"a process that knows less tells no less", knowsLess},
		{"what a function writes is not told before its time", notBeforeItsTime},
		{"a transaction that has failed is nobody's fault", aborted},
		{"a column that nobody names is not looked at", unnamedColumn},
		{"the rights that are asked for are enough", leastRights},
		{"no write is missed while they are made anew", madeAnew},
		{"outboxes have triggers of their own, whatever they are called", ownTriggers},
		{"values become keys as they are", values},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.run(t, open(t))
		})
	}
}

// withTriggers is a process of a world with triggers.
func withTriggers(t *testing.T, d writes.Database) (*world, *process) {
	t.Helper()
	w := newWorld(t, d)
	w.exec(w.admin, "INSERT INTO outbox_folders (id) VALUES (1), (2)")
	w.exec(w.admin, "UPDATE outbox_papers SET folder = 1 WHERE id IN (5, 6)")
	p := w.start(byHand, 0)
	if err := p.outbox.CreateTriggers(t.Context(), p.db, p.cache); err != nil {
		t.Fatal(err)
	}
	p.relay() // making triggers changes tables
	return w, p
}

func foreignWrites(t *testing.T, d writes.Database) {
	w, p := withTriggers(t, d)
	for _, c := range []struct {
		name, text string
		loads      int // of 8 entries; -1: all of them may be wrong
	}{
		{"an update", "UPDATE outbox_papers SET text = 'new' WHERE id = 1", 2},
		{"a move to another desk", "UPDATE outbox_papers SET desk = 1 WHERE id = 2", 3},
		{"an update of several rows", "UPDATE outbox_papers SET text = 'newer' WHERE id IN (1, 3)", 3},
		{"an insert", "INSERT INTO outbox_papers (id, desk, text) VALUES (7, 2, 'new')", 1},
		{"a delete", "DELETE FROM outbox_papers WHERE id = 7", 1},
		{"an update of nothing", "UPDATE outbox_papers SET text = 'never' WHERE id = 77", 0},
		{"a new key", "UPDATE outbox_papers SET id = 77 WHERE id = 1", 2},
		{"and the old one", "UPDATE outbox_papers SET id = 1 WHERE id = 77", 2},
		{"a cascade", "DELETE FROM outbox_folders WHERE id = 1", -1},
		{
			"an insert of many rows", "INSERT INTO outbox_papers (id, desk, text) SELECT 1000 + a.id * 1000 + b.id * 100 + c.id * 10 + d.id, 1, 'many' " +
				"FROM outbox_papers a, outbox_papers b, outbox_papers c, outbox_papers d WHERE a.id < 8 AND b.id < 8 AND c.id < 8", -1,
		},
		{"a truncation", "TRUNCATE outbox_papers", -1},
	} {
		if strings.HasPrefix(c.text, "TRUNCATE") && w.d.Dialect == writes.MariaDB {
			continue // it runs no triggers there
		}
		p.warm()
		w.exec(w.admin, c.text)
		for p.relay() > 0 {
			continue
		}
		before := p.loads.Load()
		p.isFresh(c.name)
		if loads := int(p.loads.Load() - before); loads != c.loads && c.loads >= 0 {
			t.Errorf("%s: %d entries became wrong, want %d", c.name, loads, c.loads)
		}
	}
}

// hookedOnce counts: each further invalidation would be a load.
func hookedOnce(t *testing.T, d writes.Database) {
	w, p := withTriggers(t, d)
	for _, c := range []struct {
		name  string
		texts []string
	}{
		{"alone", []string{"UPDATE outbox_papers SET text = 'new' WHERE id = 1"}},
		{"a move", []string{"UPDATE outbox_papers SET desk = 1 WHERE id = 2"}},
		{"an insert and a delete", []string{"INSERT INTO outbox_papers (id, desk, text) VALUES (7, 2, 'new')", "DELETE FROM outbox_papers WHERE id = 7"}},
		{"a cascade", []string{"DELETE FROM outbox_folders WHERE id = 1"}},
		{"all", []string{"UPDATE outbox_papers SET text = 'new'"}},
	} {
		p.warm()
		err := p.db.RunInTx(t.Context(), nil, func(_ context.Context, tx bun.Tx) error {
			w.exec(tx, c.texts...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		p.isFresh(c.name)
		if n := p.relay(); n != 0 {
			t.Errorf("%s: %d rows are told that Redis has been told of", c.name, n)
		}
		if n := w.rows(); n != 0 {
			t.Errorf("%s: %d rows are left", c.name, n)
		}
	}
	p.warm()
	w.exec(p.db, "UPDATE outbox_papers SET text = 'newest' WHERE id = 3")
	if loads := p.loaded(); loads != 2 {
		t.Errorf("%d loads after a write to one paper, want 2", loads)
	}
	p.relay()
	if loads := p.loaded(); loads != 0 {
		t.Errorf("%d loads more once its row is gone", loads)
	}
}

// makeFunction makes outbox_function, which moves papers 1 and 3 to desk 2.
func (w *world) makeFunction() {
	w.t.Helper()
	if w.d.Dialect == writes.MariaDB {
		w.exec(w.admin, "CREATE FUNCTION outbox_function() RETURNS INT MODIFIES SQL DATA BEGIN UPDATE outbox_papers SET desk = 2 WHERE id IN (1, 3); RETURN 1; END")
		return
	}
	w.exec(w.admin, "CREATE FUNCTION outbox_function() RETURNS int LANGUAGE sql AS 'UPDATE outbox_papers SET desk = 2 WHERE id IN (1, 3); SELECT 1'")
}

func functions(t *testing.T, d writes.Database) {
	w, p := withTriggers(t, d)
	const call = "SELECT outbox_function()"
	w.makeFunction()
	p.warm()
	err := p.db.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		w.exec(tx, "UPDATE outbox_papers SET text = 'new' WHERE id = 1")
		var one int
		return tx.QueryRowContext(ctx, call).Scan(&one)
	})
	if err != nil {
		t.Fatal(err)
	}
	p.isFresh("in a transaction")
	if n := p.relay(); n != 0 {
		t.Errorf("%d rows are told that Redis has been told of", n)
	}
	p.warm()
	w.exec(w.admin, "UPDATE outbox_papers SET desk = 1 WHERE id IN (1, 3)")
	for p.relay() > 0 {
		continue
	}
	p.warm()
	var one int
	if err := p.db.QueryRowContext(t.Context(), call).Scan(&one); err != nil { // nothing else is known of it
		t.Fatal(err)
	}
	if n := p.relay(); n == 0 {
		t.Error("what a function wrote by itself is told by nobody")
	}
	p.isFresh("by itself")
}

func upAndDown(t *testing.T, d writes.Database) {
	w, p := withTriggers(t, d)
	ctx := t.Context()
	up, down, err := p.outbox.Triggers(ctx, w.admin, p.cache)
	if err != nil || len(up) == 0 || len(down) == 0 || strings.Contains(strings.Join(up, "\n"), "%!") {
		t.Fatalf("Triggers() = %q, %q, %v", up, down, err)
	}
	if err := p.outbox.CreateTriggers(ctx, w.admin, p.cache); err != nil {
		t.Errorf("CreateTriggers() again = %v", err)
	}
	if err := p.outbox.DropTriggers(ctx, w.admin, p.cache); err != nil {
		t.Errorf("DropTriggers() = %v", err)
	}
	p.relay() // making triggers changes a table
	w.exec(w.admin, "UPDATE outbox_papers SET text = 'new'")
	if n := w.rows(); n != 0 {
		t.Errorf("%d rows without triggers", n)
	}
	if err := p.outbox.Drop(ctx, w.admin); err != nil {
		t.Errorf("Drop() = %v", err)
	}
	other := bunhooks.NewOutbox(bunhooks.OutboxOptions{Table: "another_outbox"})
	if err := other.Create(ctx, w.admin); err != nil {
		t.Errorf("Create() = %v", err)
	}
	if err := other.CreateTriggers(ctx, w.admin, p.cache); err != nil {
		t.Errorf("CreateTriggers() of another one = %v", err)
	}
	if err := p.outbox.Create(ctx, w.admin); err != nil {
		t.Errorf("Create() again = %v", err)
	}
}
