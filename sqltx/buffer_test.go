package sqltx_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme/sqltx"
)

func TestBuffer_cuts_off_what_it_hides(t *testing.T) {
	t.Parallel()
	var hidden [][]driver.Value
	in := &fakeRows{f: newFake(), text: "x"}
	out, n, err := sqltx.Buffer(in, 1, func(row []driver.Value) { hidden = append(hidden, row) })
	if n != 3 || err != nil {
		t.Fatalf("Buffer = %d, %v, want 3 rows", n, err)
	}
	if diff := cmp.Diff([]string{"id"}, out.Columns()); diff != "" {
		t.Errorf("Columns (-want +got):\n%s", diff)
	}
	want := [][]driver.Value{{[]byte("1 of x")}, {[]byte("2 of x")}, {[]byte("3 of x")}}
	if diff := cmp.Diff(want, hidden); diff != "" {
		t.Errorf("hidden (-want +got):\n%s", diff)
	}
	var ids []driver.Value
	row := make([]driver.Value, 1)
	for err = out.Next(row); err == nil; err = out.Next(row) {
		ids = append(ids, row[0])
	}
	if diff := cmp.Diff([]driver.Value{int64(1), int64(2), int64(3)}, ids); diff != "" || err != io.EOF {
		t.Errorf("rows end with %v (-want +got):\n%s", err, diff)
	}
	if err := out.Close(); err != nil || out.Next(row) != io.EOF {
		t.Errorf("Close = %v, then Next = %v", err, out.Next(row))
	}
}

// reusing are rows whose driver writes each row into the same bytes.
type reusing struct {
	*fakeRows
	bytes []byte
}

func (r *reusing) Next(dest []driver.Value) error {
	err := r.fakeRows.Next(dest)
	if b, ok := dest[1].([]byte); ok && err == nil {
		r.bytes = append(r.bytes[:0], b...)
		dest[1] = r.bytes
	}
	return err
}

func TestBuffer_copies_what_the_driver_uses_again(t *testing.T) {
	t.Parallel()
	out, _, err := sqltx.Buffer(&reusing{&fakeRows{f: newFake(), text: "x"}, nil}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	row := make([]driver.Value, 2)
	if err := out.Next(row); err != nil || string(row[1].([]byte)) != "1 of x" {
		t.Errorf("first row = %s, %v", row, err)
	}
}

func TestBuffer_of_rows_that_fail(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"rows", "close"} {
		in := &fakeRows{f: newFake().failOnce(what, io.ErrUnexpectedEOF)}
		out, n, err := sqltx.Buffer(in, 0, nil)
		if err != io.ErrUnexpectedEOF {
			t.Errorf("%s: err = %v, want %v", what, err, io.ErrUnexpectedEOF)
		}
		row := make([]driver.Value, 2)
		for range n {
			if err := out.Next(row); err != nil {
				t.Errorf("%s: Next = %v, want the rows that were read", what, err)
			}
		}
		if err := out.Next(row); err != io.ErrUnexpectedEOF {
			t.Errorf("%s: Next after %d rows = %v, want %v", what, n, err, io.ErrUnexpectedEOF)
		}
		if got := count(in.f.log(), "Rows.Close"); got != 1 {
			t.Errorf("%s: closed %d times, want 1", what, got)
		}
	}
	for _, hide := range []int{-1, 3} {
		if out, _, err := sqltx.Buffer(&fakeRows{f: newFake()}, hide, nil); err == nil || out.Next(nil) == nil {
			t.Errorf("Buffer that hides %d of 2 columns = nil", hide)
		}
	}
}

func TestBuffer_is_seen_by_nobody(t *testing.T) {
	t.Parallel()
	for _, s := range shapes() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			program := func(in driver.Connector, f *fake) []string {
				out := &transcript{}
				db := openDB(t, in)
				rows, err := db.QueryContext(t.Context(), "UPDATE t SET a = 1 RETURNING id, name")
				out.rows("rows", rows, err)
				f.failOnce("rows", errors.New("broken"))
				rows, err = db.QueryContext(t.Context(), "UPDATE t SET a = 1 RETURNING id, name")
				out.rows("rows that fail", rows, err)
				return out.lines
			}
			f := &fake{shape: s}
			want := program(f, f)
			f = &fake{shape: s}
			c := sqltx.Wrap(f)
			err := c.Handle(does{query: func(ctx context.Context, _ *sqltx.Conn, s *sqltx.Statement) (driver.Rows, error) {
				rows, err := s.Query(ctx)
				if err != nil {
					return nil, err
				}
				rows, _, _ = sqltx.Buffer(rows, 0, nil)
				return rows, nil
			}}, sqltx.Postgres)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, program(c, f)); diff != "" {
				t.Errorf("what the program sees (-without +with):\n%s", diff)
			}
		})
	}
}

func oneSet(rows func(*fakeRows) driver.Rows) func(*fakeRows) driver.Rows {
	return func(r *fakeRows) driver.Rows {
		r.set = 1
		return rows(r)
	}
}
