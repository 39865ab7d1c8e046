package sqltx_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme/sqltx"
)

var errRefused = errors.New("refused")

func refuse(context.Context, *sqltx.Conn, *sqltx.Tx, func() error) error { return errRefused }

func TestCommit_that_is_refused_commits_nothing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		dialect       sqltx.Dialect
		steps, driver []string
		state         string
	}{
		{"of a sql.Tx", sqltx.Postgres, []string{"BeginTx", a, "!Commit"}, []string{"BeginTx 0 false", "ExecContext " + a, "Rollback"}, "none"},
		{"text", sqltx.Postgres, []string{"BEGIN", a, "!COMMIT"}, []string{"ExecContext BEGIN", "ExecContext " + a, "ExecContext ROLLBACK"}, "none"},
		{"of a savepoint", sqltx.Unknown, []string{"SAVEPOINT s", a, "!RELEASE s"}, []string{"ExecContext SAVEPOINT s", "ExecContext " + a, "ExecContext ROLLBACK"}, "none"},
		{"of a schema statement", sqltx.MySQL, []string{"BEGIN", a, "!DROP TABLE a"}, []string{"ExecContext BEGIN", "ExecContext " + a}, "open [" + a + " DROP TABLE a]"},
		{"of a BEGIN", sqltx.MySQL, []string{"BEGIN", a, "!BEGIN"}, []string{"ExecContext BEGIN", "ExecContext " + a}, "open [" + a + "]"},
		{"of a BeginTx", sqltx.MySQL, []string{"BEGIN", a, "!BeginTx"}, []string{"ExecContext BEGIN", "ExecContext " + a}, "open [" + a + "]"},
		{"of autocommit", sqltx.MySQL, []string{"SET autocommit=0", a, "!SET autocommit=1"}, []string{"ExecContext SET autocommit=0", "ExecContext " + a}, "open [" + a + "]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f, n := newFake(), &notes{commit: refuse}
			s := newClient(t, handled(t, f, n, test.dialect))
			s.do(test.steps...)
			var want []string
			for _, call := range test.driver {
				want = append(want, "1 "+call)
			}
			if diff := cmp.Diff(want, f.log()); diff != "" {
				t.Errorf("what the driver is asked (-want +got):\n%s", diff)
			}
			n.take()
			s.do("?")
			if got := n.take(); !slices.Equal(got, []string{test.state}) {
				t.Errorf("state = %q, want %q", got, test.state)
			}
		})
	}
}

func TestCommit_that_is_refused_and_cannot_be_rolled_back_loses_the_connection(t *testing.T) {
	t.Parallel()
	for _, steps := range [][]string{{"BeginTx", a, "!Commit", "?"}, {"BEGIN", a, "!COMMIT", "?"}} {
		f, n := newFake().failOnce("ROLLBACK", errFull), &notes{commit: refuse}
		s := newClient(t, handled(t, f, n, sqltx.Postgres))
		s.do(steps...)
		if got, want := n.take(), []string{"doubt [" + a + "]"}; !slices.Equal(got, want) {
			t.Errorf("the Handler's story = %q, want %q", got, want)
		}
		if _ = s.conn.Close(); f.openConns() != 0 {
			t.Error("the connection is used again")
		}
	}
}

func TestCommit_and_its_errors(t *testing.T) {
	t.Parallel()
	broken := errors.New("the driver's own")
	for _, test := range []struct {
		name   string
		fails  error
		commit func(context.Context, *sqltx.Conn, *sqltx.Tx, func() error) error
		want   error
		text   string
	}{
		{"is what the Handler says", nil, refuse, errRefused, ""},
		{"is the driver's where the Handler says nothing", broken, func(_ context.Context, _ *sqltx.Conn, _ *sqltx.Tx, commit func() error) error {
			_ = commit()
			return nil
		}, broken, ""},
		{"is one where the Handler did nothing", nil, func(context.Context, *sqltx.Conn, *sqltx.Tx, func() error) error { return nil }, nil, "without having committed"},
		{"is a bad connection's as it is", driver.ErrBadConn, func(_ context.Context, _ *sqltx.Conn, _ *sqltx.Tx, commit func() error) error {
			return commit()
		}, driver.ErrBadConn, ""},
	} {
		for _, steps := range [][]string{{"BeginTx", a, "Commit"}, {"BEGIN", a, "COMMIT"}} {
			t.Run(test.name+"/"+steps[2], func(t *testing.T) {
				t.Parallel()
				f, n := newFake(), &notes{commit: test.commit}
				if test.fails != nil {
					f.failOnce("COMMIT", test.fails)
				}
				db := handled(t, f, n, sqltx.Postgres)
				if steps[0] == "BeginTx" {
					err := commitTx(t, db)
					checkError(t, err, test.want, test.text)
					return
				}
				s := newClient(t, db)
				s.do(steps[:2]...)
				checkError(t, s.step(steps[2]), test.want, test.text)
			})
		}
	}
	t.Run("are not asked for twice", func(t *testing.T) {
		t.Parallel()
		f := newFake().failOnce("COMMIT", broken)
		db := handled(t, f, &notes{commit: func(_ context.Context, _ *sqltx.Conn, _ *sqltx.Tx, commit func() error) error {
			if first, second := commit(), commit(); first != second {
				t.Errorf("commit = %v, then %v, want the same", first, second)
			}
			return nil
		}}, sqltx.Postgres)
		checkError(t, commitTx(t, db), broken, "")
		if n := count(f.log(), "1 Commit"); n != 1 {
			t.Errorf("%d COMMITs, want 1", n)
		}
	})
}

func commitTx(t *testing.T, db *sql.DB) error {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	return tx.Commit()
}

func checkError(t *testing.T, got, want error, text string) {
	t.Helper()
	if want != nil && got != want || got == nil || !strings.Contains(got.Error(), text) {
		t.Errorf("the program gets %v, want %v %s", got, want, text)
	}
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

func TestCommit_of_a_lost_connection_ends_with_it(t *testing.T) {
	t.Parallel()
	f := newFake().failOnce("COMMIT", driver.ErrBadConn)
	db := handled(t, f, onward{}, sqltx.Postgres)
	db.SetMaxOpenConns(1)
	if err := commitTx(t, db); !errors.Is(err, driver.ErrBadConn) {
		t.Errorf("Commit = %v, want %v", err, driver.ErrBadConn)
	}
	if f.openConns() != 0 {
		t.Error("the connection is used again")
	}
}

// connect opens a connection without a pool: database/sql never gives one back whose driver panicked in a COMMIT or in a
// query.
func connect(t *testing.T, in driver.Connector, h sqltx.Handler) driver.Conn {
	t.Helper()
	c := sqltx.Wrap(in)
	if err := c.Handle(h, sqltx.Postgres); err != nil {
		t.Fatal(err)
	}
	conn, err := c.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func usable(t *testing.T, c driver.Conn) bool {
	t.Helper()
	valid := c.(driver.Validator).IsValid()
	if err := c.(driver.SessionResetter).ResetSession(t.Context()); (err == nil) != valid {
		t.Errorf("IsValid = %v, ResetSession = %v", valid, err)
	}
	return valid
}

func TestCommit_that_panics_rolls_back(t *testing.T) {
	t.Parallel()
	f := newFake()
	c := connect(t, f, &notes{commit: func(context.Context, *sqltx.Conn, *sqltx.Tx, func() error) error { panic("here") }})
	tx, err := c.Begin() //nolint:staticcheck // The shortest way.
	if err != nil {
		t.Fatal(err)
	}
	if !usable(t, c) {
		t.Error("the connection is discarded before anything happened")
	}
	if got := recovered(func() { _ = tx.Commit() }); got != "here" {
		t.Errorf("recovered %v, want the Handler's panic", got)
	}
	if usable(t, c) {
		t.Error("the connection is used again")
	}
	if n := count(f.log(), "1 Rollback"); n != 1 {
		t.Errorf("%d ROLLBACKs, want 1", n)
	}
}

func recovered(do func()) (v any) {
	defer func() { v = recover() }()
	do()
	return nil
}

func TestHandler_that_panics_loses_the_connection(t *testing.T) {
	t.Parallel()
	panics := func(context.Context, *sqltx.Conn, *sqltx.Statement) { panic("here") }
	f, n := newFake(), &notes{exec: panics}
	db := handled(t, f, n, sqltx.Postgres)
	db.SetMaxOpenConns(1)
	if got := recovered(func() { _, _ = db.ExecContext(t.Context(), a) }); got != "here" {
		t.Errorf("recovered %v, want the Handler's panic", got)
	}
	if f.openConns() != 0 {
		t.Error("the connection is used again")
	}
	n.exec = nil
	if _, err := db.ExecContext(t.Context(), a); err != nil {
		t.Errorf("the next statement = %v", err)
	}
	c := connect(t, newFake(), &notes{exec: panics})
	got := recovered(func() { _, _ = c.(driver.QueryerContext).QueryContext(t.Context(), a, nil) })
	if got != "here" || usable(t, c) {
		t.Errorf("recovered %v, the connection is used again: %v", got, usable(t, c))
	}
}

func TestCommit_has_the_values_of_BeginTx_and_not_its_cancellation(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "trace"))
	defer cancel()
	db := handled(t, newFake(), &notes{commit: func(in context.Context, _ *sqltx.Conn, tx *sqltx.Tx, commit func() error) error {
		cancel()
		if in.Value(key{}) != "trace" || in.Err() != nil {
			t.Errorf("context has %v, %v", in.Value(key{}), in.Err())
		}
		if want := (driver.TxOptions{Isolation: driver.IsolationLevel(sql.LevelSerializable), ReadOnly: true}); tx.Options != want {
			t.Errorf("Options = %v, want %v", tx.Options, want)
		}
		if tx.ID() == 0 {
			t.Error("ID = 0")
		}
		return commit()
	}}, sqltx.Postgres)
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}

func TestBeginTx_whose_context_ends_is_rolled_back(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]driver.Connector{"fake": newFake(), "sqlite": sqlite(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := &notes{}
			db := handled(t, in, n, sqltx.SQLite)
			db.SetMaxOpenConns(1)
			for range 20 {
				ctx, cancel := context.WithCancel(t.Context())
				tx, err := db.BeginTx(ctx, nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := tx.ExecContext(ctx, "CREATE TABLE a (x)"); err != nil {
					t.Fatal(err)
				}
				cancel()
				// The pool has one connection: who gets it comes after the rollback.
				rows, err := db.QueryContext(t.Context(), "SELECT 1")
				if err != nil {
					t.Fatal(err)
				}
				_ = rows.Close()
				if err := tx.Commit(); err == nil {
					t.Fatal("Commit = nil, want that it is too late")
				}
			}
			if got := n.take(); slices.ContainsFunc(got, func(s string) bool { return s != "none" }) {
				t.Errorf("the Handler's story = %q, want no transaction left", got)
			}
		})
	}
}

func TestStatement_that_is_cancelled_while_it_runs(t *testing.T) {
	t.Parallel()
	f, n := newFake(), &notes{}
	db := handled(t, f, n, sqltx.MySQL)
	s := newClient(t, db)
	s.do("BEGIN", a)
	ctx, cancel := context.WithCancel(t.Context())
	waits := f.block(b)
	done := make(chan error)
	go func() {
		_, err := s.conn.ExecContext(ctx, b)
		done <- err
	}()
	<-waits
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("ExecContext = %v, want %v", err, context.Canceled)
	}
	s.do("?")
	if got, want := n.take(), []string{"failed " + b, "doubt [" + a + " " + b + "]"}; !slices.Equal(got, want) {
		t.Errorf("the Handler's story = %q, want %q", got, want)
	}
}
