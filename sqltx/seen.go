package sqltx

import "database/sql/driver"

// Seen returns rows that are the same, and shows each row of the first result set as the program reads it: see must not
// keep the values. closed is called when the rows are closed. Neither may use the connection.
func Seen(in driver.Rows, see func(row []driver.Value), closed func()) driver.Rows {
	return &seenRows{rows: rows{in: in}, see: see, closed: closed}
}

type seenRows struct {
	rows
	see    func(row []driver.Value)
	closed func()
}

func (r *seenRows) Next(dest []driver.Value) error {
	err := r.rows.Next(dest)
	if err == nil && r.see != nil {
		r.see(dest)
	}
	return err
}

func (r *seenRows) NextResultSet() error {
	r.see = nil
	return r.rows.NextResultSet()
}

func (r *seenRows) Close() error {
	if r.closed != nil {
		r.closed()
		r.closed = nil
	}
	return r.rows.Close()
}
