package sqltx

import (
	"bytes"
	"database/sql/driver"
	"fmt"
	"io"
	"reflect"
	"slices"
)

// Buffer reads all rows of a result and closes it, so that the connection is free again, and returns the same rows from
// memory, and how many they are. The last hide columns, which a Handler had returned for itself, are cut off; see, if it
// is not nil, gets their values, row by row, and may keep them. All values are copies.
//
// The rows that it returns are never nil and can be handed on as they are: they have the column types that were told
// before the first row was read, and if reading failed, they end with that error, as the driver's would have. err is the
// same error, for the Handler. Further result sets are kept too, whole; n counts the first alone.
func Buffer(in driver.Rows, hide int, see func(hidden []driver.Value)) (out driver.Rows, n int, err error) {
	b, n := read(in, hide, see)
	if sets, ok := in.(driver.RowsNextResultSet); ok && b.end == io.EOF { //nolint:errorlint // The driver's contract is this very value.
		for last := b; last.end == io.EOF && sets.HasNextResultSet(); { //nolint:errorlint // As above.
			if err := sets.NextResultSet(); err == io.EOF { //nolint:errorlint // As above.
				break
			} else if err != nil {
				last.end = err
				break
			}
			last, _ = read(in, 0, nil)
			b.further = append(b.further, last)
		}
	}
	err = b.end
	for _, further := range b.further {
		err = further.end
	}
	if closed := in.Close(); err == io.EOF && closed != nil { //nolint:errorlint // As above.
		b.end, err = closed, closed
	}
	if err == io.EOF { //nolint:errorlint // As above.
		err = nil
	}
	return b, n, err
}

// read reads one result set, of n rows. Of which no column is left there are none.
func read(in driver.Rows, hide int, see func(hidden []driver.Value)) (b *buffered, n int) {
	b = &buffered{end: io.EOF}
	columns := in.Columns()
	shown := len(columns) - hide
	if hide < 0 || shown < 0 {
		b.end = fmt.Errorf("sqltx: hide %d of %d columns", hide, len(columns))
		return b, 0
	}
	b.columns = slices.Clone(columns[:shown])
	b.types = make([]columnType, shown)
	for i := range b.types {
		b.types[i] = columnTypeOf(in, i)
	}
	row := make([]driver.Value, len(columns))
	err := in.Next(row)
	for ; err == nil; err = in.Next(row) {
		kept := make([]driver.Value, len(row))
		for i, v := range row {
			kept[i] = copied(v)
		}
		if n++; shown > 0 || hide == 0 {
			b.rows = append(b.rows, kept[:shown:shown])
		}
		if see != nil {
			see(kept[shown:])
		}
	}
	b.end = err
	return b, n
}

// copied: a driver may use the bytes of a row again for the next one.
func copied(v driver.Value) driver.Value {
	if b, ok := v.([]byte); ok {
		return bytes.Clone(b)
	}
	return v
}

// buffered are rows in memory.
type buffered struct {
	columns []string
	types   []columnType
	rows    [][]driver.Value
	end     error // what Next says after the last row
	further []*buffered
}

func (b *buffered) Columns() []string { return b.columns }

func (b *buffered) Next(dest []driver.Value) error {
	if len(b.rows) == 0 {
		return b.end
	}
	copy(dest, b.rows[0])
	b.rows = b.rows[1:]
	return nil
}

func (b *buffered) HasNextResultSet() bool { return len(b.further) > 0 }

func (b *buffered) NextResultSet() error {
	if len(b.further) == 0 {
		return io.EOF
	}
	further := b.further
	*b = *further[0]
	b.further = further[1:]
	return nil
}

func (b *buffered) Close() error {
	b.rows, b.further = nil, nil
	return nil
}

func (b *buffered) ColumnTypeScanType(i int) reflect.Type   { return b.types[i].scan }
func (b *buffered) ColumnTypeDatabaseTypeName(i int) string { return b.types[i].name }
func (b *buffered) ColumnTypeLength(i int) (int64, bool) {
	return b.types[i].length, b.types[i].hasLength
}

func (b *buffered) ColumnTypeNullable(i int) (nullable, ok bool) {
	return b.types[i].nullable, b.types[i].hasNullable
}

func (b *buffered) ColumnTypePrecisionScale(i int) (p, s int64, ok bool) {
	return b.types[i].precision, b.types[i].scale, b.types[i].hasDecimal
}
