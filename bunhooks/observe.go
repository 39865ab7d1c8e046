package bunhooks

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/caller"
	"github.com/cacheme/cacheme/internal/sqltext"
	"github.com/cacheme/cacheme/sqltx"
)

// observe tells the load whose context a statement has what it reads. In a transaction nothing is told: the load's value
// is its caller's alone. What it returns is to see the rows.
func (e *engine) observe(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement) *look {
	o := e.cache.Observing(ctx)
	if o == nil || c.Tx() != nil || !o.IsAuto() && !o.Due(sqltext.Shape(s.Text)) {
		return nil
	}
	if !s.IsRead() && !readsOnly(s.Script()) {
		o.Unseen("a statement of the load is no query, or it is not certain that it is one")
		return nil
	}
	r := reader{engine: e, watch: e.watch(), o: o, moved: c.Moved() && e.dialect.text == sqltext.MySQL, home: e.dialect.text == sqltext.MySQL && !c.Moved()}
	r.text = s.Text
	if len(s.Args) > 0 {
		args := make([]any, len(s.Args))
		for i, a := range s.Args {
			args[i] = a.Value
		}
		r.text = sqltext.Bind(e.dialect.text, s.Text, args)
	}
	r.read()
	return r.later
}

// readsOnly reports whether a text is one query.
func readsOnly(script sqltext.Script) bool {
	return len(script.Statements) == 1 && script.Statements[0].Kind == sqltext.Read
}

// reader tells a load of one query.
type reader struct {
	*engine
	watch *watch
	o     *cacheme.Observation
	text  string
	home  bool // tables without a schema are in the standard one
	moved bool // ... or in any database of the server
	later *look
}

func (r *reader) read() {
	reading, err := sqltext.Reads(r.dialect.text, r.text, r.owns)
	if err != nil {
		reason := err.Error()
		if unreadable, ok := errors.AsType[*sqltext.UnreadableError](err); ok {
			reason = unreadable.Reason
		}
		r.o.Unseen("a query of the load cannot be read: " + reason)
		return
	}
	if len(reading.Functions) > 0 {
		r.o.Unseen("a query of the load calls " + strings.Join(reading.Functions, ", ") + ", which may give another result for the same rows")
	}
	if r.moved {
		r.o.Unseen("the load ran on a connection on which the program has chosen another database")
	}
	if r.o.IsAuto() {
		for i := range reading.Sources {
			r.depend(&reading.Sources[i])
		}
		return
	}
	line, aggregate := caller.Line(), isAggregate(r.text)
	r.later = &look{o: r.o}
	for i := range reading.Sources {
		if read, ok := r.sighted(&reading, i, line); ok {
			switch s := &reading.Sources[i]; {
			case len(reading.Sources) == 1 || len(s.Criteria) > 0:
				r.o.Read(read)
			case !aggregate:
				r.later.waits(read, s)
			}
		}
	}
}

// owns reports whether a table surely has a column.
func (r *reader) owns(name sqltext.Name, column string) bool {
	if r.moved || r.isShadowed(name) || name.Schema == "" && !r.home && len(r.watch.byName[strings.ToLower(name.Table)]) > 1 {
		return false
	}
	facts, known := r.watch.catalog.tables[newTableID(name.Schema, name.Table, r.watch.standard)]
	_, has := facts.columns[strings.ToLower(column)]
	return known && has
}

// depend tells what an entry depends on by a source: rows by integers, by which a writer tells rows too, or the table.
func (r *reader) depend(s *sqltext.Source) {
	tables, certain := r.watch.find(s.Table, r.home)
	isTable := func(t *table) bool { _, known := r.watch.catalog.tables[t.id]; return known }
	if !slices.ContainsFunc(r.watch.byName[strings.ToLower(s.Table.Table)], isTable) || len(tables) == 0 || r.isShadowed(s.Table) {
		r.o.Unseen("a query of the load reads " + s.Table.Table + ", which is no table of the database: a view, perhaps, or a temporary table")
		return
	}
	hides := func(t *table) bool { return !r.watch.catalog.tables[t.id].returns }
	if r.dialect.text == sqltext.Postgres && slices.ContainsFunc(tables, hides) {
		r.o.Unseen("a query of the load reads " + s.Table.Table + ", whose rows depend on a policy, or lie in another database")
		return
	}
	read := cacheme.Read{}
	for _, t := range tables {
		read.Tables = append(read.Tables, t.id.name())
	}
	if certain && !r.moved {
		read.Matches = r.having(tables[0], s.Criteria)
	}
	r.o.Read(read)
}

// having are the rows that satisfy one of the criteria, where each of them names integers that writers tell.
func (r *reader) having(t *table, criteria []sqltext.Criterion) []cacheme.Match {
	var matches []cacheme.Match
	for _, c := range criteria {
		m, ok := t.having(func(column string) (int64, bool) {
			for _, eq := range c {
				if eq.Column == column || r.dialect.text != sqltext.Postgres && strings.EqualFold(eq.Column, column) {
					v, err := strconv.ParseInt(eq.Value.Text, 10, 64)
					return v, err == nil && eq.Value.Kind == sqltext.Integer
				}
			}
			return 0, false
		})
		if !ok {
			return nil
		}
		matches = append(matches, m)
	}
	return matches
}

// sighted is a source to be compared with what is declared, where it is certain which table it is.
func (r *reader) sighted(reading *sqltext.Reading, i int, line string) (read cacheme.Read, ok bool) {
	s := &reading.Sources[i]
	name, id := strings.ToLower(s.Table.Table), newTableID(s.Table.Schema, s.Table.Table, r.watch.standard)
	tables, certain := r.watch.find(s.Table, r.home)
	facts, known := r.watch.catalog.tables[id]
	if !known || len(tables) > 0 && !certain || len(r.watch.aliases[name]) > 0 || r.isShadowed(s.Table) || r.moved {
		return read, false
	}
	read.Line = line
	if len(tables) > 0 {
		read.Tables = tables[0].names
	}
	if len(read.Tables) == 0 {
		read.Tables = []string{id.name()}
	}
	read.Any = len(reading.Sources) == 1 && s.Criteria == nil && !strings.Contains(strings.ToLower(r.text), "where")
	for _, c := range s.Criteria {
		m, ok := match(facts, c)
		if !ok {
			read.Matches = nil
			break
		}
		has := func(columns []string) bool { return hasAll(m.Columns, columns) }
		m.Unique = slices.ContainsFunc(r.watch.catalog.uniques[id], has) || len(facts.key) > 0 && has(facts.key)
		read.Matches = append(read.Matches, m)
	}
	return read, true
}

// hasAll reports whether all of the wanted columns are among the others.
func hasAll(columns, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(w string) bool {
		return !slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(c, w) })
	})
}

// match is a criterion with its values. It is not ok where the database compares otherwise than Go does.
func match(facts tableFacts, c sqltext.Criterion) (m cacheme.Match, ok bool) {
	for _, eq := range c {
		if facts.columns[strings.ToLower(eq.Column)].folded {
			return m, false
		}
		var v any = eq.Value.Text
		switch eq.Value.Kind {
		case sqltext.Integer:
			n, err := strconv.ParseInt(eq.Value.Text, 10, 64)
			if err != nil {
				return m, false
			}
			v = n
		case sqltext.Bool:
			v = eq.Value.Text == "true"
		case sqltext.String:
		}
		m.Columns, m.Values = append(m.Columns, eq.Column), append(m.Values, v)
	}
	return m, true
}
