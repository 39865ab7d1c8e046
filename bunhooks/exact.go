package bunhooks

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cacheme/cacheme/internal/sqltext"
	"github.com/cacheme/cacheme/sqltx"
)

// learn runs a statement in the transaction that the connection is in, and says what it wrote. After an error it wrote
// nothing: the database undoes a statement that fails.
func (e *engine) learn(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement, v verdict, query bool) (answer, *written, error) {
	if v.exact == nil {
		a, err := whole(ctx, s, query)
		return a, v.whole(), err
	}
	t := v.tables[0]
	m, why := e.dialect.manner(v.exact, t, query)
	r := reading{e: e, c: c, s: s, t: t, stmt: v.exact, w: &written{by: v.by, target: t}, keeps: v.keeps}
	if why == "" && m.before {
		ok, err := r.before(ctx)
		if err != nil {
			return answer{}, nil, err
		}
		if !ok {
			why = "the rows that it is about to write cannot be asked for"
		}
	}
	if why != "" || len(t.columns) == 0 {
		a, err := whole(ctx, s, query)
		if err == nil && (why != "" || !nobody(a)) {
			r.giveUp()
		}
		r.drag()
		return a, r.w, err
	}
	a, err := r.run(ctx, m, query)
	r.drag()
	return a, r.w, err
}

// nobody reports whether a statement surely wrote no row.
func nobody(a answer) bool {
	if a.result == nil {
		return false
	}
	n, err := a.result.RowsAffected()
	return err == nil && n == 0
}

// reading is one statement whose rows are being learned.
type reading struct {
	e    *engine
	c    *sqltx.Conn
	s    *sqltx.Statement
	t    *table
	stmt *sqltext.Statement
	w    *written

	keeps bool // rows that others refer to stay

	old  [][]driver.Value // the rows before
	over bool             // there are more of them than are named one by one
}

// giveUp names the table as a whole.
func (r *reading) giveUp() { r.w.giveUpAs(r.t, r.keeps) }

// drag gives up what the table's triggers may have written, also where no row was written that one is told of: a trigger
// may run for the statement, or write another row in place of it.
func (r *reading) drag() {
	for _, other := range r.t.drags {
		r.w.giveUp(other)
	}
}

// before asks for the rows that the statement is about to write, and locks them. It is not ok where that cannot be asked.
func (r *reading) before(ctx context.Context) (ok bool, err error) {
	d := r.e.dialect
	columns := r.columns(r.stmt.Target())
	if d.isolation != "" {
		if tx := r.c.Tx(); tx != nil && tx.Options.Isolation != 0 && sql.IsolationLevel(tx.Options.Isolation) < sql.LevelRepeatableRead {
			return false, nil
		}
		columns = append(columns, d.isolation)
	}
	text, args, ok := r.stmt.SelectOld(columns, d.lock(r.stmt))
	if !ok {
		return false, nil
	}
	if d.numbers && parameters(r.s.Text) != len(r.s.Args) {
		return false, nil // pgx takes options and named arguments before the rest: which one is which is the driver's secret
	}
	if err := d.lockFirst(ctx, r.c, r.t); err != nil {
		return false, err
	}
	named := make([]driver.NamedValue, len(args))
	for i, at := range args {
		if at >= len(r.s.Args) {
			return false, nil
		}
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: r.s.Args[at].Value}
	}
	r.old, r.over, err = r.e.fetch(ctx, r.c, text, named)
	if err != nil {
		return false, err // as it is: the statement itself would have met it, and callers look at the driver's type
	}
	return d.isolation == "" || r.isolated(ctx), nil
}

// parameters is the highest number of a parameter in a text, $3 for one. It counts those in strings too.
func parameters(text string) (highest int) {
	for rest := text; ; {
		_, after, found := strings.Cut(rest, "$")
		if !found {
			return highest
		}
		digits := len(after) - len(strings.TrimLeft(after, "0123456789"))
		if n, err := strconv.Atoi(after[:digits]); err == nil {
			highest = max(highest, n)
		}
		rest = after[digits:]
	}
}

// isolated reports whether no row can come between the locked SELECT and the write after it, where nothing would tell: that
// hangs on the isolation level, which stands in the last column of what was read.
func (r *reading) isolated(ctx context.Context) bool {
	level := ""
	for i, row := range r.old {
		last := len(row) - 1
		level, r.old[i] = text(row[last]), row[:last]
	}
	if len(r.old) == 0 {
		rows, err := askConn(r.c)(ctx, "SELECT "+r.e.dialect.isolation)
		if err != nil || len(rows) != 1 {
			return false
		}
		level = rows[0][0]
	}
	return !strings.HasPrefix(strings.ToUpper(level), "READ")
}

// columns are those that are read, quoted, and qualified where the qualifier is not empty.
func (r *reading) columns(qualifier string) []string {
	return r.e.dialect.columns(r.t, qualifier)
}

// fetch reads rows up to the cap.
func (e *engine) fetch(ctx context.Context, c *sqltx.Conn, text string, args []driver.NamedValue) (all [][]driver.Value, over bool, err error) {
	rows, err := c.Query(ctx, text, args)
	if err != nil {
		return nil, false, err
	}
	defer func() {
		if closed := rows.Close(); err == nil {
			err = closed // an error of the driver's stays the only one, since callers look at its type
		}
	}()
	dest := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(dest); {
		case errors.Is(err, io.EOF):
			return all, false, nil
		case err != nil:
			return nil, false, err
		case len(all) > e.rowCap:
			return all, true, nil
		}
		all = append(all, kept(dest))
	}
}

// kept is a copy of a row whose bytes the driver will use again.
func kept(row []driver.Value) []driver.Value {
	row = slices.Clone(row)
	for i, v := range row {
		if b, ok := v.([]byte); ok {
			row[i] = slices.Clone(b)
		}
	}
	return row
}

// run runs the statement and learns the rest.
func (r *reading) run(ctx context.Context, m manner, query bool) (answer, error) {
	deletes := r.stmt.Kind == sqltext.Delete
	if m.before && deletes && len(r.t.children) > 0 {
		if err := r.e.children(ctx, r.c, r.w, r.t, r.old, r.over, nil); err != nil {
			return answer{}, err
		}
	}
	if !m.after {
		a, err := whole(ctx, r.s, query)
		if err != nil {
			return a, err
		}
		r.count(r.old, r.over)
		if m.again && !r.over {
			r.again(ctx)
		}
		return a, nil
	}
	a, after, over, err := r.returning(ctx, m, query)
	if err != nil {
		return a, err
	}
	r.count(after, over)
	if m.before {
		r.compare(after, over, m, deletes)
	}
	return a, nil
}

// count adds rows, or gives the table up where there are too many.
func (r *reading) count(rows [][]driver.Value, over bool) {
	if over {
		r.giveUp()
		return
	}
	r.w.add(r.t, rows)
}

// compare adds the rows before of those that were written. One that was written and not there before came in between:
// nobody knows what it was.
func (r *reading) compare(after [][]driver.Value, over bool, m manner, deletes bool) {
	if over || r.over {
		r.giveUp()
		return
	}
	old := make(map[string][]driver.Value, len(r.old))
	for _, row := range r.old {
		old[r.identity(row)] = row
	}
	var rows [][]driver.Value
	if m.moved {
		// All that were locked are written, and others besides only if there are more; unless what other tables say has
		// changed in between.
		if len(old) != len(after) || r.stmt.Mentions("select") || r.stmt.Mentions("from") {
			r.giveUp()
			return
		}
		after = slices.Collect(maps.Values(old))
	}
	for _, row := range after {
		before, known := old[r.identity(row)]
		if !known {
			r.giveUp()
			return
		}
		rows = append(rows, before)
	}
	if !deletes {
		r.w.add(r.t, rows)
	}
}

func (r *reading) identity(row []driver.Value) string {
	var b strings.Builder
	for _, v := range row[:r.t.keys] {
		fmt.Fprintf(&b, "%q,", text(v))
	}
	return b.String()
}

// returning runs the statement with its rows returned, and gives the caller what he asked for.
func (r *reading) returning(ctx context.Context, m manner, query bool) (a answer, rows [][]driver.Value, over bool, err error) {
	d := r.e.dialect
	qualifier := ""
	if d.qualifies && r.stmt.Kind != sqltext.Insert {
		qualifier = r.stmt.Target()
	}
	columns := r.columns(qualifier)
	serial := d.asksForSerial && !query && r.stmt.Kind == sqltext.Insert && r.t.serial != ""
	if serial {
		columns = append(columns, d.quote(r.t.serial))
	}
	if m.marked {
		columns = append(columns, "(xmax <> 0)")
	}
	open, err := r.s.Instead(r.stmt.Returning(columns)).Query(ctx)
	if err != nil {
		return a, nil, false, err
	}
	hide := len(columns)
	var last driver.Value
	numbers := map[string]bool{}
	var n int
	a.rows, n, err = sqltx.Buffer(open, hide, func(hidden []driver.Value) {
		if m.marked {
			if updated, ok := hidden[len(hidden)-1].(bool); !ok || updated {
				over = true
			}
			hidden = hidden[:len(hidden)-1]
		}
		if serial {
			last = hidden[len(hidden)-1]
			if len(numbers) < maxNumbers {
				numbers[text(last)] = true
			}
			hidden = hidden[:len(hidden)-1]
		}
		if over = over || len(rows) > r.e.rowCap; !over {
			rows = append(rows, hidden)
		}
	})
	if err != nil {
		return answer{}, nil, false, err
	}
	if !query {
		a.rows, a.result = nil, d.result(ctx, r.c, int64(n), last, numbers)
	}
	return a, rows, over, nil
}

// maxNumbers bounds how many of the numbers that the database gave are remembered to find out which was the first.
const maxNumbers = 1 << 16

// again asks for the same rows once more, as they are now. Where that fails the statement has been run all the same.
func (r *reading) again(ctx context.Context) {
	d := r.e.dialect
	keys := r.t.columns[:r.t.keys]
	for chunk := range slices.Chunk(r.old, maxInList) {
		args := make([]driver.NamedValue, 0, len(chunk)*len(keys))
		for _, row := range chunk {
			for _, v := range row[:r.t.keys] {
				args = append(args, driver.NamedValue{Ordinal: len(args) + 1, Value: v})
			}
		}
		text := "SELECT " + strings.Join(r.columns(""), ", ") + " FROM " + d.name(r.stmt.Tables[0]) + " WHERE " + d.in(keys, len(chunk)) + d.lockRows
		rows, over, err := r.e.fetch(ctx, r.c, text, args)
		r.count(rows, over || err != nil)
	}
}

// maxInList bounds one IN list, far below what any of the databases takes.
const maxInList = 500
