package sqltx_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/cacheme/cacheme/sqltx"
)

// notes is a Handler that adds each write to its transaction and writes down what happens, as a cache would act on it.
type notes struct {
	mu    sync.Mutex
	lines []string
	// commit is called in Commit instead of its commit, if it is set.
	commit func(ctx context.Context, c *sqltx.Conn, tx *sqltx.Tx, commit func() error) error
	// exec is called in Exec and Query before they go on, if it is set.
	exec func(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement)
}

func (n *notes) say(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
}

// take returns what was written down since it was last asked.
func (n *notes) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	lines := n.lines
	n.lines = nil
	return lines
}

// state shows the transaction of a connection.
func state(c *sqltx.Conn) string {
	switch tx := c.Tx(); {
	case tx == nil:
		return "none"
	case tx.InDoubt():
		return fmt.Sprintf("doubt %v", tx.Entries())
	default:
		return fmt.Sprintf("open %v", tx.Entries())
	}
}

func (n *notes) Exec(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement) (driver.Result, error) {
	n.before(ctx, c, s)
	r, err := s.Exec(ctx)
	n.after(c, s, err)
	return r, err
}

func (n *notes) Query(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement) (driver.Rows, error) {
	n.before(ctx, c, s)
	r, err := s.Query(ctx)
	n.after(c, s, err)
	return r, err
}

func (n *notes) before(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement) {
	if n.exec != nil {
		n.exec(ctx, c, s)
	}
	switch tx := c.Tx(); {
	case s.IsRead():
		n.say("%s", state(c))
	case tx == nil:
		n.say("now %s", s.Text)
	default:
		if tx.InDoubt() {
			n.say("now %s", s.Text)
		}
		tx.Add(s.Text)
	}
}

func (n *notes) after(c *sqltx.Conn, s *sqltx.Statement, err error) {
	if err != nil {
		n.say("failed %s", s.Text)
	}
	if s.Script().Controls() {
		n.say("after it %s", state(c))
	}
}

func (n *notes) Commit(ctx context.Context, c *sqltx.Conn, tx *sqltx.Tx, commit func() error) error {
	if n.commit != nil {
		return n.commit(ctx, c, tx, commit)
	}
	n.say("commit %v", tx.Entries())
	err := commit()
	if err != nil {
		n.say("commit failed")
	}
	return err
}

// handled is a pool over a connector, with a Handler.
func handled(t testing.TB, in driver.Connector, h sqltx.Handler, d sqltx.Dialect) *sql.DB {
	t.Helper()
	c := sqltx.Wrap(in)
	if err := c.Handle(h, d); err != nil {
		t.Fatal(err)
	}
	return openDB(t, c)
}

// client runs steps on one connection: texts, and BeginTx, Commit, Rollback of a sql.Tx. "?" asks for the state; a step
// that begins with "!" must fail, all others must not.
type client struct {
	t    *testing.T
	conn *sql.Conn
	tx   *sql.Tx
}

func newClient(t *testing.T, db *sql.DB) *client {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := &client{t: t, conn: conn}
	t.Cleanup(func() {
		if s.tx != nil {
			_ = s.tx.Rollback()
		}
		_ = conn.Close()
	})
	return s
}

func (s *client) do(steps ...string) {
	s.t.Helper()
	for _, step := range steps {
		step, fails := strings.CutPrefix(step, "!")
		if err := s.step(step); (err != nil) != fails {
			s.t.Fatalf("%s = %v, want it to fail: %v", step, err, fails)
		}
	}
}

func (s *client) step(step string) (err error) {
	ctx := s.t.Context()
	switch step {
	case "?":
		var one any
		rows, err := s.conn.QueryContext(ctx, "SELECT 1")
		if err != nil {
			return err
		}
		for rows.Next() {
			_ = rows.Scan(&one, &one)
		}
		return errors.Join(rows.Err(), rows.Close())
	case "BeginTx":
		s.tx, err = s.conn.BeginTx(ctx, nil)
		return err
	case "Commit":
		return s.tx.Commit()
	case "Rollback":
		return s.tx.Rollback()
	default:
		_, err = s.conn.ExecContext(ctx, step)
		return err
	}
}

// openDB is a pool over a connector, closed at the end of the test.
func openDB(t testing.TB, c driver.Connector) *sql.DB {
	t.Helper()
	db := sql.OpenDB(c)
	t.Cleanup(func() {
		if err := db.Close(); err != nil && !errors.Is(err, errClosed) {
			t.Error(err)
		}
	})
	return db
}
