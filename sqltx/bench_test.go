package sqltx_test

import (
	"context"
	"database/sql/driver"
	"io"
	"testing"
	"time"

	"github.com/cacheme/cacheme/sqltx"
)

// What a builder sends for one row of a table with seven columns.
const (
	selectText = `SELECT "book"."id", "book"."title", "book"."author_id", "book"."year", "book"."pages", "book"."price", "book"."isbn" ` +
		`FROM "books" AS "book" WHERE ("book"."id" = 12345) LIMIT 1`
	updateText = `UPDATE "books" AS "book" SET "title" = 'x', "price" = 12 WHERE ("book"."id" = 12345)`
)

// idle is a connection whose statements cost nothing, so that what is left is the layer.
type idle struct{ driver.Conn }

func (idle) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return nothing{}, nil
}

func (idle) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.ResultNoRows, nil
}

func (idle) Connect(context.Context) (driver.Conn, error) { return idle{}, nil }
func (idle) Driver() driver.Driver                        { return fakeDriver{} }

type nothing struct{}

func (nothing) Columns() []string         { return nil }
func (nothing) Next([]driver.Value) error { return io.EOF }
func (nothing) Close() error              { return nil }

// statementer runs texts on a connection without database/sql, whose own cost would hide the layer's.
type statementer interface {
	driver.QueryerContext
	driver.ExecerContext
}

func bare(t testing.TB, h sqltx.Handler) statementer {
	t.Helper()
	c := sqltx.Wrap(idle{})
	if h != nil {
		if err := c.Handle(h, sqltx.Postgres); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := c.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return conn.(statementer)
}

func TestLayer_allocates_little(t *testing.T) {
	ctx := t.Context()
	for _, test := range []struct {
		name string
		on   statementer
		most float64
	}{
		{"without a Handler", bare(t, nil), 0},
		{"with one", bare(t, onward{}), 1},
	} {
		if got := testing.AllocsPerRun(100, func() { _, _ = test.on.QueryContext(ctx, selectText, nil) }); got > test.most {
			t.Errorf("a SELECT %s allocates %v times, want at most %v", test.name, got, test.most)
		}
	}
}

// BenchmarkStatement measures a statement on a driver that does nothing, with and without the layer in turns, so that
// both see the same machine: bare-ns and layer-ns are each one's share, added-ns is what the layer costs.
func BenchmarkStatement(b *testing.B) {
	const turn = 200
	ctx := b.Context()
	for _, layer := range []struct {
		name string
		on   statementer
	}{{"wrapped", bare(b, nil)}, {"handled", bare(b, onward{})}} {
		for name, run := range map[string]func(on statementer){
			"select": func(on statementer) { _, _ = on.QueryContext(ctx, selectText, nil) },
			"update": func(on statementer) { _, _ = on.ExecContext(ctx, updateText, nil) },
		} {
			b.Run(layer.name+"/"+name, func(b *testing.B) {
				var without, with time.Duration
				for i := 0; i < b.N; i += turn {
					start := time.Now()
					for range turn {
						run(idle{})
					}
					middle := time.Now()
					for range turn {
						run(layer.on)
					}
					without, with = without+middle.Sub(start), with+time.Since(middle)
				}
				runs := float64((b.N + turn - 1) / turn * turn)
				b.ReportMetric(float64(without.Nanoseconds())/runs, "bare-ns")
				b.ReportMetric(float64(with.Nanoseconds())/runs, "layer-ns")
				b.ReportMetric(float64((with-without).Nanoseconds())/runs, "added-ns")
			})
		}
	}
}

// BenchmarkPool measures the same through database/sql and SQLite, a SELECT of one row, in turns.
func BenchmarkPool(b *testing.B) {
	const turn = 20
	plain, wrapped := openDB(b, sqlite(b)), handled(b, sqlite(b), onward{}, sqltx.SQLite)
	var without, with time.Duration
	for i := 0; i < b.N; i += turn {
		start := time.Now()
		for range turn {
			var n int
			if err := plain.QueryRowContext(b.Context(), "SELECT 1").Scan(&n); err != nil {
				b.Fatal(err)
			}
		}
		middle := time.Now()
		for range turn {
			var n int
			if err := wrapped.QueryRowContext(b.Context(), "SELECT 1").Scan(&n); err != nil {
				b.Fatal(err)
			}
		}
		without, with = without+middle.Sub(start), with+time.Since(middle)
	}
	runs := float64((b.N + turn - 1) / turn * turn)
	b.ReportMetric(float64(without.Nanoseconds())/runs, "bare-ns")
	b.ReportMetric(float64(with.Nanoseconds())/runs, "layer-ns")
	b.ReportMetric(float64(with-without)/float64(without)*100, "added-%")
}
