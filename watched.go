package cacheme

import (
	"cmp"
	"reflect"
	"sort"
)

// Watched is one table whose writes have to be told, and why: what whoever watches the writes of a database needs to know.
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
	// Keys: rows of Model say by CacheKey or CacheKeys which tags a write makes wrong, so that the whole row is needed.
	// Where it cannot be had, Table(name) makes wrong what depends on any. See Memoized.InvalidModels.
	Keys bool
}

// Watched lists what is registered on tables: one for each invalid node with a model, and one for each model of a Memo,
// by table and node.
func (c *Cache) Watched() []Watched {
	table := c.registry.table.Load()
	var all []Watched
	for _, nodes := range table.tables {
		for _, p := range nodes {
			w := Watched{Node: p.name, Table: p.table, Model: p.model.Type, M2M: p.m2m}
			for _, column := range p.columns {
				w.Columns = append(w.Columns, column.column.Column)
			}
			all = append(all, w)
		}
	}
	for _, memo := range table.memos {
		for _, m := range memo.models {
			all = append(all, Watched{Node: memo.name, Table: tableName(m), Model: m.Type, Keys: true})
		}
	}
	sort.Slice(all, func(i, j int) bool {
		return cmp.Or(cmp.Compare(all[i].Table, all[j].Table), cmp.Compare(all[i].Node, all[j].Node)) < 0
	})
	return all
}
