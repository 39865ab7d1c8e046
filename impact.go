package cacheme

import (
	"reflect"
	"slices"
	"strings"
)

// Impact is what a write would make wrong. String makes a screenful of it.
type Impact struct {
	// Write is the write itself: operation, table, and the rows that are there now. At, Process and Caller are empty.
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
// class that names nothing for those is not found here, and is by Impact.Scan. Errors are the *UsageErrors of Invalidate.
func (c *Cache) WouldInvalidate(invalids ...Invalid) (*Impact, error) {
	i := &Impact{cache: c}
	for _, invalid := range invalids {
		if by, ok := invalid.(*byWrite); ok {
			i.Write = by.write
		}
	}
	invalids = slices.DeleteFunc(slices.Clone(invalids), isBy)
	keys, err := c.writtenKeys(invalids)
	if err != nil {
		return nil, err
	}
	i.Dependencies = c.names(keys)
	i.findNodes(invalids)
	return i, nil
}

// findNodes lists the classes that name what the invalid nodes stand for.
func (i *Impact) findNodes(invalids []Invalid) {
	table := i.cache.registry.table.Load()
	wrong := map[*invalidPlan]bool{}
	names := map[string]string{} // of references, to how they are called
	for _, invalid := range invalids {
		switch invalid := invalid.(type) {
		case *writtenRow:
			for _, p := range table.tables[invalid.table] {
				wrong[p] = true
			}
		case *columnsNode:
			wrong[invalid.plan] = true
		case reference:
			names[string(invalid.kind)+":"+invalid.name] = strings.ToUpper(string(invalid.kind[:1])) + string(invalid.kind[1:]) + "(" + invalid.name + ")"
			if invalid.kind == tableKind {
				for _, p := range table.tables[invalid.name] {
					wrong[p] = true
				}
			}
		default:
			if p := table.invalids[reflect.TypeOf(invalid)]; p != nil {
				wrong[p] = true
				for _, other := range table.tables[p.table] {
					wrong[other] = wrong[other] || other.key.Template == nil || p.key.Template == nil
				}
			}
		}
	}
	for _, p := range table.all() {
		var via []string
		for _, used := range i.cache.uses(table, p) {
			switch used := used.(type) {
			case *invalidPlan:
				if wrong[used] {
					via = append(via, used.name)
				}
			case string:
				if name, ok := names[used]; ok {
					via = append(via, name)
				}
			}
		}
		if via != nil {
			slices.Sort(via)
			key := p.key.String()
			if p.field != "" {
				key += ">" + p.field
			}
			i.Nodes = append(i.Nodes, NodeImpact{Node: p.name, Key: key, Via: slices.Compact(via)})
		}
	}
	slices.SortFunc(i.Nodes, func(a, b NodeImpact) int { return strings.Compare(a.Node, b.Node) })
}

// uses are the invalid nodes that nodes of the class name, as far as made-up ones show: plans, and references as kind:name.
func (c *Cache) uses(table *plans, p *nodePlan) (all []any) {
	all = append(all, string(classKind)+":"+p.class)
	for _, m := range p.models {
		all = append(all, string(tableKind)+":"+tableName(m))
	}
	declared, results := p.samples(nil)
	for _, i := range slices.Concat(slices.Concat(declared...), slices.Concat(results...)) {
		switch i := i.(type) {
		case reference:
			all = append(all, string(i.kind)+":"+i.name)
		case *columnsNode:
			all = append(all, i.plan)
		default:
			if plan := table.invalids[reflect.TypeOf(i)]; plan != nil {
				all = append(all, plan)
			}
		}
	}
	return all
}
