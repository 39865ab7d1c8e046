package bunhooks

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/cacheme/cacheme/sqltx"
)

// takeOver takes the rows out of the outbox that triggers wrote in the open transaction, and returns what they know beyond
// what is known of its statements: what functions, other triggers and cascades wrote. So nothing is told twice, and
// nothing is left out because this process believes that it knows better.
//
// Not so in a serializable transaction, whose reading of the table would be a conflict with every other writer: there a
// relay tells what triggers wrote.
func (e *engine) takeOver(ctx context.Context, c *sqltx.Conn, all []*written) (more []*written, err error) {
	if tx := c.Tx(); tx != nil && sql.IsolationLevel(tx.Options.Isolation) == sql.LevelSerializable {
		return nil, nil
	}
	o, s := e.outbox, e.dialect.outbox()
	mine := fmt.Sprintf(" FROM %s WHERE cache = %s AND %s", o.table, s.literal(e.cache.Prefix()), s.mine)
	take := "SELECT id, wrote, what" + mine
	if s.takes {
		take = "DELETE" + mine + " RETURNING id, wrote, what"
	}
	rows, err := askConn(c)(ctx, take)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	if !s.takes {
		ids := make([]string, len(rows))
		for i, row := range rows {
			ids[i] = row[0]
		}
		if _, err := c.Exec(ctx, s.deleteRows(o.table, ids), nil); err != nil {
			return nil, err
		}
	}
	w := e.watch()
	known := newKnowledge(all)
	for _, row := range rows {
		slip, err := readSlip(row[2])
		if err != nil {
			slip.Op, slip.Whole = "outbox", true
		}
		for _, one := range w.writtenIn(row[1], slip, e.rowCap) {
			if one = known.beyond(one); !one.nothing() {
				e.cap(one)
				more = append(more, one)
			}
		}
	}
	return more, nil
}

// knowledge is what the statements of a transaction are known to have written.
type knowledge struct {
	whole []*table
	rows  map[*table]map[string]bool
}

func newKnowledge(all []*written) knowledge {
	k := knowledge{rows: map[*table]map[string]bool{}}
	for _, w := range all {
		k.whole = union(k.whole, w.whole)
		for _, r := range w.rows {
			if k.rows[r.table] == nil {
				k.rows[r.table] = map[string]bool{}
			}
			for _, values := range r.values {
				k.rows[r.table][r.table.image(values)] = true
			}
		}
	}
	return k
}

// beyond is what of it is not known.
func (k knowledge) beyond(w *written) *written {
	more := &written{by: w.by, target: w.target}
	for _, t := range w.whole {
		if !slices.Contains(k.whole, t) {
			more.whole = append(more.whole, t)
		}
	}
	for _, r := range w.rows {
		if slices.Contains(k.whole, r.table) {
			continue
		}
		unknown := slices.DeleteFunc(slices.Clone(r.values), func(values []driver.Value) bool { return k.rows[r.table][r.table.image(values)] })
		if len(unknown) > 0 {
			more.rows = append(more.rows, rowset{r.table, unknown})
			more.count += len(unknown)
		}
	}
	return more
}

// image is a row by all that says what becomes wrong, whoever read it.
func (t *table) image(row []driver.Value) string {
	var b strings.Builder
	for i, v := range row {
		if i < t.keys || t.tells(i) {
			fmt.Fprintf(&b, "%v %q,", v == nil, text(v))
		}
	}
	return b.String()
}
