package cacheme

import (
	"context"
	"maps"
	"slices"
)

// maxHaving is how many rows of a table an entry depends on one by one; beyond, it depends on the table.
const maxHaving = 200

// dependencyNames are what an entry depends on by what its load read: of each table some rows, or any.
type dependencyNames struct {
	tables map[string]map[string]bool // nil rows: any
}

// add notes a read. Where it is not known which of several tables was read, all of them count.
func (n *dependencyNames) add(r Read) {
	if n.tables == nil {
		n.tables = map[string]map[string]bool{}
	}
	for _, table := range r.Tables {
		rows, known := n.tables[table]
		if known && rows == nil {
			continue
		}
		if rows == nil {
			rows = map[string]bool{}
		}
		exact := len(r.Tables) == 1 && len(r.Matches) > 0
		for _, m := range r.Matches {
			name, ok := having(table, m)
			exact = exact && ok
			rows[name] = true
		}
		if !exact || len(rows) > maxHaving {
			rows = nil
		}
		n.tables[table] = rows
	}
}

// names lists them, as entries carry them. Whoever depends on rows of a table depends on the table too.
func (n *dependencyNames) names() []string {
	var names []string
	for _, table := range slices.Sorted(maps.Keys(n.tables)) {
		names = append(names, nameOf(tableKind, table))
		rows := n.tables[table]
		if rows == nil {
			names = append(names, nameOf(rowsKind, table))
		}
		for _, row := range slices.Sorted(maps.Keys(rows)) {
			names = append(names, nameOf(havingKind, row))
		}
	}
	return names
}

// nameOf is how entries name a dependency.
func nameOf(k kind, key string) string { return string(k) + ":" + key }

// nothingSeen is why a value is not stored that depends on nothing.
const nothingSeen = "none of what it read was seen: neither a query on a database of bunhooks with the loader's context, nor a Get"

// dependOnSeen makes of what a load with Auto read what its entries depend on. Where that is not all, they are not stored:
// nobody could make them wrong.
func (c *Cache) dependOnSeen(ctx context.Context, p *nodePlan, in *inner, failed bool) {
	if p.observe != Auto {
		return
	}
	in.observed = in.seen.names.names()
	if in.spoiled != "" || in.private != "" || failed {
		return
	}
	reason := in.seen.unseen
	if reason == "" && len(in.observed) == 0 && len(in.handed) == 0 {
		reason = nothingSeen
	}
	if reason == "" {
		return
	}
	in.spoiled = reason
	if p.known.first("unseen " + reason) {
		c.happened(ctx, p, Event{Kind: EventUnseen, Reason: "values of the node are not stored: " + reason})
	}
}
