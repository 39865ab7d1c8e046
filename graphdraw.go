package cacheme

import (
	"cmp"
	"slices"
	"strings"
)

// drawing is a Graph in the making.
type drawing struct {
	c        *Cache
	table    *plans
	live     bool
	examples map[*nodePlan][]any
	boxes    map[string]*GraphBox
	arrows   map[[2]string]GraphHow
	tags     map[string][]string // patterns, by node
}

// What ids begin with.
const (
	tableBox   = "table:"
	invalidBox = "invalid:"
	nodeBox    = "node:"
)

func (d *drawing) draw() *Graph {
	for _, p := range d.table.invalids {
		d.invalid(p)
	}
	for _, p := range d.table.columns {
		d.invalid(p)
	}
	for _, p := range d.table.all() {
		d.node(p)
	}
	g := &Graph{Tables: []GraphBox{}, InvalidNodes: []GraphBox{}, Nodes: []GraphBox{}, Arrows: []GraphArrow{}}
	for id, b := range d.boxes {
		switch {
		case strings.HasPrefix(id, tableBox):
			g.Tables = append(g.Tables, *b)
		case strings.HasPrefix(id, invalidBox):
			g.InvalidNodes = append(g.InvalidNodes, *b)
		default:
			g.Nodes = append(g.Nodes, *b)
		}
	}
	for ends, how := range d.arrows {
		g.Arrows = append(g.Arrows, GraphArrow{From: ends[0], To: ends[1], How: how})
	}
	g.Tables, g.InvalidNodes, g.Nodes = sorted(g.Tables), sorted(g.InvalidNodes), sorted(g.Nodes)
	slices.SortFunc(g.Arrows, func(a, b GraphArrow) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return g
}

// box makes a box, once.
func (d *drawing) box(id, name, key string) string {
	if d.boxes[id] == nil {
		d.boxes[id] = &GraphBox{ID: id, Name: name, Key: key}
	}
	return id
}

// ways are the ways to know an arrow, the surest first.
var ways = []GraphHow{GraphDeclared, GraphResult, GraphSeen}

// arrow makes an arrow; of several ways to know it the surest counts.
func (d *drawing) arrow(from, to string, how GraphHow) {
	ends := [2]string{from, to}
	if known, ok := d.arrows[ends]; !ok || slices.Index(ways, how) < slices.Index(ways, known) {
		d.arrows[ends] = how
	}
}

func (d *drawing) tableOf(name string) string { return d.box(tableBox+name, name, "") }

// invalid makes the box of an invalid node, with the arrow from its table.
func (d *drawing) invalid(p *invalidPlan) string {
	name, key := p.drawn()
	id := invalidBox + name
	if p.kind != columnsKind {
		id = invalidBox + className(p.typ)
	}
	d.box(id, name, key)
	if p.table != "" {
		d.arrow(d.tableOf(p.table), id, GraphDeclared)
	}
	return id
}

// drawn is how an invalid node is called in a picture.
func (p *invalidPlan) drawn() (name, key string) {
	whole := calledWhole(p.table)
	switch {
	case p.kind == columnsKind && len(p.columns) == 0:
		return whole, ""
	case p.kind == columnsKind:
		columns := make([]string, len(p.columns))
		for i, c := range p.columns {
			columns[i] = c.column.Column
		}
		return calledBy(p.table, columns), ""
	case p.key.Template == nil:
		return p.name, whole
	}
	return p.name, p.key.String()
}

// node makes the box of a node, with the arrows to it.
func (d *drawing) node(p *nodePlan) {
	id := nodeBox + p.class
	if p.field != "" {
		id += ">" + p.field // memos are named by their main keys
	}
	d.box(id, p.name, p.keyText())
	if d.live {
		stats := p.counters.stats()
		d.boxes[id].Stats = &stats
	}
	for _, m := range p.models {
		table := tableName(m)
		keys := d.box(invalidBox+"keys of "+table, calledKeys(m), "named by its rows")
		d.arrow(d.tableOf(table), keys, GraphDeclared)
		d.arrow(keys, id, GraphDeclared)
	}
	declared, results := p.samples(d.examples[p])
	d.named(id, declared, GraphDeclared)
	d.named(id, results, GraphResult)
	if d.live {
		d.saw(id, p)
	}
}

// named makes the arrows to a node from what it named, once for each sample.
func (d *drawing) named(node string, samples [][]Invalid, how GraphHow) {
	var tags [][]string
	for _, invalids := range samples {
		var here []string
		for _, i := range invalids {
			if ref, ok := i.(reference); ok && ref.kind == tagKind {
				here = append(here, ref.name)
				continue
			}
			d.from(i, node, how)
		}
		tags = append(tags, here)
	}
	for _, tag := range patterns(tags) {
		d.tags[node] = append(d.tags[node], tag)
		d.arrow(d.tag(tag), node, how)
	}
}

// from makes the arrow from an invalid node. What is no valid one is told where it is used, not here.
func (d *drawing) from(i Invalid, node string, how GraphHow) {
	ref, stands := i.(reference)
	if !stands {
		if p := d.table.planOf(i); p != nil {
			d.arrow(d.invalid(p), node, how)
		}
		return
	}
	switch ref.kind {
	case tableKind:
		d.arrow(d.tableOf(ref.name), node, how)
	case classKind:
		d.class(ref.name, node, how)
	case havingKind:
		d.having(ref.name, node, how)
	case mainKind:
		if p, _, err := d.c.nodeOf(ref.node); err == nil {
			name := calledMain(p)
			d.arrow(d.box(invalidBox+name, name, p.key.String()), node, how)
		}
	default:
	}
}

// class makes the arrow from all entries of a node class.
func (d *drawing) class(class, node string, how GraphHow) {
	name := d.table.calledClass(class)
	d.arrow(d.box(invalidBox+name, name, ""), node, how)
}

// having makes the arrow from the rows that have some values in some columns: the columns are drawn, and never the values.
func (d *drawing) having(key, node string, how GraphHow) {
	table, _ := splitHaving(key)
	name := calledHaving(key)
	id := d.box(invalidBox+name, name, "")
	d.arrow(d.tableOf(table), id, how)
	d.arrow(id, node, how)
}

// tag is the box of a tag: that of the invalid node whose key it is, if there is one.
func (d *drawing) tag(name string) string {
	if p := d.table.invalidOf(tagKind, name); p != nil {
		return d.invalid(p)
	}
	name = calledTag(name)
	return d.box(invalidBox+name, name, "")
}

// patterns are the tags of several samples: one that all have as it is, and where they differ what they begin with, so that no
// made-up value is shown as if somebody had written it.
func patterns(samples [][]string) (all []string) {
	for i := 0; ; i++ {
		var here []string
		for _, tags := range samples {
			if i < len(tags) {
				here = append(here, tags[i])
			}
		}
		if here == nil {
			return all
		}
		tag := here[0]
		for _, other := range here[1:] {
			if other != tag {
				tag = shared(strings.TrimSuffix(tag, "…"), other) + "…"
			}
		}
		all = append(all, tag)
	}
}

// shared is what two texts begin with.
func shared(a, b string) string {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return strings.ToValidUTF8(a[:n], "")
}
