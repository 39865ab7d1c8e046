package queries

import (
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme/internal/suite/writes"
)

// column is one of a source, as conditions name it.
type column struct {
	source, name string
	text         bool // it holds texts
	boolean      bool
	id           func(dice) int64 // of whom it holds ids; nil: it holds numbers
}

// expr is a piece of SQL with its arguments.
type expr struct {
	text string
	args []any
}

func (e expr) and(more string, args ...any) expr {
	return expr{e.text + more, append(slices.Clip(e.args), args...)}
}

func messageColumns(source string) []column {
	return []column{
		{source: source, name: "id", id: dice.message},
		{source: source, name: "sender_id", id: dice.user},
		{source: source, name: "sender_id", id: dice.user},
		{source: source, name: "recipient_id", id: dice.user},
		{source: source, name: "subject", text: true},
		{source: source, name: "sent"},
		{source: source, name: "urgent", boolean: true},
		{source: source, name: "note", text: true},
	}
}

func userColumns(source string) []column {
	return []column{
		{source: source, name: "id", id: dice.user},
		{source: source, name: "name", text: true},
		{source: source, name: "width", id: dice.user},
		{source: source, name: "age"},
		{source: source, name: "team_id", id: dice.team},
	}
}

func teamColumns(source string) []column {
	return []column{{source: source, name: "id", id: dice.team}, {source: source, name: "name", text: true}, {source: source, name: "city", text: true}}
}

func taggingColumns(source string) []column {
	return []column{{source: source, name: "message_id", id: dice.message}, {source: source, name: "tag_id", id: dice.tag}}
}

// named is a column as a text names it: quoted or not, or, where there is no other source, alone.
func (d dice) named(c column, alone bool) expr {
	switch {
	case alone && d.chance(25):
		return expr{text: c.name}
	case d.chance(50):
		return expr{"?", []any{bun.Ident(c.source + "." + c.name)}}
	default:
		return expr{text: c.source + "." + c.name}
	}
}

// value is one that the column may hold.
func (d dice) value(c column) any {
	switch {
	case c.text:
		return d.word()
	case c.boolean:
		return d.chance(50)
	case c.id != nil:
		return c.id(d)
	default:
		return d.number()
	}
}

// scope is what conditions can speak of.
type scope struct {
	dialect writes.Dialect
	columns []column
	alone   bool // there is one source
	depth   int  // of subqueries around
}

// condition is a random tree.
func (d dice) condition(s scope, depth int) expr {
	if depth == 0 || d.chance(35) {
		return d.leaf(s)
	}
	switch d.IntN(6) {
	case 0:
		return d.condition(s, depth-1).wrapped("NOT (", ")")
	case 1, 2:
		return d.joined(s, depth, " OR ")
	default:
		return d.joined(s, depth, " AND ")
	}
}

func (e expr) wrapped(before, after string) expr { return expr{before + e.text + after, e.args} }

func (d dice) joined(s scope, depth int, by string) expr {
	e := d.condition(s, depth-1).wrapped("(", ")")
	for range 1 + d.IntN(2) {
		next := d.condition(s, depth-1)
		e = e.and(by+"("+next.text+")", next.args...)
	}
	return e
}

// leaf is a condition on one column, mostly.
func (d dice) leaf(s scope) expr {
	c := pick(d, s.columns...)
	e := d.named(c, s.alone)
	switch n := d.IntN(100); {
	case c.boolean:
		return e.and(" = ?", d.value(c))
	case n < 38:
		return e.and(" = ?", d.value(c))
	case n < 50:
		return e.and(" IN (?)", bun.List(d.values(c)))
	case n < 54:
		return e.and(" NOT IN (?)", bun.List(d.values(c)))
	case n < 60:
		return e.and(" <> ?", d.value(c))
	case n < 68:
		return e.and(pick(d, " < ?", " >= ?", " <= ?"), d.value(c))
	case n < 73:
		return e.and(" BETWEEN ? AND ?", d.value(c), d.value(c))
	case n < 77:
		return e.and(pick(d, " IS NULL", " IS NOT NULL"))
	case n < 80 && c.text:
		return e.and(" LIKE ?", d.word()+"%")
	case n < 82 && !c.text:
		return e.and(" + 0 = ?", d.value(c))
	case n < 84:
		return expr{text: "coalesce("}.and(e.text+", ?) = ?", append(e.args, d.value(c), d.value(c))...)
	case n < 87:
		other := pick(d, s.columns...)
		if other.text != c.text || other.boolean {
			return e.and(" = ?", d.value(c))
		}
		o := d.named(other, s.alone)
		return e.and(pick(d, " = ", " <> ", " < ")+o.text, o.args...)
	case n < 89:
		// The value stands before the column.
		return expr{"? = " + e.text, append([]any{d.value(c)}, e.args...)}
	default:
		if s.depth > 0 {
			return e.and(" = ?", d.value(c))
		}
		return d.nested(s)
	}
}

func (d dice) values(c column) []any {
	values := make([]any, 1+d.IntN(3))
	for i := range values {
		values[i] = d.value(c)
	}
	return values
}

// inner is the scope of a subquery on a source.
func (s scope) inner(columns []column) scope {
	return scope{dialect: s.dialect, columns: columns, depth: s.depth + 1}
}

// nested is a condition with a subquery.
func (d dice) nested(s scope) expr {
	var of []column
	for _, c := range s.columns {
		if c.id != nil {
			of = append(of, c)
		}
	}
	if len(of) == 0 {
		return d.leaf(scope{dialect: s.dialect, columns: s.columns, alone: s.alone, depth: 1})
	}
	c := pick(d, of...)
	e := d.named(c, false)
	in := pick(d, " IN (", " IN (", " NOT IN (")
	switch d.IntN(6) {
	case 0:
		w := d.condition(s.inner(userColumns("x")), 1)
		return e.and(in+"SELECT x.id FROM users AS x WHERE "+w.text+")", w.args...)
	case 1:
		w := d.condition(s.inner(messageColumns("x")), 1)
		return e.and(in+"SELECT x.sender_id FROM messages AS x WHERE x.sender_id IS NOT NULL AND ("+w.text+"))", w.args...)
	case 2:
		w := d.condition(s.inner(taggingColumns("x")), 1)
		return e.and(in+"SELECT x.message_id FROM message_tags AS x WHERE "+w.text+")", w.args...)
	case 3:
		w := d.condition(s.inner(taggingColumns("x")), 1)
		return expr{pick(d, "EXISTS", "NOT EXISTS") + " (SELECT 1 FROM message_tags AS x WHERE x.message_id = " + e.text + " AND (" + w.text + "))", append(slices.Clip(e.args), w.args...)}
	case 4:
		w := d.condition(s.inner(messageColumns("x")), 1)
		return e.and(pick(d, " = ", " >= ")+"(SELECT "+pick(d, "max(x.sender_id)", "min(x.id)", "count(*)")+" FROM messages AS x WHERE "+w.text+")", w.args...)
	default:
		// The same through bun's own query.
		team := d.team()
		return e.and(strings.TrimSuffix(in, "(")+"(?)", build(func(db *bun.DB) *bun.SelectQuery {
			return db.NewSelect().Model((*User)(nil)).Column("id").Where("team_id = ?", team)
		}))
	}
}

// in makes the arguments ones of a database.
func (e expr) in(db *bun.DB) []any {
	if len(e.args) == 0 {
		return nil // else bun warns that there are arguments
	}
	args := make([]any, len(e.args))
	for i, a := range e.args {
		if q, ok := a.(build); ok {
			a = q(db)
		}
		args[i] = a
	}
	return args
}
