package writes

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/uptrace/bun"
)

// mishaps are what goes wrong half way, and what a program does to its connection: afterwards every value is what the
// database holds. That less might have become wrong is another matter.
func mishaps(t *testing.T, open Open) {
	runAll(t, open, []chapter{
		{"several statements, of which one fails", severalFail},
		{"a COMMIT behind other statements of its text", commitInText},
		{"a savepoint in a text that fails", savepointInText},
		{"a COMMIT that is not sent", commitNotSent},
		{"a table that knows no transactions, behind a trigger", withoutTransactions},
		{"names that are looked up elsewhere", elsewhere},
		{"a role that may write and not read", anotherRole},
	})
}

// right looks at everything.
func (s *story) right(after string) {
	s.t.Helper()
	now, err := s.dump(s.ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	values, _, err := s.look(s.ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	for name, want := range s.truth(now) {
		if values[name] != want {
			s.t.Errorf("after %s the cache has %s for %s, the database %s", after, values[name], name, want)
		}
	}
}

// texts runs texts on one connection; one that begins with ! fails. Before the last one others read everything.
func (s *story) texts(c *sql.Conn, texts ...string) {
	s.t.Helper()
	for i, text := range texts {
		if i > 0 && i == len(texts)-1 {
			if err := s.warm(s.ctx, s.classes); err != nil {
				s.t.Fatal(err)
			}
		}
		fails := text[0] == '!'
		if fails {
			text = text[1:]
		}
		if _, err := c.ExecContext(s.ctx, text); (err != nil) != fails {
			s.t.Fatalf("%s = %v, want it to fail: %v", text, err, fails)
		}
	}
}

// conn is a connection of the hooked pool, given back when the test ends.
func (s *story) conn() *sql.Conn {
	s.t.Helper()
	c, err := s.db.DB.Conn(s.ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

func severalFail(t *testing.T, open Open) {
	s := tell(t, open, setup{})
	const text = "UPDATE shops SET name = 'half' WHERE id = 1; INSERT INTO shops (id, name) VALUES (2, 'twice')"
	tx, err := s.db.BeginTx(s.ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Tx.ExecContext(s.ctx, text); err == nil {
		t.Error("a row that is there could be inserted")
	}
	if err := tx.Commit(); err != nil {
		t.Logf("COMMIT: %v", err) // of PostgreSQL's drivers one tells that it was a ROLLBACK
	}
	s.right("a COMMIT all the same")
	if _, err := s.db.DB.ExecContext(s.ctx, text); err == nil {
		t.Error("a row that is there could be inserted")
	}
	s.right("the same without a transaction")
}

func commitInText(t *testing.T, open Open) {
	s := tell(t, open, setup{})
	c := s.conn()
	texts := []string{"SELECT 1; COMMIT", "UPDATE tills SET id = id WHERE id = 77; COMMIT"}
	if s.Dialect == MariaDB {
		texts = append(texts, "UPDATE shops SET name = 'a table comes' WHERE id = 2; CREATE TABLE comes (id INT)", "SELECT 1; DROP TABLE comes", "SELECT 1; BEGIN; ROLLBACK")
	}
	for i, text := range texts {
		s.texts(c, "BEGIN", fmt.Sprintf("UPDATE shops SET name = 'name %d' WHERE id = 1", i), text)
		s.right(text)
	}
}

func savepointInText(t *testing.T, open Open) {
	s := tell(t, open, setup{})
	if s.Dialect != Postgres {
		return // nowhere else does a failure take back what was before it
	}
	s.texts(s.conn(), "BEGIN", "UPDATE shops SET name = 'before' WHERE id = 1", "!SAVEPOINT a; SELECT 1 / 0", "ROLLBACK TO a", "COMMIT")
	s.right("a ROLLBACK TO a savepoint that was set by a text that failed, and a COMMIT")
}

func commitNotSent(t *testing.T, open Open) {
	s := tell(t, open, setup{})
	was, err := s.dump(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	c := s.conn()
	s.texts(c, "BEGIN", "UPDATE shops SET name = 'first' WHERE id = 1")
	cancelled, cancel := context.WithCancel(s.ctx)
	cancel()
	if _, err := c.ExecContext(cancelled, "COMMIT"); err == nil {
		s.right("a COMMIT by a driver that does not heed its context")
		return
	}
	for _, text := range []string{"UPDATE shops SET name = 'second' WHERE id = 2", "ROLLBACK"} {
		if _, err := c.ExecContext(s.ctx, text); err != nil {
			t.Logf("%s: %v", text, err) // where the driver has given its connection up
		}
	}
	now, err := s.dump(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if tables := changed(was, now); len(tables) > 0 {
		t.Errorf("after a ROLLBACK %v are changed", tables)
	}
	s.right("it")
}

func withoutTransactions(t *testing.T, open Open) {
	s := tell(t, open, setup{})
	if s.Dialect != MariaDB {
		return // only its tables know none
	}
	if err := run(s.ctx, s.db, []string{"ALTER TABLE shops ENGINE = MyISAM"}); err != nil {
		t.Fatal(err)
	}
	if err := s.warm(s.ctx, s.classes); err != nil {
		t.Fatal(err)
	}
	s.texts(s.conn(), "BEGIN", "UPDATE tills SET total = total + 1", "ROLLBACK")
	now, err := s.dump(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if tables := changed(s.seed, now); fmt.Sprint(tables) != "[shops]" {
		t.Errorf("after a ROLLBACK %v are changed, want the one without transactions", tables)
	}
	s.right("a ROLLBACK")
}

func elsewhere(t *testing.T, open Open) {
	s := tell(t, open, setup{})
	c := s.conn()
	var schema string
	switch s.Dialect {
	case Postgres:
		schema = "public"
		if err := run(s.ctx, s.admin, []string{"CREATE SCHEMA tenant", "CREATE TABLE tenant.chapters (other INT)"}); err != nil {
			t.Fatal(err)
		}
		s.texts(c, "SET search_path = tenant")
	case MariaDB:
		if err := c.QueryRowContext(s.ctx, "SELECT DATABASE()").Scan(&schema); err != nil {
			t.Fatal(err)
		}
		s.texts(c, "USE information_schema")
	default:
		return
	}
	s.step("a delete with a cascade", func(ctx context.Context, _ *bun.DB) error {
		return exec(c.ExecContext(ctx, "DELETE FROM "+schema+".books WHERE id = 1"))
	}, bookRow(1, 1, 1), shelfRow(1, 1), chapterRow(1, 1), chapterRow(1, 2))
	s.step("an update", func(ctx context.Context, _ *bun.DB) error {
		return exec(c.ExecContext(ctx, "UPDATE "+schema+".books SET author_id = 3 WHERE id = 2"))
	}, bookRow(2, 1, 2), bookRow(2, 3, 2))
}

func anotherRole(t *testing.T, open Open) {
	s := tell(t, open, setup{})
	if s.Dialect != Postgres {
		return
	}
	role := `"writer of ` + s.prefix + `"`
	err := s.db.RunInTx(s.ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		for _, text := range []string{
			"CREATE ROLE " + role, "GRANT INSERT, DELETE ON shops TO " + role, "SET LOCAL ROLE " + role,
			"INSERT INTO shops (id, name) VALUES (77, 'x')", "DELETE FROM shops", "RESET ROLE",
		} {
			if _, err := tx.Tx.ExecContext(ctx, text); err != nil {
				return fmt.Errorf("%s: %w", text, err)
			}
		}
		return errOnPurpose // the role goes with it
	})
	if err := onPurpose(err); err != nil {
		t.Error(err)
	}
	s.right("a ROLLBACK")
	if _, err := s.db.DB.ExecContext(s.ctx, "SET ROLE "+role); err == nil {
		t.Error("the role is still there")
	}
}
