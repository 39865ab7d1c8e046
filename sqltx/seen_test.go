package sqltx_test

import (
	"database/sql/driver"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme/sqltx"
)

// twoSets are rows of two results.
type twoSets struct {
	left   []driver.Value
	closed int
}

func (*twoSets) Columns() []string      { return []string{"a"} }
func (r *twoSets) Close() error         { r.closed++; return nil }
func (*twoSets) HasNextResultSet() bool { return true }
func (r *twoSets) NextResultSet() error { r.left = []driver.Value{int64(9)}; return nil }
func (r *twoSets) Next(d []driver.Value) error {
	if len(r.left) == 0 {
		return io.EOF
	}
	d[0], r.left = r.left[0], r.left[1:]
	return nil
}

func TestSeenShowsTheFirstResultSetAsItIsRead(t *testing.T) {
	t.Parallel()
	in := &twoSets{left: []driver.Value{int64(1), nil, "x"}}
	var seen []driver.Value
	closed := 0
	out := sqltx.Seen(in, func(row []driver.Value) { seen = append(seen, row[0]) }, func() { closed++ })
	read := func() (all []driver.Value) {
		dest := make([]driver.Value, 1)
		for {
			if err := out.Next(dest); errors.Is(err, io.EOF) {
				return all
			}
			all = append(all, dest[0])
		}
	}
	first := read()
	sets, ok := out.(driver.RowsNextResultSet)
	if !ok || sets.NextResultSet() != nil {
		t.Fatal("there is no further result set")
	}
	if diff := cmp.Diff([]driver.Value{int64(9)}, read()); diff != "" {
		t.Errorf("the second result set is another (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(first, seen); diff != "" || len(seen) != 3 {
		t.Errorf("what is seen of %v is not what was read (-read +seen):\n%s", seen, diff)
	}
	for range 2 {
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if closed != 1 || in.closed != 2 {
		t.Errorf("closed is called %d times, and the rows are closed %d times; want 1 and 2", closed, in.closed)
	}
}
