package sqltext_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun/driver/sqliteshim"

	"github.com/cacheme/cacheme/internal/sqltext"
)

// world is a few small tables in SQLite, and what is in them.
type world struct {
	t      *testing.T
	ctx    context.Context
	conn   *sql.Conn
	random *rand.Rand
	tables map[string]*table
	next   int64 // rowid
	unique bool  // no two rows of a table have the same id
}

type table struct {
	name    string
	columns []string // all integers, but for s, which is a text
	rows    map[int64][]any
	order   []int64
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	pool, err := sql.Open(sqliteshim.ShimName, ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	ctx := context.Background()
	conn, err := pool.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	w := &world{t: t, ctx: ctx, conn: conn, random: rand.New(rand.NewPCG(seed, 7)), tables: make(map[string]*table)}
	for name, own := range map[string]string{"t": "x", "u": "y", "v": "z"} {
		w.tables[name] = &table{name: name, columns: []string{"id", "a", own, "s"}, rows: make(map[int64][]any)}
		w.exec(fmt.Sprintf("CREATE TABLE %s (id INTEGER, a INTEGER, %s INTEGER, s TEXT)", name, own))
	}
	return w
}

func (w *world) exec(text string) {
	w.t.Helper()
	if _, err := w.conn.ExecContext(w.ctx, text); err != nil {
		w.t.Fatalf("%s: %v", text, err)
	}
}

// fill gives the tables a few rows.
func (w *world) fill() {
	for _, name := range []string{"t", "u", "v"} {
		for range 3 {
			if row := w.row(w.tables[name], 0); row != nil {
				w.apply(change{table: w.tables[name], rowid: w.rowid(), now: row})
			}
		}
	}
}

func (w *world) rowid() int64 { w.next++; return w.next }

// row makes a row; nil if it may not be in the table with the others, but for the one that it replaces.
func (w *world) row(tb *table, replaces int64) []any {
	row := make([]any, len(tb.columns))
	for i, c := range tb.columns {
		switch n := w.random.IntN(5); {
		case n == 4 && c != "id":
		case c == "s":
			row[i] = string(rune('p' + n%4))
		default:
			row[i] = int64(n % 4)
		}
	}
	for id, other := range tb.rows {
		if w.unique && id != replaces && other[0] == row[0] {
			return nil
		}
	}
	return row
}

// change is that of one row; was is nil for an INSERT, now is for a DELETE.
type change struct {
	table    *table
	rowid    int64
	was, now []any
}

func (w *world) change() (c change, ok bool) {
	tb := w.tables[[]string{"t", "u", "v"}[w.random.IntN(3)]]
	kind := w.random.IntN(3)
	if kind == 0 && len(tb.order) < 6 || len(tb.order) == 0 {
		c = change{table: tb, rowid: w.rowid(), now: w.row(tb, 0)}
		return c, c.now != nil
	}
	c = change{table: tb, rowid: tb.order[w.random.IntN(len(tb.order))]}
	c.was = tb.rows[c.rowid]
	if kind == 1 && len(tb.order) > 1 {
		return c, true
	}
	c.now = slices.Clone(c.was)
	fresh := w.row(tb, c.rowid)
	if fresh == nil {
		return c, false
	}
	if w.random.IntN(2) == 0 {
		c.now = fresh
	} else {
		i := w.random.IntN(len(fresh))
		c.now[i] = fresh[i]
	}
	return c, true
}

func (c change) String() string {
	literals := func(row []any) []string {
		var all []string
		for _, v := range row {
			switch v := v.(type) {
			case nil:
				all = append(all, "NULL")
			case int64:
				all = append(all, strconv.FormatInt(v, 10))
			default:
				all = append(all, fmt.Sprintf("'%s'", v))
			}
		}
		return all
	}
	switch {
	case c.was == nil:
		return fmt.Sprintf("INSERT INTO %s (rowid, %s) VALUES (%d, %s)", c.table.name, strings.Join(c.table.columns, ", "), c.rowid, strings.Join(literals(c.now), ", "))
	case c.now == nil:
		return fmt.Sprintf("DELETE FROM %s WHERE rowid = %d", c.table.name, c.rowid)
	}
	var sets []string
	for i, l := range literals(c.now) {
		sets = append(sets, c.table.columns[i]+" = "+l)
	}
	return fmt.Sprintf("UPDATE %s SET %s WHERE rowid = %d", c.table.name, strings.Join(sets, ", "), c.rowid)
}

func (w *world) apply(c change) {
	w.t.Helper()
	w.exec(c.String())
	if c.now == nil {
		delete(c.table.rows, c.rowid)
		c.table.order = slices.DeleteFunc(c.table.order, func(id int64) bool { return id == c.rowid })
		return
	}
	if c.was == nil {
		c.table.order = append(c.table.order, c.rowid)
	}
	c.table.rows[c.rowid] = c.now
}

// result returns the rows of a query in an order of their own, which is not what is compared.
func (w *world) result(text string) ([]string, error) {
	rows, err := w.conn.QueryContext(w.ctx, text)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values, pointers := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		pointers[i] = &values[i]
	}
	var all []string
	for rows.Next() {
		if err := rows.Scan(pointers...); err != nil {
			return nil, err
		}
		all = append(all, fmt.Sprintf("%#v", values))
	}
	slices.Sort(all)
	return all, rows.Err()
}

// owner is the catalog of the tables.
func (w *world) owner(name sqltext.Name, column string) bool {
	tb := w.tables[strings.ToLower(name.Table)]
	return tb != nil && slices.Contains(tb.columns, strings.ToLower(column))
}

// matters returns whether a source says that this row may matter.
func matters(s sqltext.Source, tb *table, row []any) bool {
	if row == nil {
		return false
	}
	if s.Criteria == nil {
		return true
	}
	return slices.ContainsFunc(s.Criteria, func(c sqltext.Criterion) bool {
		for _, e := range c {
			// All columns are known here, so that a criterion of one that the table does not have speaks of another table.
			switch v := row[slices.Index(tb.columns, strings.ToLower(e.Column))].(type) {
			case nil:
				return false
			case int64:
				if e.Value.Kind == sqltext.Integer && strconv.FormatInt(v, 10) != e.Value.Text {
					return false
				}
			case string:
				if e.Value.Kind == sqltext.String && v != e.Value.Text {
					return false
				}
			}
		}
		return true
	})
}

// judged returns whether a reading says that a change may matter.
func judged(r sqltext.Reading, c change) bool {
	for _, s := range r.Sources {
		if strings.EqualFold(s.Table.Table, c.table.name) && (matters(s, c.table, c.was) || matters(s, c.table, c.now)) {
			return true
		}
	}
	return false
}

// reads returns whether a table is read at all.
func reads(r sqltext.Reading, tb *table) bool {
	return slices.ContainsFunc(r.Sources, func(s sqltext.Source) bool { return strings.EqualFold(s.Table.Table, tb.name) })
}

// rounds is how often a property is tried.
func rounds(ordinary int) int {
	if os.Getenv("TORTURE") != "" {
		return ordinary * 50
	}
	return ordinary
}

func TestReads_a_change_of_a_row_that_satisfies_no_criterion_leaves_the_result(t *testing.T) {
	t.Parallel()
	const each = 5_000
	for seed := range uint64(rounds(1)) {
		w := newWorld(t, seed)
		w.fill()
		var failed, needless, needed, spared, narrow int
		began := time.Now()
		for spared < each && time.Since(began) < 8*time.Second { // a slow machine proves less
			g := &grammar{world: w}
			text := g.text()
			before, err := w.result(text)
			if err != nil {
				failed++
				continue
			}
			r, err := sqltext.Reads(lite, text, w.owner)
			if err != nil {
				t.Fatalf("Reads(%s): %v", text, err)
			}
			tries := 2
			if slices.ContainsFunc(r.Sources, func(s sqltext.Source) bool { return s.Criteria != nil }) {
				narrow++
				tries = 32
			}
			for range tries {
				c, ok := w.change()
				if !ok {
					continue
				}
				if judged(r, c) {
					// Of these few are made, to know how many of them are judged so without need.
					if w.random.IntN(8) > 0 {
						continue
					}
					w.apply(c)
					after, err := w.result(text)
					if err != nil {
						t.Fatalf("%s: %v", text, err)
					}
					if slices.Equal(before, after) {
						needless++
					} else {
						needed++
					}
					before = after
					continue
				}
				if reads(r, c.table) {
					spared++
				}
				w.apply(c)
				after, err := w.result(text)
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				if !slices.Equal(before, after) {
					t.Fatalf("seed %d: %s\nchanges the result of\n%s\nfrom %q\nto   %q\nwas %v, now %v, read as\n%+v", seed, c, text, before, after, c.was, c.now, r)
				}
			}
		}
		t.Logf("seed %d in %v: %d changes of tables that are read were spared; %d that were not changed the result and %d did not; %d queries with criteria; %d failed",
			seed, time.Since(began).Round(time.Millisecond), spared, needed, needless, narrow, failed)
		if spared < each/100 || needed == 0 {
			t.Errorf("%d changes were spared: they prove nothing", spared)
		}
	}
}
