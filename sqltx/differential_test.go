package sqltx_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun/driver/sqliteshim"

	"github.com/cacheme/cacheme/sqltx"
)

// onward is a Handler that only goes on.
type onward struct{}

func (onward) Exec(ctx context.Context, _ *sqltx.Conn, s *sqltx.Statement) (driver.Result, error) {
	return s.Exec(ctx)
}

func (onward) Query(ctx context.Context, _ *sqltx.Conn, s *sqltx.Statement) (driver.Rows, error) {
	return s.Query(ctx)
}

func (onward) Commit(_ context.Context, _ *sqltx.Conn, _ *sqltx.Tx, commit func() error) error {
	return commit()
}

// transcript is what a program saw.
type transcript struct{ lines []string }

func (t *transcript) say(format string, args ...any) {
	t.lines = append(t.lines, fmt.Sprintf(format, args...))
}

func (t *transcript) result(what string, r sql.Result, err error) {
	if err != nil {
		t.say("%s: error %v", what, err)
		return
	}
	last, lastErr := r.LastInsertId()
	n, affectedErr := r.RowsAffected()
	t.say("%s: last id %d (%v), affected %d (%v)", what, last, lastErr, n, affectedErr)
}

func (t *transcript) rows(what string, r *sql.Rows, err error) {
	if err != nil {
		t.say("%s: error %v", what, err)
		return
	}
	defer r.Close()
	for {
		columns, err := r.ColumnTypes()
		t.say("%s: types %v", what, err)
		for _, c := range columns {
			length, hasLength := c.Length()
			nullable, hasNullable := c.Nullable()
			precision, scale, hasDecimal := c.DecimalSize()
			t.say("  %s %s %v %d %v %v %v %d %d %v", c.Name(), c.DatabaseTypeName(), c.ScanType(), length, hasLength, nullable, hasNullable,
				precision, scale, hasDecimal)
		}
		values := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		for r.Next() {
			t.say("  %v %T %v", r.Scan(into...), values, values)
		}
		t.say("  end %v", r.Err())
		if !r.NextResultSet() {
			break
		}
	}
	t.say("  closed %v %v", r.Close(), r.Err())
}

// colour is converted differently by its Valuer, by its kind and by its String.
type colour int

func (c colour) Value() (driver.Value, error) { return fmt.Sprintf("colour %d", int(c)), nil }
func (c colour) String() string               { return "a colour" }

type size int

func (s size) String() string { return "a size" }

func arguments() map[string][]any {
	return map[string][]any{
		"none":     nil,
		"ints":     {1, int32(2), uint8(3), size(4)},
		"others":   {"x", []byte("y"), 1.5, true, nil, time.Unix(0, 0).UTC()},
		"valuer":   {colour(1), sql.NullInt64{}, sql.NullString{String: "z", Valid: true}},
		"named":    {sql.Named("a", 1), sql.Named("b", point{1, 2})},
		"misnamed": {sql.Named("1", 1)},
		"points":   {point{1, 2}, 3, &point{3, 4}},
		"point":    {point{1, 2}},
		"dropped":  {1, dropped{}, 2, dropped{}},
		"refused":  {1, "refused"},
		"struct":   {struct{ a int }{1}},
	}
}

// programs are what one can do with a pool.
func fakeProgram(t *testing.T, db *sql.DB, f *fake) *transcript {
	out, ctx := &transcript{}, t.Context()
	for _, name := range []string{"none", "ints", "others", "valuer", "named", "misnamed", "points", "point", "dropped", "refused", "struct"} {
		args := arguments()[name]
		for _, text := range []string{"UPDATE t SET a = ?", "UPDATE t SET a = ?, b = ?", "UPDATE t SET any = ?", "SELECT any"} {
			r, err := db.ExecContext(ctx, text, args...)
			out.result(name+" exec "+text, r, err)
			rows, err := db.QueryContext(ctx, text, args...)
			out.rows(name+" query "+text, rows, err)
			s, err := db.PrepareContext(ctx, text)
			if err != nil {
				out.say("prepare: %v", err)
				continue
			}
			r, err = s.ExecContext(ctx, args...)
			out.result(name+" stmt exec "+text, r, err)
			rows, err = s.QueryContext(ctx, args...)
			out.rows(name+" stmt query "+text, rows, err)
			out.say("close: %v", s.Close())
		}
	}
	out.say("ping %v", db.PingContext(ctx))
	for _, o := range []*sql.TxOptions{nil, {}, {ReadOnly: true}, {Isolation: sql.LevelSerializable}} {
		fakeTransaction(ctx, out, db, o)
	}
	boom := errors.New("boom")
	for _, what := range []string{
		"UPDATE t SET a = ?", "SELECT a", "BEGIN", "COMMIT", "ROLLBACK", "PING", "RESET", "VALID", "rows", "close", "prepare UPDATE t SET a = ?", "SAVEPOINT s",
	} {
		for _, err := range []error{boom, driver.ErrBadConn, fmt.Errorf("wrapped: %w", driver.ErrBadConn), context.DeadlineExceeded} {
			f.failOnce(what, err)
			out.say("with %s failing by %v", what, err)
			r, err := db.ExecContext(ctx, "UPDATE t SET a = ?", 1)
			out.result("exec", r, err)
			rows, err := db.QueryContext(ctx, "SELECT a")
			out.rows("query", rows, err)
			out.say("ping %v", db.PingContext(ctx))
			fakeTransaction(ctx, out, db, nil)
			f.mu.Lock()
			f.errs = nil
			f.mu.Unlock()
		}
	}
	gone, cancel := context.WithCancel(ctx)
	conn, err := db.Conn(ctx)
	out.say("conn %v", err)
	cancel()
	r, err := conn.ExecContext(gone, "UPDATE t SET a = 1")
	out.result("cancelled exec", r, err)
	rows, err := conn.QueryContext(gone, "SELECT a")
	out.rows("cancelled query", rows, err)
	if s, err := conn.PrepareContext(gone, "SELECT a"); err != nil {
		out.say("cancelled prepare %v", err)
	} else {
		out.say("cancelled prepare: close %v", s.Close())
	}
	_, err = conn.BeginTx(gone, nil)
	out.say("cancelled begin %v", err)
	out.say("close %v, twice %v", conn.Close(), conn.Close())
	return out
}

func fakeTransaction(ctx context.Context, out *transcript, db *sql.DB, o *sql.TxOptions) {
	for _, end := range []func(*sql.Tx) error{(*sql.Tx).Commit, (*sql.Tx).Rollback} {
		tx, err := db.BeginTx(ctx, o)
		if err != nil {
			out.say("begin %v", err)
			continue
		}
		for _, text := range []string{"UPDATE t SET a = ?", "SAVEPOINT s", "RELEASE s", "COMMIT AND CHAIN"} {
			var args []any
			if text == "UPDATE t SET a = ?" {
				args = []any{1}
			}
			r, err := tx.ExecContext(ctx, text, args...)
			out.result("in tx", r, err)
		}
		rows, err := tx.QueryContext(ctx, "INSERT INTO t RETURNING a")
		out.rows("in tx", rows, err)
		out.say("end %v, again %v %v", end(tx), tx.Commit(), tx.Rollback())
	}
}

func TestEveryDriver_behaves_with_the_layer_as_without(t *testing.T) {
	t.Parallel()
	for _, s := range shapes() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			run := func(layer func(*fake) driver.Connector) ([]string, []string) {
				f := &fake{shape: s}
				db := sql.OpenDB(layer(f))
				out := fakeProgram(t, db, f)
				out.say("close %v", db.Close())
				if f.openConns() != 0 || f.openStmts() != 0 {
					t.Errorf("%d connections and %d statements are open", f.openConns(), f.openStmts())
				}
				return out.lines, f.log()
			}
			lines, calls := run(func(f *fake) driver.Connector { return f })
			for name, layer := range map[string]func(*fake) driver.Connector{
				"wrapped": func(f *fake) driver.Connector { return sqltx.Wrap(f) },
				"handled": func(f *fake) driver.Connector {
					c := sqltx.Wrap(f)
					if err := c.Handle(onward{}, sqltx.Postgres); err != nil {
						t.Error(err)
					}
					return c
				},
			} {
				gotLines, gotCalls := run(layer)
				if diff := cmp.Diff(lines, gotLines); diff != "" {
					t.Errorf("%s: what the program sees (-without +with):\n%s", name, diff)
				}
				if diff := cmp.Diff(calls, gotCalls); diff != "" {
					t.Errorf("%s: what the driver is asked (-without +with):\n%s", name, diff)
				}
			}
		})
	}
}

// sqlite is a connector of a new database in a file.
func sqlite(t testing.TB) driver.Connector {
	t.Helper()
	return dsn{filepath.Join(t.TempDir(), "test.db") + "?_pragma=busy_timeout(2000)&_pragma=foreign_keys(1)"}
}

// dsn is a connector of a driver that has none of its own.
type dsn struct{ name string }

func (d dsn) Connect(context.Context) (driver.Conn, error) { return sqliteshim.Driver().Open(d.name) }
func (d dsn) Driver() driver.Driver                        { return sqliteshim.Driver() }

func sqliteProgram(t *testing.T, db *sql.DB) *transcript {
	out, ctx := &transcript{}, t.Context()
	exec := func(on interface {
		ExecContext(context.Context, string, ...any) (sql.Result, error)
	}, text string, args ...any,
	) {
		r, err := on.ExecContext(ctx, text, args...)
		out.result(text, r, err)
	}
	query := func(on interface {
		QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	}, text string, args ...any,
	) {
		rows, err := on.QueryContext(ctx, text, args...)
		out.rows(text, rows, err)
	}
	exec(db, "CREATE TABLE books (id INTEGER PRIMARY KEY, title VARCHAR(20) UNIQUE, at TIMESTAMP, cover BLOB, price DECIMAL(5,2)); CREATE INDEX x ON books (at)")
	exec(db, "CREATE TABLE shelves (id INTEGER PRIMARY KEY, book INTEGER REFERENCES books (id) DEFERRABLE INITIALLY DEFERRED)")
	exec(db, "INSERT INTO books (title, at, cover, price) VALUES (?, ?, ?, ?), ('b', NULL, NULL, 1)", "a", time.Unix(0, 0).UTC(), []byte{1, 2}, 1.5)
	exec(db, "INSERT INTO books (title) VALUES (?)", "a")
	exec(db, "INSERT INTO nothing VALUES (1)")
	exec(db, "INSERT INTO books (title) VALUES (:title)", sql.Named("title", "c"))
	query(db, "SELECT * FROM books ORDER BY id")
	query(db, "SELECT title FROM books WHERE id = ?", 1)
	query(db, "SELECT nothing")
	query(db, "UPDATE books SET price = price + 1 WHERE id < 3 RETURNING id, price")
	query(db, "INSERT INTO books (title) VALUES ('d') RETURNING *")
	exec(db, "UPDATE books SET price = 0")
	s, err := db.PrepareContext(ctx, "INSERT INTO books (title) VALUES (?)")
	out.say("prepare %v", err)
	for _, title := range []any{"e", "f", "e", nil} {
		r, err := s.ExecContext(ctx, title)
		out.result("stmt", r, err)
	}
	_, err = s.ExecContext(ctx, 1, 2)
	out.say("too many %v", err)
	out.say("close %v", s.Close())

	tx, err := db.BeginTx(ctx, nil)
	out.say("begin %v", err)
	exec(tx, "INSERT INTO books (title) VALUES ('g')")
	exec(tx, "SAVEPOINT s")
	exec(tx, "INSERT INTO books (title) VALUES ('h')")
	exec(tx, "ROLLBACK TO s")
	exec(tx, "INSERT INTO books (title) VALUES ('g')")
	query(tx, "SELECT title FROM books ORDER BY id")
	out.say("commit %v, again %v", tx.Commit(), tx.Rollback())

	tx, err = db.BeginTx(ctx, nil)
	out.say("begin %v", err)
	exec(tx, "INSERT INTO books (title) VALUES ('i')")
	exec(tx, "INSERT OR ROLLBACK INTO books (title) VALUES ('a')")
	exec(tx, "INSERT INTO books (title) VALUES ('j')")
	out.say("rollback %v", tx.Rollback())

	tx, err = db.BeginTx(ctx, nil)
	out.say("begin %v", err)
	exec(tx, "INSERT INTO shelves (book) VALUES (1000)")
	out.say("commit %v", tx.Commit())

	conn, err := db.Conn(ctx)
	out.say("conn %v", err)
	for _, text := range []string{
		"BEGIN IMMEDIATE", "INSERT INTO shelves (book) VALUES (1000)", "COMMIT", "DELETE FROM shelves", "END", "COMMIT", "ROLLBACK", "BEGIN", "BEGIN", "ROLLBACK",
		"BEGIN; INSERT INTO books (title) VALUES ('k'); INSERT INTO books (title) VALUES ('a'); COMMIT", "INSERT INTO books (title) VALUES ('l')", "ROLLBACK",
		"SAVEPOINT s", "INSERT INTO books (title) VALUES ('m')", "RELEASE s",
	} {
		exec(conn, text)
	}
	for _, text := range []string{"/* nothing */", ""} {
		_, err := conn.ExecContext(ctx, text) // SQLite's driver has no result to ask.
		out.say("%q %v", text, err)
	}
	out.say("close %v", conn.Close())
	query(db, "SELECT * FROM books ORDER BY id")
	query(db, "SELECT * FROM shelves ORDER BY id")
	return out
}

func TestSQLite_behaves_with_the_layer_as_without(t *testing.T) {
	t.Parallel()
	run := func(layer func(driver.Connector) driver.Connector) []string {
		db := sql.OpenDB(layer(sqlite(t)))
		db.SetMaxOpenConns(1)
		defer db.Close()
		return sqliteProgram(t, db).lines
	}
	want := run(func(c driver.Connector) driver.Connector { return c })
	for name, layer := range map[string]func(driver.Connector) driver.Connector{
		"wrapped": func(c driver.Connector) driver.Connector { return sqltx.Wrap(c) },
		"handled": func(c driver.Connector) driver.Connector {
			w := sqltx.Wrap(c)
			if err := w.Handle(onward{}, sqltx.SQLite); err != nil {
				t.Error(err)
			}
			return w
		},
		"handled in no dialect": func(c driver.Connector) driver.Connector {
			w := sqltx.Wrap(c)
			if err := w.Handle(onward{}); err != nil {
				t.Error(err)
			}
			return w
		},
	} {
		if diff := cmp.Diff(want, run(layer)); diff != "" {
			t.Errorf("%s (-without +with):\n%s", name, diff)
		}
	}
}
