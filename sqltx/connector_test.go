package sqltx_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/cacheme/cacheme/sqltx"
)

func TestHandle_takes_one_Handler(t *testing.T) {
	t.Parallel()
	c := sqltx.Wrap(newFake())
	for _, err := range []error{c.Handle(nil), c.Handle(onward{}, sqltx.SQLite, sqltx.MySQL)} {
		if !errors.Is(err, sqltx.ErrHandler) {
			t.Errorf("Handle = %v, want %v", err, sqltx.ErrHandler)
		}
	}
	if err := c.Handle(onward{}); err != nil {
		t.Errorf("Handle = %v", err)
	}
	if err := c.Handle(onward{}); !errors.Is(err, sqltx.ErrHandled) {
		t.Errorf("Handle again = %v, want %v", err, sqltx.ErrHandled)
	}
}

func TestWrap_of_a_Connector_is_that_Connector(t *testing.T) {
	t.Parallel()
	f := newFake()
	c := sqltx.Wrap(f)
	if sqltx.Wrap(c) != c {
		t.Error("Wrap wraps twice")
	}
	if c.Unwrap() != driver.Connector(f) || c.Driver() != driver.Driver(fakeDriver{}) {
		t.Errorf("Unwrap = %v, Driver = %v, want what was wrapped", c.Unwrap(), c.Driver())
	}
}

func TestConnector_closes_that_of_the_driver(t *testing.T) {
	t.Parallel()
	f := newFake()
	if err := sql.OpenDB(sqltx.Wrap(f)).Close(); err != errClosed || !f.closed {
		t.Errorf("Close = %v, closed %v, want %v", err, f.closed, errClosed)
	}
	if err := sql.OpenDB(sqltx.Wrap(dsn{})).Close(); err != nil {
		t.Errorf("Close of a connector that cannot be closed = %v", err)
	}
}

// refusing is a connector that opens nothing.
type refusing struct{ fakeDriver }

func (refusing) Connect(context.Context) (driver.Conn, error) { return nil, errRefused }
func (refusing) Driver() driver.Driver                        { return fakeDriver{} }

func TestConnector_fails_as_that_of_the_driver(t *testing.T) {
	t.Parallel()
	db := openDB(t, sqltx.Wrap(refusing{}))
	if err := db.PingContext(t.Context()); err != errRefused {
		t.Errorf("Ping = %v, want %v", err, errRefused)
	}
	if _, err := sqltx.Of(t.Context(), db); !errors.Is(err, errRefused) {
		t.Errorf("Of = %v, want %v", err, errRefused)
	}
}

func TestOf_finds_the_Connector_below_a_pool(t *testing.T) {
	t.Parallel()
	for _, s := range shapes() {
		c := sqltx.Wrap(&fake{shape: s})
		if got, err := sqltx.Of(t.Context(), openDB(t, c)); got != c || err != nil {
			t.Errorf("%s: Of = %p, %v, want %p", s.name, got, err, c)
		}
	}
	if got, err := sqltx.Of(t.Context(), openDB(t, newFake())); got != nil || err != nil {
		t.Errorf("Of a pool that is not wrapped = %v, %v, want nil", got, err)
	}
}

func TestUnwrap_gives_the_connection_of_the_driver(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]driver.Connector{"wrapped": sqltx.Wrap(newFake()), "not wrapped": newFake()} {
		conn, err := openDB(t, in).Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		err = conn.Raw(func(c any) error {
			if _, ok := sqltx.Unwrap(c).(*fakeConn); !ok {
				t.Errorf("%s: Unwrap(%T) = %T, want the driver's", name, c, sqltx.Unwrap(c))
			}
			return nil
		})
		if err := errors.Join(err, conn.Close()); err != nil {
			t.Error(err)
		}
	}
	if got := sqltx.Unwrap("nothing"); got != nil {
		t.Errorf("Unwrap of something else = %v, want nil", got)
	}
}

func TestConnection_can_be_used_without_contexts(t *testing.T) {
	t.Parallel()
	for _, shape := range []shape{everything(), shapes()[0]} {
		f := &fake{shape: shape}
		c := connect(t, f, onward{})
		s, err := c.Prepare("UPDATE t SET a = ?")
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Exec([]driver.Value{int64(1)}) //nolint:staticcheck // It is what is tested.
		if n, _ := r.RowsAffected(); n == 0 || err != nil {
			t.Errorf("Exec = %d, %v", n, err)
		}
		rows, err := s.Query([]driver.Value{int64(1)}) //nolint:staticcheck // It is what is tested.
		if err != nil || len(rows.Columns()) != 2 {
			t.Errorf("Query = %v", err)
		}
		if err := errors.Join(rows.Close(), s.Close(), c.Close()); err != nil || f.openStmts()+f.openConns() != 0 {
			t.Errorf("Close = %v, %d statements and %d connections are open", err, f.openStmts(), f.openConns())
		}
	}
}

func TestWatch_tells_whether_a_statement_came_through(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(context.Context, *sql.DB) error{
		"exec": func(ctx context.Context, db *sql.DB) error {
			_, err := db.ExecContext(ctx, a)
			return err
		},
		"query": func(ctx context.Context, db *sql.DB) error {
			rows, err := db.QueryContext(ctx, "SELECT 1")
			if err != nil {
				return err
			}
			return rows.Close()
		},
		"begin": func(ctx context.Context, db *sql.DB) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			return tx.Rollback()
		},
		"prepare": func(ctx context.Context, db *sql.DB) error {
			s, err := db.PrepareContext(ctx, a)
			if err != nil {
				return err
			}
			return s.Close()
		},
		"prepared exec": func(ctx context.Context, db *sql.DB) error {
			s, err := db.PrepareContext(context.WithoutCancel(t.Context()), a)
			if err != nil {
				return err
			}
			_, err = s.ExecContext(ctx)
			return errors.Join(err, s.Close())
		},
		"prepared query": func(ctx context.Context, db *sql.DB) error {
			s, err := db.PrepareContext(context.WithoutCancel(t.Context()), a)
			if err != nil {
				return err
			}
			rows, err := s.QueryContext(ctx)
			if err != nil {
				return err
			}
			return errors.Join(rows.Close(), s.Close())
		},
	} {
		for _, shape := range []shape{everything(), shapes()[0]} {
			for _, wrapped := range []bool{true, false} {
				var in driver.Connector = &fake{shape: shape}
				if wrapped {
					in = sqltx.Wrap(in)
				}
				ctx, witness := sqltx.Watch(t.Context())
				if witness.Seen() {
					t.Errorf("%s: Seen before anything ran", name)
				}
				if err := use(ctx, openDB(t, in)); err != nil {
					t.Fatal(err)
				}
				if witness.Seen() != wrapped {
					t.Errorf("%s: Seen = %v, want %v", name, witness.Seen(), wrapped)
				}
			}
		}
	}
}

func TestTx_keeps_entries_in_order(t *testing.T) {
	t.Parallel()
	asked := false
	db := handled(t, newFake(), &notes{commit: func(_ context.Context, c *sqltx.Conn, tx *sqltx.Tx, commit func() error) error {
		asked = true
		if c.Tx() != tx || tx.Last() != b || len(tx.Entries()) != 2 {
			t.Errorf("Last = %v, Entries = %v", tx.Last(), tx.Entries())
		}
		tx.Entries()[0] = "another"
		if tx.Entries()[0] != a {
			t.Error("Entries is not the caller's own")
		}
		err := commit()
		if c.Tx() != nil {
			t.Error("Tx after commit is not nil")
		}
		return err
	}, exec: func(_ context.Context, c *sqltx.Conn, _ *sqltx.Statement) {
		if tx := c.Tx(); len(tx.Entries()) == 0 && tx.Last() != nil {
			t.Errorf("Last of nothing = %v", tx.Last())
		}
	}}, sqltx.Postgres)
	newClient(t, db).do("BeginTx", a, b, "Commit")
	if !asked {
		t.Error("Commit was not called")
	}
}
