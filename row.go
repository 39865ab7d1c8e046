package cacheme

import (
	"fmt"
	"reflect"
	"slices"
)

// Row is a row of a table that was written: given to Invalidate or Hold it makes wrong what each registered invalid node
// of that table says of a row with these values, and what depends on the table as a whole. An update has two: the row as
// it was, and as it is now.
//
//	err := cache.Invalidate(ctx, cacheme.Row("books", []string{"id", "author_id"}, book.ID, book.AuthorID))
//
// The table is named as its models name it, "books" or "shop.books", and columns as the database does. Values are what a
// driver returns (int64, bool, string, []byte, nil for NULL) or Go values; they have to be what the database holds, since
// they become the fields of the nodes as Of has it for a row that was read. Where that cannot be had exactly, because a
// node needs a column that is not there, a value does not become the field, or it is a time or a float, whose precision
// differs between Go and databases, everything that depends on any row of the table is made wrong: never less. What a
// column holds counts byte for byte, also where the database takes upper and lower case for equal.
//
// NULL is nil for a pointer and the zero value for any other field. A side of a many-to-many relation that is NULL or
// zero has no list. A table that no node names is fine. The same columns for many rows in one call cost least if they
// are one slice. Columns and values stay the caller's, who must not change them during the call.
func Row(table string, columns []string, values ...any) Invalid {
	return &writtenRow{table: table, columns: columns, values: values}
}

// writtenRow is a pointer, so that comparing two Invalids never panics.
type writtenRow struct {
	InvalidNode
	table   string
	columns []string
	values  []any
}

func (*writtenRow) Meta() Meta { return Meta{} }

func (r *writtenRow) check() error {
	switch {
	case r.table == "":
		return &UsageError{Node: "cacheme.Row", Reason: "names no table; write it as its model does, such as \"books\""}
	case len(r.columns) != len(r.values):
		return &UsageError{Node: "cacheme.Row", Reason: fmt.Sprintf("has %d columns and %d values for the table %s; give each column its value", len(r.columns), len(r.values), r.table)}
	}
	return nil
}

// rowWriter adds what written rows make wrong, for one call: what it works out for the columns of a table serves all
// rows that follow with the same ones.
type rowWriter struct {
	tables map[string][]*invalidPlan
	shapes map[string]*rowShape // by table, the last one
}

// rowShape is what the invalid nodes of a table make of rows with certain columns.
type rowShape struct {
	columns []string
	nodes   []rowNode
	exact   bool // all of them can tell which keys a row makes wrong
}

// rowNode is one invalid node: where in a row its columns stand.
type rowNode struct {
	plan        *invalidPlan
	at          []int         // of plan.columns
	declaration reflect.Value // filled anew for each row
}

func (w *rowWriter) append(d *dependencies, r *writtenRow) error {
	if err := r.check(); err != nil {
		return err
	}
	shape := w.shape(r)
	exact := shape.exact
	if exact {
		for _, n := range shape.nodes {
			exact = n.append(d, r.values) && exact
		}
	}
	if !exact {
		d.add(tableKind, r.table)
	}
	d.add(rowsKind, r.table)
	return nil
}

func (w *rowWriter) shape(r *writtenRow) *rowShape {
	if s, ok := w.shapes[r.table]; ok && slices.Equal(s.columns, r.columns) {
		return s
	}
	at := make(map[string]int, len(r.columns))
	for i, name := range r.columns {
		if _, twice := at[name]; twice {
			i = -1 // nobody can say which of the two is meant
		}
		at[name] = i
	}
	s := &rowShape{columns: r.columns, exact: true}
	for _, p := range w.tables[r.table] {
		if p.key.Template == nil {
			continue // it stands for the table
		}
		n := rowNode{plan: p, declaration: reflect.New(p.typ).Elem()}
		for _, c := range p.columns {
			i, ok := at[c.column.Column]
			if !ok || i < 0 || c.value == nil {
				s.exact = false
			}
			n.at = append(n.at, i)
		}
		s.nodes = append(s.nodes, n)
	}
	if w.shapes == nil {
		w.shapes = map[string]*rowShape{}
	}
	w.shapes[r.table] = s
	return s
}

// append adds the keys that a row makes wrong. It is false where they are not all that the node may say of it.
func (n rowNode) append(d *dependencies, values []any) (exact bool) {
	n.declaration.SetZero()
	either := -1
	for i := range n.plan.columns {
		c := &n.plan.columns[i]
		null, ok := c.value.set(n.declaration.Field(c.field.index), values[n.at[i]])
		switch {
		case !ok:
			return false
		case null && c.field.ptr && !c.value.nilable:
			// Whoever read the row has zero in a plain field, and may have made a pointer of it.
			if either >= 0 {
				return false
			}
			either = i
		}
	}
	if !n.appendKeys(d) {
		return false
	}
	if either < 0 {
		return true
	}
	f := n.plan.columns[either].field
	n.declaration.Field(f.index).Set(reflect.New(f.typ))
	return n.appendKeys(d)
}

// appendKeys adds the keys of the declaration as it is filled in. Unlike an m2m node that is invalidated by hand, a row
// with an open side is one row without that side: it is in the list of the other side, and no pair is wrong for it.
func (n rowNode) appendKeys(d *dependencies) bool {
	p, open := n.plan, 0
	if p.m2m {
		for i := range p.key.fields {
			if p.key.fields[i].isOpen(n.declaration) {
				open++
			}
		}
		if open == 2 {
			return true // in no list
		}
	}
	err := p.appendRendered(d, p.kind, n.declaration, nil)
	if err == nil && p.m2m && open == 0 {
		err = p.appendSides(d, p.kind, n.declaration)
	}
	if err != nil {
		d.dropUnfinished()
	}
	return err == nil
}
