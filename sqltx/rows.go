package sqltx

import (
	"database/sql/driver"
	"io"
	"reflect"
)

// rows are rows of the driver's with something to do when they are closed: the statement that was prepared for them is
// closed, and an error among them is told, for it may have ended the transaction.
type rows struct {
	in   driver.Rows
	stmt driver.Stmt     // nil if there is none to close
	lost func(err error) // nil if nobody asks
	err  error
}

var (
	_ driver.RowsNextResultSet              = (*rows)(nil)
	_ driver.RowsColumnTypeScanType         = (*rows)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
	_ driver.RowsColumnTypeLength           = (*rows)(nil)
	_ driver.RowsColumnTypeNullable         = (*rows)(nil)
	_ driver.RowsColumnTypePrecisionScale   = (*rows)(nil)
)

func (r *rows) Columns() []string { return r.in.Columns() }

func (r *rows) Next(dest []driver.Value) error { return r.note(r.in.Next(dest)) }

func (r *rows) Close() error {
	err := r.in.Close()
	if r.stmt != nil {
		_ = r.stmt.Close() // As database/sql: the rows' own error is the one to tell.
		r.stmt = nil
	}
	// Told only now: whoever hears it uses the connection, which runs one statement at a time.
	if r.err != nil && r.lost != nil {
		r.lost(r.err)
		r.err = nil
	}
	return err
}

func (r *rows) note(err error) error {
	if err != nil && err != io.EOF { //nolint:errorlint // The driver's contract is this very value.
		r.err = err
	}
	return err
}

func (r *rows) HasNextResultSet() bool {
	n, ok := r.in.(driver.RowsNextResultSet)
	return ok && n.HasNextResultSet()
}

func (r *rows) NextResultSet() error {
	if n, ok := r.in.(driver.RowsNextResultSet); ok {
		return r.note(n.NextResultSet())
	}
	return io.EOF
}

func (r *rows) ColumnTypeScanType(i int) reflect.Type   { return scanType(r.in, i) }
func (r *rows) ColumnTypeDatabaseTypeName(i int) string { return databaseTypeName(r.in, i) }

func (r *rows) ColumnTypeLength(i int) (int64, bool) { return columnLength(r.in, i) }

func (r *rows) ColumnTypeNullable(i int) (nullable, ok bool) { return columnNullable(r.in, i) }

func (r *rows) ColumnTypePrecisionScale(i int) (p, s int64, ok bool) { return columnDecimal(r.in, i) }
