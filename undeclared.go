package cacheme

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// judge compares what a load read with what its entries depend on, and tells what nothing would make wrong. It is for
// mistakes that are certain: where one cannot tell, it says nothing. Loads of several nodes at once are judged together,
// for their queries are for all of them.
func (c *Cache) judge(ctx context.Context, ws []*work, in inner) {
	if len(in.seen.reads) == 0 || in.spoiled != "" || in.private != "" {
		return
	}
	j := judgement{names: map[string]bool{}, plans: c.registry.table.Load(), c: c, p: ws[0].r.plan}
	for _, w := range ws {
		if w.entry.TTL == 0 {
			return // what it would have depended on is not known
		}
		declared := c.names(w.r.keys)
		for _, name := range slices.Concat(declared, w.late) {
			if _, handed := in.handed[name]; !handed && strings.HasPrefix(name, string(tagKind)+":") {
				return // made wrong by hand, and for what only its user knows
			}
			j.names[name] = true
		}
	}
	for _, m := range j.p.models {
		if j.names[nameOf(tableKind, tableName(m))] {
			j.byKeys = append(j.byKeys, tableName(m))
		}
	}
	for i := range in.seen.reads {
		j.read(ctx, &in.seen.reads[i])
	}
}

// judgement is what one load's entries depend on.
type judgement struct {
	c      *Cache
	p      *nodePlan
	plans  *plans
	names  map[string]bool
	byKeys []string // tables whose rows say by themselves what they make wrong
}

func (j *judgement) read(ctx context.Context, r *Read) {
	if len(r.Tables) == 0 || slices.ContainsFunc(r.Tables, func(t string) bool { return j.names[nameOf(rowsKind, t)] }) {
		return
	}
	table := r.Tables[0]
	if !slices.ContainsFunc(r.Tables, func(t string) bool { return j.names[nameOf(tableKind, t)] }) {
		columns := ""
		if len(r.Matches) > 0 {
			columns = strings.Join(r.Matches[0].Columns, ", ")
		}
		j.tell(ctx, r, columns, "reads the table "+table+" and depends on nothing of it", j.remedy(r, nil))
		return
	}
	if slices.ContainsFunc(r.Tables, func(t string) bool { return slices.Contains(j.byKeys, t) }) {
		return
	}
	if r.Any {
		if !j.isUnsure(r.Tables, Match{}) {
			j.tell(ctx, r, "", "reads every row of "+table+", so that a new one matters, and depends only on some", j.remedy(r, nil))
		}
		return
	}
	for _, m := range r.Matches {
		if m.Unique || j.covers(r.Tables, m) || j.isUnsure(r.Tables, m) {
			continue
		}
		columns := strings.Join(m.Columns, ", ")
		j.tell(ctx, r, columns, fmt.Sprintf("reads the rows of %s that have a certain %s, so that a row which gets that matters, and depends on other rows of it alone", table, columns), j.remedy(r, m.Columns))
		return
	}
}

// tell tells a mistake once.
func (j *judgement) tell(ctx context.Context, r *Read, columns, what, remedy string) {
	if !j.p.known.first("undeclared " + r.Tables[0] + " " + columns) {
		return
	}
	j.c.happened(ctx, j.p, Event{
		Kind: EventUndeclared, Table: r.Tables[0], Columns: columns, Line: r.Line,
		Reason: what + ": " + remedy + "; where that is meant, say Meta{Observe: cacheme.Off}",
	})
}

// nodesOf are the invalid nodes of a table.
func (j *judgement) nodesOf(tables []string) (all []*invalidPlan) {
	for _, t := range tables {
		all = append(all, j.plans.tables[t]...)
	}
	return all
}

// covers reports whether something that the entries depend on becomes wrong when a row that matches is written.
func (j *judgement) covers(tables []string, m Match) bool {
	d := j.c.dependencies()
	for _, p := range j.nodesOf(tables) {
		p.appendMatch(d, m)
	}
	return slices.ContainsFunc(j.c.names(d.keys()), func(name string) bool { return j.names[name] })
}

// appendMatch adds the keys that any row which matches makes wrong, as far as its columns tell.
func (p *invalidPlan) appendMatch(d *dependencies, m Match) {
	if p.key.Template == nil {
		return
	}
	n := rowNode{plan: p, declaration: reflect.New(p.typ).Elem()}
	values := make([]any, 0, len(p.columns))
	for i := range p.columns {
		at := m.position(p.columns[i].column.Column)
		if at < 0 || p.columns[i].value == nil {
			n.at = append(n.at, -1)
			continue
		}
		n.at = append(n.at, len(values))
		values = append(values, m.Values[at])
	}
	if len(values) == len(p.columns) {
		n.append(d, values)
	}
	if !p.m2m {
		return
	}
	for i := range p.columns {
		c := &p.columns[i]
		if n.at[i] < 0 {
			continue
		}
		n.declaration.SetZero()
		if _, ok := c.value.set(n.declaration.Field(c.field.index), values[n.at[i]]); !ok {
			continue
		}
		own := func(field int) bool { return p.key.fields[field].index != c.field.index }
		if p.appendRendered(d, p.kind, n.declaration, own) != nil {
			d.dropUnfinished()
		}
	}
}

func (m Match) position(column string) int {
	return slices.IndexFunc(m.Columns, func(c string) bool { return strings.EqualFold(c, column) })
}

// isUnsure reports whether the entries depend on rows of the table by other columns than the match has, which say
// perhaps the same: an order's items are those of its customer too. Rows by their primary key say nothing of a row that
// is new.
func (j *judgement) isUnsure(tables []string, m Match) bool {
	for _, p := range j.nodesOf(tables) {
		if p.key.Template == nil || p.isByKey() {
			continue
		}
		if p.m2m && slices.ContainsFunc(p.columns, func(c columnPlan) bool { return m.position(c.column.Column) >= 0 }) {
			continue // covers knows
		}
		if !p.m2m && !slices.ContainsFunc(p.columns, func(c columnPlan) bool { return m.position(c.column.Column) < 0 || c.value == nil }) {
			continue
		}
		for name := range j.names {
			if key, ok := strings.CutPrefix(name, nameOf(p.kind, "")); ok {
				if _, ok := p.key.Match(key); ok {
					return true
				}
			}
		}
	}
	return false
}

// isByKey reports whether the node names rows by their primary key.
func (p *invalidPlan) isByKey() bool {
	return !p.m2m && !slices.ContainsFunc(p.columns, func(c columnPlan) bool { return !c.column.PK })
}

// remedy says what to declare, and names the invalid nodes that would do. columns are those by which rows were read; nil:
// those of the read, or the table.
func (j *judgement) remedy(r *Read, columns []string) string {
	if columns == nil && len(r.Matches) > 0 {
		columns = r.Matches[0].Columns
	}
	var fit, others []string
	for _, p := range j.nodesOf(r.Tables) {
		if p.typ == nil || p.kind == columnsKind {
			continue
		}
		switch {
		case r.Any == (p.key.Template == nil) && p.fits(columns):
			fit = append(fit, p.name)
		case !r.Any:
			others = append(others, p.name)
		}
	}
	if len(fit) == 0 && columns == nil {
		fit = others
	}
	table := r.Tables[0]
	switch {
	case len(fit) > 0:
		return "add " + strings.Join(fit, " or ") + " to InvalidNodes or ResultInvalidNodes"
	case r.Any:
		return fmt.Sprintf("declare a cacheme.ModelInvalidNode without fields on the model of %s, and add it to InvalidNodes", table)
	case len(columns) > 0:
		return fmt.Sprintf("declare a cacheme.ModelInvalidNode on the model of %s with a field for %s, and add it to InvalidNodes or ResultInvalidNodes", table, strings.Join(columns, " and "))
	default:
		return fmt.Sprintf("declare a cacheme.ModelInvalidNode on the model of %s, and add it to InvalidNodes or ResultInvalidNodes", table)
	}
}

// fits reports whether a node's columns are among these; a relation of two sides fits by one of them.
func (p *invalidPlan) fits(columns []string) bool {
	has := func(c columnPlan) bool {
		return slices.ContainsFunc(columns, func(name string) bool { return strings.EqualFold(name, c.column.Column) })
	}
	if p.m2m {
		return slices.ContainsFunc(p.columns, has)
	}
	return !slices.ContainsFunc(p.columns, func(c columnPlan) bool { return !has(c) })
}
