package sqltx_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme/sqltx"
)

// Short texts for writes, which say nothing but their name.
const (
	a = "INSERT INTO a VALUES (1)"
	b = "INSERT INTO b VALUES (1)"
	c = "INSERT INTO c VALUES (1)"
)

var errFull = errors.New("disk full")

func TestTransactions_are_followed(t *testing.T) {
	t.Parallel()
	any := []sqltx.Dialect{sqltx.Unknown, sqltx.SQLite, sqltx.Postgres, sqltx.MySQL}
	postgres, mysql := []sqltx.Dialect{sqltx.Postgres}, []sqltx.Dialect{sqltx.MySQL}
	unknown := []sqltx.Dialect{sqltx.Unknown}
	deadlock := errors.New("Error 1213 (40001): Deadlock found when trying to get lock")
	duplicate := errors.New("Error 1062 (23000): Duplicate entry")
	for _, test := range []struct {
		name     string
		dialects []sqltx.Dialect
		fails    map[string]error
		steps    []string
		want     []string
	}{
		{"autocommit", any, nil, []string{a, "?"}, []string{"now " + a, "none"}},
		{
			"a sql.Tx is committed", any, nil,
			[]string{"BeginTx", a, b, "?", "Commit", "?"},
			[]string{"open [" + a + " " + b + "]", "commit [" + a + " " + b + "]", "none"},
		},
		{"a sql.Tx is rolled back", any, nil, []string{"BeginTx", a, "Rollback", "?"}, []string{"none"}},
		{"a transaction without writes is committed as well", any, nil, []string{"BeginTx", "Commit"}, []string{"commit []"}},
		{"text", any, nil, []string{"BEGIN", a, "COMMIT", "?"}, []string{"commit [" + a + "]", "none"}},
		{"text with comments", any, nil, []string{"/* x */ begin ;", a, "-- x\ncommit;", "?"}, []string{"commit [" + a + "]", "none"}},
		{"text rolled back", any, nil, []string{"BEGIN", a, "ROLLBACK", "?"}, []string{"none"}},
		{"END", postgres, nil, []string{"BEGIN", a, "END", "?"}, []string{"commit [" + a + "]", "none"}},
		{"ABORT", postgres, nil, []string{"START TRANSACTION", a, "ABORT", "?"}, []string{"none"}},
		{"COMMIT of nothing", any, nil, []string{"COMMIT", "ROLLBACK", "?"}, []string{"none"}},
		{
			"a text ends a sql.Tx", postgres, nil,
			[]string{"BeginTx", a, "COMMIT", b, "Commit", "?"},
			[]string{"commit [" + a + "]", "now " + b, "none"},
		},
		{"a sql.Tx within a text's", postgres, nil, []string{"BEGIN", a, "BeginTx", b, "Commit", "?"}, []string{"commit [" + a + " " + b + "]", "none"}},
		{"BEGIN within a transaction", postgres, nil, []string{"BEGIN", a, "BEGIN", b, "COMMIT", "?"}, []string{"commit [" + a + " " + b + "]", "none"}},
		{
			"BEGIN within a transaction commits", mysql, nil,
			[]string{"BEGIN", a, "START TRANSACTION", b, "ROLLBACK", "?"},
			[]string{"commit [" + a + "]", "none"},
		},
		{
			"BeginTx within a transaction commits", mysql, nil,
			[]string{"BEGIN", a, "BeginTx", b, "Commit", "?"},
			[]string{"commit [" + a + "]", "commit [" + b + "]", "none"},
		},
		{
			"chains", any, nil,
			[]string{"BEGIN", a, "COMMIT AND CHAIN", b, "?", "ROLLBACK AND CHAIN", c, "COMMIT AND NO CHAIN", "?"},
			[]string{"commit [" + a + "]", "open [" + b + "]", "commit [" + c + "]", "none"},
		},
		{
			"savepoints", any, nil,
			[]string{"BEGIN", a, "SAVEPOINT s", b, "SAVEPOINT t", c, "ROLLBACK TO SAVEPOINT s", "?", c, "ROLLBACK TO s", "?", "COMMIT"},
			[]string{"open [" + a + "]", "open [" + a + "]", "commit [" + a + "]"},
		},
		{
			"a released savepoint's entries stay", any, nil,
			[]string{"BEGIN", a, "SAVEPOINT s", b, "SAVEPOINT t", c, "RELEASE SAVEPOINT t", "?", "ROLLBACK TO s", "?", "COMMIT"},
			[]string{"open [" + a + " " + b + " " + c + "]", "open [" + a + "]", "commit [" + a + "]"},
		},
		{
			"the same savepoint twice",
			[]sqltx.Dialect{sqltx.Postgres, sqltx.SQLite, sqltx.Unknown},
			nil,
			[]string{"BEGIN", a, "SAVEPOINT s", b, "SAVEPOINT s", c, "ROLLBACK TO s", "?", "RELEASE s", "ROLLBACK TO s", "?", "COMMIT"},
			[]string{"open [" + a + " " + b + "]", "open [" + a + "]", "commit [" + a + "]"},
		},
		{
			"the same savepoint twice is one", mysql, nil,
			[]string{"BEGIN", a, "SAVEPOINT s", b, "SAVEPOINT t", "SAVEPOINT S", c, "ROLLBACK TO s", "?", "ROLLBACK TO t", "?", "ROLLBACK"},
			[]string{"open [" + a + " " + b + "]", "open [" + a + " " + b + "]"},
		},
		{
			"names of savepoints", postgres, nil,
			[]string{"BEGIN", a, `SAVEPOINT "S"`, b, "SAVEPOINT s", c, `ROLLBACK TO "S"`, "?", "ROLLBACK"},
			[]string{"open [" + a + "]"},
		},
		{"a savepoint that we do not know", any, nil, []string{"BEGIN", a, "ROLLBACK TO s", "RELEASE s", "?", "COMMIT"}, []string{"open [" + a + "]", "commit [" + a + "]"}},
		{
			"a savepoint outside of a transaction begins one",
			[]sqltx.Dialect{sqltx.SQLite},
			nil,
			[]string{"SAVEPOINT s", a, "SAVEPOINT t", b, "ROLLBACK TO t", "RELEASE t", "?", "RELEASE S", "?"},
			[]string{"open [" + a + "]", "commit [" + a + "]", "none"},
		},
		{
			"a savepoint outside of a transaction may begin one", unknown, nil,
			[]string{"SAVEPOINT s", a, "?", "RELEASE s", "?"},
			[]string{"now " + a, "doubt [" + a + "]", "commit [" + a + "]", "none"},
		},
		{"a savepoint outside of a transaction is nothing", mysql, nil, []string{"SAVEPOINT s", a, "RELEASE s"}, []string{"now " + a}},
		{"a savepoint outside of a transaction fails", postgres, map[string]error{"SAVEPOINT s": duplicate}, []string{"!SAVEPOINT s", "?"}, []string{"none"}},
		{"a prepared transaction is gone", postgres, nil, []string{"BEGIN", a, "PREPARE TRANSACTION 'x'", "?", "COMMIT PREPARED 'x'"}, []string{"none", "now COMMIT PREPARED 'x'"}},
		{
			"a prepared transaction that fails is rolled back", postgres,
			map[string]error{"PREPARE TRANSACTION 'x'": duplicate},
			[]string{"BEGIN", a, "!PREPARE TRANSACTION 'x'", "?"},
			[]string{"none"},
		},
		{
			"schema statements commit", mysql, nil,
			[]string{"BeginTx", a, "CREATE TABLE x (a INT)", "?", b, "Commit"},
			[]string{"commit [" + a + " CREATE TABLE x (a INT)]", "none", "now " + b},
		},
		{
			"TRUNCATE and LOCK TABLES commit", mysql, nil,
			[]string{"BEGIN", a, "TRUNCATE TABLE b", "?", "BEGIN", b, "LOCK TABLES a WRITE", "?"},
			[]string{"commit [" + a + " TRUNCATE TABLE b]", "none", "commit [" + b + " LOCK TABLES a WRITE]", "none"},
		},
		{
			"a temporary table commits nothing", mysql, nil,
			[]string{"BEGIN", a, "CREATE TEMPORARY TABLE x (a INT)", "ROLLBACK"},
			nil,
		},
		{
			"schema statements do not commit", postgres, nil,
			[]string{"BEGIN", a, "CREATE TABLE x (a INT)", "TRUNCATE b", "ROLLBACK", "?"},
			[]string{"none"},
		},
		{
			"a schema statement that fails may have committed", mysql,
			map[string]error{"CREATE TABLE x (a INT)": duplicate},
			[]string{"BEGIN", a, "!CREATE TABLE x (a INT)", b, "COMMIT", "?"},
			[]string{
				"commit [" + a + " CREATE TABLE x (a INT)]", "commit failed", "failed CREATE TABLE x (a INT)", "now " + b,
				"commit [" + a + " CREATE TABLE x (a INT) " + b + "]", "none",
			},
		},
		{
			"a procedure may commit", mysql, nil,
			[]string{"BEGIN", a, "CALL p()", "?", "ROLLBACK", "?", "CALL p()", "?"},
			[]string{"commit [" + a + " CALL p()]", "doubt [" + a + " CALL p()]", "none", "now CALL p()", "none"},
		},
		{"a procedure does not commit", postgres, nil, []string{"BEGIN", a, "CALL p()", "ROLLBACK", "?"}, []string{"none"}},
		{
			"autocommit off", mysql, nil,
			[]string{"SET autocommit=0", "?", a, "COMMIT", b, "ROLLBACK", c, "SET autocommit = 1", "?", a},
			[]string{"open []", "commit [" + a + "]", "commit [" + c + "]", "none", "now " + a},
		},
		{
			"autocommit off and a schema statement", mysql, nil,
			[]string{"SET autocommit=0", "CREATE TABLE x (a INT)", a, "COMMIT"},
			[]string{"commit [CREATE TABLE x (a INT)]", "commit [" + a + "]"},
		},
		{
			"autocommit turned on where it is on", mysql, nil,
			[]string{"BEGIN", a, "SET autocommit=1", "?", "COMMIT"},
			[]string{"open [" + a + "]", "commit [" + a + "]"},
		},
		{"a deadlock ends the transaction", mysql, map[string]error{b: deadlock}, []string{"BEGIN", a, "!" + b, "?", "COMMIT"}, []string{
			"failed " + b, "doubt [" + a + " " + b + "]", "commit [" + a + " " + b + "]",
		}},
		{"a duplicate does not", mysql, map[string]error{b: duplicate}, []string{"BEGIN", a, "!" + b, "?", "COMMIT"}, []string{
			"failed " + b, "open [" + a + " " + b + "]", "commit [" + a + " " + b + "]",
		}},
		{"an error aborts", postgres, map[string]error{b: deadlock}, []string{"BEGIN", a, "!" + b, "?", "ROLLBACK"}, []string{
			"failed " + b, "open [" + a + " " + b + "]",
		}},
		{"an error nobody knows", unknown, map[string]error{b: duplicate}, []string{"BEGIN", a, "!" + b, "?", "ROLLBACK", "?"}, []string{
			"failed " + b, "doubt [" + a + " " + b + "]", "none",
		}},
		{
			"COMMIT fails",
			[]sqltx.Dialect{sqltx.Postgres, sqltx.MySQL},
			map[string]error{"COMMIT": deadlock},
			[]string{"BEGIN", a, "!COMMIT", "?"},
			[]string{"commit [" + a + "]", "commit failed", "none"},
		},
		{
			"COMMIT fails, and nobody knows what that means", unknown,
			map[string]error{"COMMIT": deadlock},
			[]string{"BEGIN", a, "!COMMIT", "?", "COMMIT", "?"},
			[]string{"commit [" + a + "]", "commit failed", "doubt [" + a + "]", "commit [" + a + "]", "none"},
		},
		{
			"COMMIT is not sent",
			[]sqltx.Dialect{sqltx.Postgres, sqltx.MySQL},
			map[string]error{"COMMIT": context.Canceled},
			[]string{"BEGIN", a, "!COMMIT", "?", b, "ROLLBACK", "?"},
			[]string{"commit [" + a + "]", "commit failed", "doubt [" + a + "]", "now " + b, "none"},
		},
		{
			"ROLLBACK is not sent",
			[]sqltx.Dialect{sqltx.Postgres, sqltx.MySQL},
			map[string]error{"ROLLBACK": context.Canceled},
			[]string{"BEGIN", a, "!ROLLBACK", "?", "COMMIT", "?"},
			[]string{"doubt [" + a + "]", "commit [" + a + "]", "none"},
		},
		{"Commit fails", postgres, map[string]error{"COMMIT": deadlock}, []string{"BeginTx", a, "!Commit", "?"}, []string{
			"commit [" + a + "]", "commit failed", "none",
		}},
		{"ROLLBACK fails", postgres, map[string]error{"ROLLBACK": deadlock}, []string{"BEGIN", a, "!ROLLBACK", "?"}, []string{"none"}},
		{"Rollback fails", unknown, map[string]error{"ROLLBACK": deadlock}, []string{"BeginTx", a, "!Rollback", "?"}, []string{"doubt [" + a + "]"}},
		{"BEGIN ends all doubt", unknown, map[string]error{b: duplicate}, []string{"BEGIN", a, "!" + b, "BEGIN", "?", "ROLLBACK"}, []string{
			"failed " + b, "open [" + a + " " + b + "]",
		}},
		{"BEGIN fails", any, map[string]error{"BEGIN": deadlock}, []string{"!BEGIN", "!BeginTx", "?"}, []string{"none"}},
		{"BEGIN fails where it may have committed", mysql, map[string]error{"START TRANSACTION": deadlock}, []string{"BEGIN", a, "!START TRANSACTION", "?"}, []string{
			"commit [" + a + "]", "commit failed", "doubt [" + a + "]",
		}},
		{
			"several statements", any, nil,
			[]string{a + "; " + b, "?"},
			[]string{"now " + a + "; " + b, "none"},
		},
		{
			"several statements in a transaction", any, nil,
			[]string{"BEGIN", a + "; " + b, "COMMIT"},
			[]string{"commit [" + a + "; " + b + "]"},
		},
		{
			"several statements, a transaction", any, nil,
			[]string{"BEGIN; " + a + "; COMMIT", "?"},
			[]string{"now BEGIN; " + a + "; COMMIT", "after it none", "none"},
		},
		{
			"several statements leave a transaction", any, nil,
			[]string{"BEGIN; " + a, b, "COMMIT", "?"},
			[]string{"now BEGIN; " + a, "after it open []", "commit [" + b + "]", "none"},
		},
		{
			"several statements end a transaction", any, nil,
			[]string{"BEGIN", a, b + "; COMMIT; BEGIN", "?", "ROLLBACK"},
			[]string{"after it open []", "open []"},
		},
		{
			"several statements with savepoints", any, nil,
			[]string{"BEGIN", a, "SAVEPOINT s; SAVEPOINT t", b, "ROLLBACK TO t; RELEASE s", "?", "ROLLBACK"},
			[]string{"after it open [" + a + " SAVEPOINT s; SAVEPOINT t]", "after it open [" + a + " SAVEPOINT s; SAVEPOINT t]", "open [" + a + " SAVEPOINT s; SAVEPOINT t]"},
		},
		{
			"several statements, one of the schema", mysql, nil,
			[]string{"BEGIN", a, "CREATE TABLE x (a INT); " + b, "?"},
			[]string{"none"},
		},
		{
			"several statements, one a procedure", mysql, nil,
			[]string{"BEGIN", a, "SAVEPOINT s; CALL p()", "?", "ROLLBACK"},
			[]string{"after it doubt [" + a + " SAVEPOINT s; CALL p()]", "doubt [" + a + " SAVEPOINT s; CALL p()]"},
		},
		{
			"several statements, and a transaction in autocommit off", mysql, nil,
			[]string{"SET autocommit=0; " + a, "?", "COMMIT; " + b, "?"},
			[]string{"now SET autocommit=0; " + a, "after it open []", "open []", "after it open []", "open []"},
		},
		{
			"several statements in a string are one", any, nil,
			[]string{"BEGIN", "INSERT INTO a VALUES ('; COMMIT; ')", "?", "ROLLBACK"},
			[]string{"open [INSERT INTO a VALUES ('; COMMIT; ')]"},
		},
		{
			"several statements, the first a write", any, nil,
			[]string{"BEGIN", a + "; COMMIT", "?"},
			[]string{"after it none", "none"},
		},
		{
			"several statements that fail",
			[]sqltx.Dialect{sqltx.Postgres, sqltx.MySQL, sqltx.Unknown},
			map[string]error{"BEGIN; " + a: duplicate},
			[]string{"!BEGIN; " + a, "?", "COMMIT", "?"},
			[]string{"now BEGIN; " + a, "failed BEGIN; " + a, "after it doubt []", "doubt []", "commit []", "none"},
		},
	} {
		for _, d := range test.dialects {
			name := map[sqltx.Dialect]string{sqltx.Unknown: "unknown", sqltx.SQLite: "sqlite", sqltx.Postgres: "postgres", sqltx.MySQL: "mysql"}[d]
			t.Run(test.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				for _, how := range []string{"as texts", "prepared"} {
					f, n := newFake(), &notes{}
					if how == "prepared" {
						f.shape = shapes()[0]
					}
					for text, err := range test.fails {
						f.failOnce(text, err)
						if text == "BEGIN" {
							f.failOnce(text, err)
						}
					}
					newClient(t, handled(t, f, n, d)).do(test.steps...)
					if diff := cmp.Diff(test.want, n.take()); diff != "" {
						t.Errorf("%s: the Handler's story (-want +got):\n%s", how, diff)
					}
				}
			})
		}
	}
}

func TestTransactions_of_SQLite_are_followed(t *testing.T) {
	t.Parallel()
	const (
		orphan = "INSERT INTO child VALUES (7)"
		taken  = "INSERT OR ROLLBACK INTO a VALUES (0)"
		twice  = "INSERT INTO a VALUES (0)"
	)
	for _, test := range []struct {
		name        string
		steps, want []string
	}{
		{
			"a COMMIT that fails leaves the transaction open",
			[]string{"BEGIN", orphan, "!COMMIT", "?", "DELETE FROM child", "COMMIT", "?"},
			[]string{"commit [" + orphan + "]", "commit failed", "open [" + orphan + "]", "commit [" + orphan + " DELETE FROM child]", "none"},
		},
		{
			"a Commit that fails is rolled back by the driver",
			[]string{"BeginTx", orphan, "!Commit", "?", a},
			[]string{"commit [" + orphan + "]", "commit failed", "none", "now " + a},
		},
		{
			"OR ROLLBACK ends the transaction",
			[]string{"BeginTx", a, "!" + taken, b, "!Rollback", "?"},
			[]string{"failed " + taken, "now " + b, "none"},
		},
		{
			"another error does not",
			[]string{"BeginTx", a, "!" + twice, b, "Commit", "?"},
			[]string{"failed " + twice, "commit [" + a + " " + twice + " " + b + "]", "none"},
		},
		{"BEGIN within a transaction fails", []string{"BEGIN", a, "!BEGIN", "?", "ROLLBACK", "?"}, []string{"open [" + a + "]", "none"}},
		{"ROLLBACK of nothing fails", []string{"!ROLLBACK", "!COMMIT", "?"}, []string{"none"}},
		{
			"several statements that fail leave what they left",
			[]string{"!BEGIN; " + a + "; " + twice + "; COMMIT", "?", "COMMIT", "?", "!BEGIN; ROLLBACK; " + twice, "?"},
			[]string{
				"now BEGIN; " + a + "; " + twice + "; COMMIT", "failed BEGIN; " + a + "; " + twice + "; COMMIT", "after it open []", "open []", "commit []", "none",
				"now BEGIN; ROLLBACK; " + twice, "failed BEGIN; ROLLBACK; " + twice, "after it none", "none",
			},
		},
		{
			"a savepoint begins a transaction, and its release may fail",
			[]string{"SAVEPOINT s", orphan, "!RELEASE s", "?", "DELETE FROM child", "RELEASE s", "?"},
			[]string{"commit [" + orphan + "]", "commit failed", "open [" + orphan + "]", "commit [" + orphan + " DELETE FROM child]", "none"},
		},
		{
			"a savepoint that began a transaction can be rolled back to",
			[]string{"SAVEPOINT s", a, "ROLLBACK TO s", b, "COMMIT", "?"},
			[]string{"commit [" + b + "]", "none"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := &notes{}
			db := handled(t, sqlite(t), n, sqltx.SQLite)
			db.SetMaxOpenConns(1)
			s := newClient(t, db)
			s.do("CREATE TABLE a (x INTEGER UNIQUE)", "CREATE TABLE b (x)", "CREATE TABLE parent (x INTEGER PRIMARY KEY)",
				"CREATE TABLE child (p INTEGER REFERENCES parent (x) DEFERRABLE INITIALLY DEFERRED)", "INSERT INTO a VALUES (0)")
			n.take()
			s.do(test.steps...)
			if diff := cmp.Diff(test.want, n.take()); diff != "" {
				t.Errorf("the Handler's story (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTransactions_of_SQLite_that_do_not_answer(t *testing.T) {
	t.Parallel()
	t.Run("are in doubt", func(t *testing.T) {
		t.Parallel()
		f, n := newFake(), &notes{}
		s := newClient(t, handled(t, f, n, sqltx.SQLite))
		s.do("SAVEPOINT s", a)
		f.failOnce(b, errFull).failOnce("BEGIN", errFull)
		s.do("!"+b, "?")
		if got, want := n.take(), []string{"failed " + b, "doubt [" + a + " " + b + "]"}; !slices.Equal(got, want) {
			t.Errorf("the Handler's story = %q, want %q", got, want)
		}
	})
	t.Run("lose the connection", func(t *testing.T) {
		t.Parallel()
		f, n := newFake(), &notes{}
		db := handled(t, f, n, sqltx.SQLite)
		s := newClient(t, db)
		s.do("SAVEPOINT s", a)
		f.failOnce(b, errFull).failOnce("COMMIT", errFull)
		s.do("!"+b, "?")
		if got, want := n.take(), []string{"failed " + b, "none"}; !slices.Equal(got, want) {
			t.Errorf("the Handler's story = %q, want %q", got, want)
		}
		if _ = s.conn.Close(); f.openConns() != 0 {
			t.Error("the connection is used again")
		}
	})
}

func TestSeveral_statements_that_fail_lose_the_connection(t *testing.T) {
	t.Parallel()
	for d, open := range map[sqltx.Dialect]int{
		sqltx.Postgres: 0, sqltx.MySQL: 0, sqltx.Unknown: 0,
		sqltx.SQLite: 1, // It can be asked what is open, and to close a database in memory is to lose it.
	} {
		f := newFake().failOnce("BEGIN; "+a, errFull)
		s := newClient(t, handled(t, f, onward{}, d))
		s.do("!BEGIN; " + a)
		if _ = s.conn.Close(); f.openConns() != open {
			t.Errorf("dialect %d: %d connections are open, want %d", d, f.openConns(), open)
		}
	}
}

func TestTransactions_are_followed_in_the_dialect_that_is_said_later(t *testing.T) {
	t.Parallel()
	const create = "CREATE TABLE x (a INT)"
	wrapped := sqltx.Wrap(newFake())
	s := newClient(t, openDB(t, wrapped))
	prepared, err := s.conn.PrepareContext(t.Context(), create)
	if err != nil {
		t.Fatal(err)
	}
	defer prepared.Close()
	exec := func() {
		t.Helper()
		if _, err := prepared.ExecContext(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	exec()
	n := &notes{}
	if err := wrapped.Handle(n, sqltx.MySQL); err != nil {
		t.Fatal(err)
	}
	s.do("BEGIN", a)
	exec()
	if got, want := n.take(), []string{"commit [" + a + " " + create + "]"}; !slices.Equal(got, want) {
		t.Errorf("the Handler's story = %q, want %q", got, want)
	}
}

func TestChain_keeps_the_options(t *testing.T) {
	t.Parallel()
	var got []driver.TxOptions
	db := handled(t, newFake(), &notes{commit: func(_ context.Context, _ *sqltx.Conn, tx *sqltx.Tx, commit func() error) error {
		got = append(got, tx.Options)
		return commit()
	}}, sqltx.Postgres)
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = tx.ExecContext(t.Context(), "COMMIT AND CHAIN")
	if err := errors.Join(err, tx.Commit()); err != nil {
		t.Fatal(err)
	}
	if want := []driver.TxOptions{{ReadOnly: true}, {ReadOnly: true}}; !slices.Equal(got, want) {
		t.Errorf("Options = %v, want %v", got, want)
	}
}

func TestTransactions_are_followed_before_there_is_a_Handler(t *testing.T) {
	t.Parallel()
	wrapped := sqltx.Wrap(newFake())
	db := openDB(t, wrapped)
	s := newClient(t, db)
	s.do("BEGIN", a, "SAVEPOINT s")
	n := &notes{}
	if err := wrapped.Handle(n, sqltx.Postgres); err != nil {
		t.Fatal(err)
	}
	s.do("?", b, "ROLLBACK TO s", "?", b, "COMMIT")
	if diff := cmp.Diff([]string{"open []", "open []", "commit [" + b + "]"}, n.take()); diff != "" {
		t.Errorf("the Handler's story (-want +got):\n%s", diff)
	}
}

func TestTransactions_are_gone_with_their_connection(t *testing.T) {
	t.Parallel()
	f, n := newFake(), &notes{}
	db := handled(t, f, n, sqltx.Postgres)
	db.SetMaxOpenConns(1)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	f.failOnce(b, driver.ErrBadConn)
	f.failOnce("ROLLBACK", driver.ErrBadConn)
	_, errA := tx.ExecContext(t.Context(), a)
	_, errB := tx.ExecContext(t.Context(), b)
	if errA != nil || !errors.Is(errB, driver.ErrBadConn) || !errors.Is(tx.Rollback(), driver.ErrBadConn) {
		t.Fatalf("writes = %v, %v, want the second to find a bad connection, and Rollback too", errA, errB)
	}
	newClient(t, db).do("?", c)
	if got, want := n.take(), []string{"failed " + b, "none", "now " + c}; !slices.Equal(got, want) {
		t.Errorf("the Handler's story = %q, want %q", got, want)
	}
}
