package cacheme

import (
	"cmp"
	"slices"
	"strings"
)

// Impact is what a write would make wrong. String makes a screenful of it.
type Impact struct {
	// Write is the write itself: operation, table, and the rows that are there now. Of invalid nodes it is the By before
	// them, or "Invalidate" where there is none or several.
	Write Write `json:"write"`
	// Why says why the table counts as written as a whole, or the rows are not known; Note, what else is not known before
	// the write is run.
	Why  string `json:"why,omitempty"`
	Note string `json:"note,omitempty"`
	// Dependencies are the names, kind:key, of what would get a new token. Scan looks for these.
	Dependencies []string `json:"dependencies"`
	// Nodes are the classes of nodes that may depend on them.
	Nodes []NodeImpact `json:"nodes"`
	// Entries are keys of live entries that depend on them, Found how many there are, and Scanned how many entries were
	// looked at, once Scan was called. Complete: these were all.
	Entries  []string `json:"entries,omitempty"`
	Found    int      `json:"found,omitempty"`
	Scanned  int      `json:"scanned,omitempty"`
	Complete bool     `json:"complete,omitempty"`

	cache *Cache
}

// NodeImpact is a node class and the invalid nodes by which it may become wrong.
type NodeImpact struct {
	Node string   `json:"node"` // the Go type, or the name of the Memo
	Key  string   `json:"key"`  // the template
	Via  []string `json:"via"`
}

// WouldInvalidate says what Invalidate of the same invalid nodes would make wrong, and does nothing. For a query of bun
// there is bunhooks.WouldInvalidate.
//
// Which classes of nodes depend on it is found by asking InvalidNodes and ResultInvalidNodes of made-up nodes and values: a
// class that names nothing for those is not found here, and is by Impact.Scan. Of a node with Observe: Auto it is known by
// what its last values in this process were loaded from: one that this process has not loaded yet is not found. Errors
// are the *UsageErrors of Invalidate.
func (c *Cache) WouldInvalidate(invalids ...Invalid) (*Impact, error) {
	i := &Impact{cache: c}
	var told []Write
	for _, invalid := range invalids {
		if by, ok := invalid.(*byWrite); ok {
			told = append(told, by.write)
		}
	}
	if len(told) == 1 { // of several none is the write
		i.Write = told[0]
	}
	if i.Write.Operation == "" {
		i.Write.Operation = "Invalidate"
	}
	invalids = slices.DeleteFunc(slices.Clone(invalids), isBy)
	keys, err := c.writtenKeys(invalids)
	if err != nil {
		return nil, err
	}
	i.Dependencies = c.names(keys)
	i.findNodes()
	return i, nil
}

// findNodes lists the classes that name what would become wrong.
func (i *Impact) findNodes() {
	table := i.cache.registry.table.Load()
	wrong := map[any]bool{}
	for _, name := range i.Dependencies {
		for _, s := range table.standsFor(name) {
			wrong[s] = true
		}
	}
	for _, p := range table.all() {
		var via []string
		for _, u := range i.cache.uses(table, p) {
			if wrong[u.of] {
				via = append(via, u.called)
			}
		}
		if via != nil {
			slices.Sort(via)
			i.Nodes = append(i.Nodes, NodeImpact{Node: p.name, Key: p.keyText(), Via: slices.Compact(via)})
		}
	}
	slices.SortFunc(i.Nodes, func(a, b NodeImpact) int {
		return cmp.Or(strings.Compare(a.Node, b.Node), strings.Compare(a.Key, b.Key))
	})
}

// standsFor are the things that become wrong with a dependency, as uses has them: classes of nodes are found by these, since of
// made-up nodes no key is right.
func (p *plans) standsFor(name string) []any {
	things := []any{name}
	switch k, key := splitName(name); k {
	case tableKind:
		things = append(things, nameOf(rowsKind, key))
		for _, i := range p.tables[key] {
			things = append(things, i.thing())
		}
	case mainKind:
		for _, n := range p.all() {
			if _, ok := n.key.Match(key); ok {
				things = append(things, n.mainThing())
			}
		}
	case havingKind:
		things = append(things, havingThing(key))
	case rowKind, sideKind, columnsKind, tagKind:
		if i := p.invalidOf(k, key); i != nil {
			things = append(things, i.thing())
		}
	default:
	}
	return things
}

// thing is what all invalid nodes of the plan have in common.
func (p *invalidPlan) thing() any {
	switch {
	case p.key.Template == nil:
		return nameOf(rowsKind, p.table)
	case p.kind == columnsKind:
		return nameOf(columnsKind, p.key.String()) // of several Go models too
	}
	return p
}

// mainThing is what nodes whose main keys can be the same have in common: the holes may have other names.
func (p *nodePlan) mainThing() any { return nameOf(mainKind, strings.Join(p.key.literals, "<>")) }

// havingThing is rows by columns, whatever their values.
func havingThing(key string) any { return nameOf(havingKind, calledHaving(key)) }

// use is something that makes a node wrong, and how it is called.
type use struct {
	of     any
	called string
}

// uses are what nodes of the class name, as far as made-up ones show, and those with Auto, as far as their last loads did.
func (c *Cache) uses(table *plans, p *nodePlan) []use {
	if p.published != nil {
		return p.published.uses(table, p)
	}
	all := []use{{nameOf(classKind, p.class), table.calledClass(p.class)}}
	if p.field != "" {
		all = append(all, use{p.mainThing(), calledMain(p)})
	}
	for _, m := range p.models {
		all = append(all, use{nameOf(rowsKind, tableName(m)), calledKeys(m)}) // a row that is written tells its keys
	}
	declared, results := p.samples(nil)
	for _, i := range slices.Concat(slices.Concat(declared...), slices.Concat(results...)) {
		if ref, ok := i.(reference); ok {
			all = append(all, c.usesReference(table, ref)...)
		} else if plan := table.planOf(i); plan != nil {
			called, _ := plan.drawn()
			all = append(all, use{plan.thing(), called})
		}
	}
	if p.observe == Auto {
		p.seen.each(func(name string) { all = append(all, table.usesSeen(name)...) })
	}
	return all
}

func (c *Cache) usesReference(table *plans, ref reference) []use {
	switch ref.kind {
	case tableKind:
		return []use{{nameOf(rowsKind, ref.name), calledWhole(ref.name)}}
	case mainKind:
		if p, _, err := c.nodeOf(ref.node); err == nil {
			return []use{{p.mainThing(), calledMain(p)}}
		}
		return nil
	default:
		return table.usesSeen(nameOf(ref.kind, ref.name))
	}
}

// usesSeen is for a dependency as entries carry it.
func (p *plans) usesSeen(name string) (all []use) {
	switch k, key := splitName(name); k {
	case tableKind, rowsKind:
		return []use{{name, calledWhole(key)}}
	case classKind:
		return []use{{name, p.calledClass(key)}}
	case havingKind:
		return []use{{havingThing(key), calledHaving(key)}}
	case tagKind:
		return []use{{name, calledTag(key)}}
	case mainKind:
		for _, n := range p.all() {
			if _, ok := n.key.Match(key); ok {
				all = append(all, use{n.mainThing(), calledMain(n)})
			}
		}
	default:
		if i := p.invalidOf(k, key); i != nil {
			called, _ := i.drawn()
			all = append(all, use{i.thing(), called})
		}
	}
	return all
}
