package cacheme

import (
	"cmp"
	"reflect"
	"sort"
)

// Watched is one table (or with Every, all of them) whose writes have to be told, and why: what whoever watches the writes of a database needs to know.
type Watched struct {
	// Node is the Go type of the invalid node, or the name of the Memo.
	Node string
	// Table is the table as its model names it, "shop.books" or "books", and as Row and Table take it.
	Table string
	// Model is the struct type of the bun model.
	Model reflect.Type
	// Columns are those that the node's fields stand for, in their order: a Row has to have them to be exact. None where
	// any row will do.
	Columns []string
	// M2M: Model is a join model, and the two columns are its sides.
	M2M bool
	// Every: a node with Observe: Auto is registered, so that every table of the database has to be watched; there is no
	// Table and no Model, and each row that is written makes wrong what Having says of it.
	Every bool
	// Keys: rows of Model say by CacheKey or CacheKeys which tags a write makes wrong, so that the whole row is needed.
	// Where it cannot be had, Table(name) makes wrong what depends on any. See Memoized.InvalidModels.
	Keys bool
	// Refill is asked with a row of Model, a value of that type, and names what Cache.Refill should load again once the
	// write is committed. Nil where nobody wants that.
	Refill func(row any) []Declaration
}

// Watched lists what is registered on tables: one for each invalid node with a model, one for each model of a Memo
// or of RefillRows, and one with Every for each node with Observe: Auto, by table and node. It costs
// nothing: the slice is the cache's, and must not be changed. Nothing is ever taken from the list, so that its length tells
// whether it has grown.
func (c *Cache) Watched() []Watched { return c.registry.table.Load().watched }

// watch lists what is registered on tables.
func (p *plans) watch() (all []Watched) {
	for _, nodes := range p.tables {
		for _, n := range nodes {
			if n.model == nil {
				continue // of Attach: who has the types watches
			}
			w := Watched{Node: n.name, Table: n.table, Model: n.model.Type, M2M: n.m2m, Refill: n.refill}
			for _, column := range n.columns {
				w.Columns = append(w.Columns, column.column.Column)
			}
			all = append(all, w)
		}
	}
	for _, memo := range p.memos {
		for _, m := range memo.models {
			all = append(all, Watched{Node: memo.name, Table: tableName(m), Model: m.Type, Keys: true})
		}
	}
	for _, r := range p.refills {
		all = append(all, Watched{Node: r.name, Table: tableName(r.model), Model: r.model.Type, Refill: r.nodes})
	}
	for _, n := range p.all() {
		if n.observe == Auto {
			all = append(all, Watched{Node: n.name, Every: true})
		}
	}
	sort.Slice(all, func(i, j int) bool {
		return cmp.Or(cmp.Compare(all[i].Table, all[j].Table), cmp.Compare(all[i].Node, all[j].Node)) < 0
	})
	return all
}
