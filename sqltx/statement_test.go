package sqltx_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme/sqltx"
)

// does is a Handler made of functions.
type does struct {
	onward
	exec  func(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement) (driver.Result, error)
	query func(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement) (driver.Rows, error)
}

func (d does) Exec(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement) (driver.Result, error) {
	if d.exec == nil {
		return s.Exec(ctx)
	}
	return d.exec(ctx, c, s)
}

func (d does) Query(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement) (driver.Rows, error) {
	if d.query == nil {
		return s.Query(ctx)
	}
	return d.query(ctx, c, s)
}

// returning executes a statement by querying another text, as a Handler does that wants to know the rows.
func returning(ctx context.Context, _ *sqltx.Conn, s *sqltx.Statement) (driver.Result, error) {
	rows, err := s.Instead(s.Text + " RETURNING id").Query(ctx)
	if err != nil {
		return nil, err
	}
	_, n, err := sqltx.Buffer(rows, 0, nil)
	return driver.RowsAffected(n), err
}

func TestInstead_runs_on_every_driver(t *testing.T) {
	t.Parallel()
	for _, s := range shapes() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			f := &fake{shape: s}
			db := handled(t, f, does{exec: returning}, sqltx.Postgres)
			r, err := db.ExecContext(t.Context(), "UPDATE t SET a = ?", 1)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := r.RowsAffected(); n != 3 || err != nil {
				t.Errorf("RowsAffected = %d, %v, want 3", n, err)
			}
			if f.openStmts() != 0 {
				t.Errorf("%d statements are open", f.openStmts())
			}
		})
	}
}

func TestInstead_of_a_prepared_statement_is_prepared_once(t *testing.T) {
	t.Parallel()
	f := newFake()
	db := handled(t, f, does{exec: returning}, sqltx.Postgres)
	db.SetMaxOpenConns(1)
	s, err := db.PrepareContext(t.Context(), "UPDATE t SET a = ?")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, err := s.ExecContext(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(f.log(), "1 PrepareContext UPDATE t SET a = ? RETURNING id"); n != 1 {
		t.Errorf("prepared %d times, want 1", n)
	}
	if err := s.Close(); err != nil || f.openStmts() != 0 {
		t.Errorf("Close = %v, %d statements are open", err, f.openStmts())
	}
}

func TestInstead_of_a_prepared_statement_keeps_few(t *testing.T) {
	t.Parallel()
	f, i := newFake(), 0
	db := handled(t, f, does{exec: func(ctx context.Context, _ *sqltx.Conn, s *sqltx.Statement) (driver.Result, error) {
		i++
		return s.Instead(fmt.Sprintf("%s AND %d", s.Text, i)).Exec(ctx)
	}}, sqltx.Postgres)
	s, err := db.PrepareContext(t.Context(), "UPDATE t SET a = ?")
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err := s.ExecContext(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if n := f.openStmts(); n > 10 {
			t.Fatalf("%d statements are open", n)
		}
	}
	if err := s.Close(); err != nil || f.openStmts() != 0 {
		t.Errorf("Close = %v, %d statements are open", err, f.openStmts())
	}
}

func TestInstead_of_a_prepared_statement_fails_as_a_statement_does(t *testing.T) {
	t.Parallel()
	f := newFake().failOnce("prepare UPDATE t SET a = ? RETURNING id", errRefused)
	text := "UPDATE t SET a = ? RETURNING id"
	db := handled(t, f, does{exec: func(ctx context.Context, _ *sqltx.Conn, s *sqltx.Statement) (driver.Result, error) {
		return s.Instead(text).Exec(ctx)
	}}, sqltx.Postgres)
	s, err := db.PrepareContext(t.Context(), "UPDATE t SET a = ?")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.ExecContext(t.Context(), 1); !errors.Is(err, errRefused) {
		t.Errorf("ExecContext = %v, want %v", err, errRefused)
	}
	text = "UPDATE t SET a = ?, b = ?"
	if _, err := s.ExecContext(t.Context(), 1); err == nil || err.Error() != "sql: expected 2 arguments, got 1" {
		t.Errorf("ExecContext = %v, want that an argument is missing", err)
	}
}

func TestStatement_shows_what_the_program_runs(t *testing.T) {
	t.Parallel()
	see := func(how string, c *sqltx.Conn, s *sqltx.Statement) string {
		var values []any
		for _, a := range s.Args {
			values = append(values, a.Value)
		}
		_, single := s.Script().Single()
		other := s.Instead("another")
		_, same := other.Script().Single()
		return fmt.Sprintf("%s %s %v read %v single %v %v %v", how, s.Text, values, s.IsRead(), single, same, c.Tx() == nil)
	}
	var got []string
	db := handled(t, newFake(), does{
		exec: func(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement) (driver.Result, error) {
			got = append(got, see("exec", c, s))
			return s.Exec(ctx)
		},
		query: func(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement) (driver.Rows, error) {
			got = append(got, see("query", c, s))
			return s.Query(ctx)
		},
	}, sqltx.Postgres)
	run := func(text string, args ...any) {
		t.Helper()
		s, err := db.PrepareContext(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for _, exec := range []func(context.Context, ...any) (sql.Result, error){
			s.ExecContext,
			func(ctx context.Context, args ...any) (sql.Result, error) { return db.ExecContext(ctx, text, args...) },
		} {
			if _, err := exec(t.Context(), args...); err != nil {
				t.Fatal(err)
			}
		}
		for _, query := range []func(context.Context, ...any) (*sql.Rows, error){
			s.QueryContext,
			func(ctx context.Context, args ...any) (*sql.Rows, error) { return db.QueryContext(ctx, text, args...) },
		} {
			rows, err := query(t.Context(), args...)
			if err != nil {
				t.Fatal(err)
			}
			_ = rows.Close()
		}
	}
	run("UPDATE t SET a = ?", point{1, 2})
	run("SELECT 1; SELECT 2")
	run("SELECT 1")
	want := []string{
		"exec UPDATE t SET a = ? [stmt(1 2)] read false single true true true", "exec UPDATE t SET a = ? [conn(1 2)] read false single true true true",
		"query UPDATE t SET a = ? [stmt(1 2)] read false single true true true", "query UPDATE t SET a = ? [conn(1 2)] read false single true true true",
		"exec SELECT 1; SELECT 2 [] read false single false false true", "exec SELECT 1; SELECT 2 [] read false single false false true",
		"query SELECT 1; SELECT 2 [] read false single false false true", "query SELECT 1; SELECT 2 [] read false single false false true",
		"exec SELECT 1 [] read true single true true true", "exec SELECT 1 [] read true single true true true",
		"query SELECT 1 [] read true single true true true", "query SELECT 1 [] read true single true true true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statements (-want +got):\n%s", diff)
	}
}

func TestConn_runs_statements_of_the_Handler(t *testing.T) {
	t.Parallel()
	for _, s := range shapes() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			f := &fake{shape: s}
			asked := 0
			db := handled(t, f, does{exec: func(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement) (driver.Result, error) {
				asked++
				if _, err := c.Exec(ctx, "BEGIN", nil); err != nil || c.Tx() != nil {
					t.Errorf("Exec = %v, Tx = %v, want a transaction that is not followed", err, c.Tx())
				}
				args := []driver.NamedValue{{Ordinal: 1, Value: int64(7)}}
				rows, err := c.Query(ctx, "SELECT id FROM t WHERE a = ?", args)
				if err != nil {
					return nil, err
				}
				if _, n, err := sqltx.Buffer(rows, 0, nil); n != 3 || err != nil {
					t.Errorf("Query = %d rows, %v, want 3", n, err)
				}
				r, err := s.Exec(ctx)
				if _, err := c.Exec(ctx, "COMMIT", nil); err != nil {
					t.Errorf("Exec = %v", err)
				}
				return r, err
			}}, sqltx.Postgres)
			if _, err := db.ExecContext(t.Context(), "UPDATE t SET a = ?", 1); err != nil {
				t.Fatal(err)
			}
			if asked != 1 {
				t.Errorf("the Handler was asked %d times, want 1", asked)
			}
			if f.openStmts() != 0 {
				t.Errorf("%d statements are open", f.openStmts())
			}
		})
	}
}

func TestDiscard_makes_the_pool_take_another_connection(t *testing.T) {
	t.Parallel()
	f := newFake()
	db := handled(t, f, does{exec: func(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement) (driver.Result, error) {
		c.Discard()
		return s.Exec(ctx)
	}}, sqltx.Postgres)
	db.SetMaxOpenConns(1)
	for range 2 {
		if _, err := db.ExecContext(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := f.log(), []string{"1 ExecContext " + a, "2 ExecContext " + a}; !slices.Equal(got, want) {
		t.Errorf("the driver is asked %q, want %q", got, want)
	}
}

func TestHandler_can_do_without_the_driver(t *testing.T) {
	t.Parallel()
	f := newFake()
	db := handled(t, f, does{
		exec: func(context.Context, *sqltx.Conn, *sqltx.Statement) (driver.Result, error) {
			return driver.RowsAffected(9), nil
		},
		query: func(context.Context, *sqltx.Conn, *sqltx.Statement) (driver.Rows, error) { return nil, errRefused },
	}, sqltx.Postgres)
	r, err := db.ExecContext(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := r.RowsAffected(); n != 9 {
		t.Errorf("RowsAffected = %d, want 9", n)
	}
	if _, err := db.QueryContext(t.Context(), "SELECT 1"); err != errRefused {
		t.Errorf("QueryContext = %v, want %v", err, errRefused)
	}
	if calls := f.log(); count(calls, "1 ResetSession") != len(calls) {
		t.Errorf("the driver is asked %q, want nothing but to reset", calls)
	}
}

func TestRows_of_a_write_that_fail_put_the_transaction_in_doubt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		dialect    sqltx.Dialect
		text, want string
	}{
		{sqltx.MySQL, a + " RETURNING id", "doubt"},
		{sqltx.Postgres, a + " RETURNING id", "open"},
		{sqltx.Postgres, "BEGIN; " + a + " RETURNING id", "doubt"},
		{sqltx.MySQL, "SELECT 1", "open"},
	} {
		f, n := newFake(), &notes{}
		s := newClient(t, handled(t, f, n, test.dialect))
		s.do("BEGIN")
		f.failOnce("rows", io.ErrUnexpectedEOF)
		rows, err := s.conn.QueryContext(t.Context(), test.text)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
		}
		if err := rows.Err(); err != io.ErrUnexpectedEOF {
			t.Errorf("%s: Err = %v, want %v", test.text, err, io.ErrUnexpectedEOF)
		}
		n.take()
		s.do("?")
		if got := n.take()[0]; got[:len(test.want)] != test.want {
			t.Errorf("%s: state = %s, want %s", test.text, got, test.want)
		}
	}
}
