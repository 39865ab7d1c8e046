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
// same error, for the Handler. Further result sets are not read.
func Buffer(in driver.Rows, hide int, see func(hidden []driver.Value)) (out driver.Rows, n int, err error) {
	b := &buffered{end: io.EOF}
	columns := in.Columns()
	shown := len(columns) - hide
	if hide < 0 || shown < 0 {
		b.end = fmt.Errorf("sqltx: hide %d of %d columns", hide, len(columns))
		_ = in.Close() // What is wrong is the Handler's call.
		return b, 0, b.end
	}
	b.columns = slices.Clone(columns[:shown])
	b.types = make([]columnType, shown)
	for i := range b.types {
		b.types[i] = columnTypeOf(in, i)
	}
	row := make([]driver.Value, len(columns))
	for err = in.Next(row); err == nil; err = in.Next(row) {
		kept := make([]driver.Value, len(row))
		for i, v := range row {
			kept[i] = copied(v)
		}
		b.rows = append(b.rows, kept[:shown:shown])
		if see != nil {
			see(kept[shown:])
		}
	}
	b.end = err
	if closed := in.Close(); b.end == io.EOF && closed != nil { //nolint:errorlint // The driver's contract is this very value.
		b.end = closed
	}
	if b.end == io.EOF { //nolint:errorlint // As above.
		return b, len(b.rows), nil
	}
	return b, len(b.rows), b.end
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

func (b *buffered) Close() error {
	b.rows = nil
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
