package writes

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/uptrace/bun"
)

// on is what a write runs on.
type on struct {
	bun.IDB
	plain   plain
	dialect Dialect
	told    *transcript
}

// transcript is what a program got to see.
type transcript struct{ lines []string }

func (x on) tell(format string, args ...any) {
	x.told.lines = append(x.told.lines, fmt.Sprintf(format, args...))
}

// did takes what an Exec returned.
func (x on) did(r sql.Result, err error) error {
	if err != nil {
		x.tell("error: %v", err)
		return err
	}
	n, err := r.RowsAffected()
	x.tell("%d rows, %v", n, err)
	return nil
}

// inserted is did for a statement that has a last id.
func (x on) inserted(r sql.Result, err error) error {
	if err == nil && r != nil {
		id, err := r.LastInsertId()
		x.tell("last id %d, %v", min(id, generatedFrom), err) // which one it is depends on what ran before
	}
	return x.did(r, err)
}

// gets takes what a Query returned, and reads the rows.
func (x on) gets(rows *sql.Rows, err error) error {
	if err != nil {
		x.tell("error: %v", err)
		return err
	}
	columns, err := rows.Columns()
	if err != nil {
		return errors.Join(err, rows.Close())
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		return errors.Join(err, rows.Close())
	}
	for i, c := range columns {
		x.tell("column %s %s", c, types[i].DatabaseTypeName())
	}
	values, dest := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range values {
		dest[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return errors.Join(err, rows.Close())
		}
		x.tell("row %v", values)
	}
	return errors.Join(rows.Err(), rows.Close())
}

var errDidNotFail = errors.New("the statement did not fail")

// failed wants an error.
func (x on) failed(_ sql.Result, err error) error {
	if err == nil {
		return errDidNotFail
	}
	x.tell("error: %v", err)
	return nil
}

// text writes a statement with the parameters of the database: PostgreSQL numbers them.
func (x on) text(text string) string {
	if x.dialect != Postgres {
		return text
	}
	var b strings.Builder
	n := 0
	for _, r := range text {
		if r == '?' {
			n++
			fmt.Fprintf(&b, "$%d", n)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// pick returns what is written for the database at hand.
func (x on) pick(texts map[Dialect]string) string {
	for d, text := range texts {
		if d&x.dialect != 0 {
			return text
		}
	}
	panic(fmt.Sprintf("nothing is written for %v", x.dialect))
}
