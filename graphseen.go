package cacheme

import (
	"strings"
	"sync/atomic"
)

// seenNames remembers what the last values that were loaded depend on. A load costs it one store, a hit nothing.
type seenNames struct {
	next atomic.Uint32
	last [32]atomic.Pointer[[]string]
}

// mostSeen bounds what is kept of one value.
const mostSeen = 256

func (s *seenNames) add(names []string) {
	kept := names[:min(len(names), mostSeen)]
	s.last[(s.next.Add(1)-1)%uint32(len(s.last))].Store(&kept)
}

// saw makes the arrows to a node from what its last values depended on.
func (d *drawing) saw(node string, p *nodePlan) {
	for i := range p.seen.last {
		names := p.seen.last[i].Load()
		if names == nil {
			continue
		}
		for _, name := range *names {
			d.sawName(node, p, name)
		}
	}
}

// sawName makes the arrow from a dependency as entries carry it, which is a kind and a key.
func (d *drawing) sawName(node string, p *nodePlan, name string) {
	k, key, _ := strings.Cut(name, ":")
	switch k := kind(k); k {
	case classKind:
		if key != p.class {
			d.class(key, node, GraphSeen)
		}
	case rowsKind:
		d.whole(node, key)
	case tagKind:
		d.sawTag(node, key)
	case rowKind, columnsKind:
		for _, invalids := range d.table.tables {
			for _, i := range invalids {
				if i.kind != k || i.key.Template == nil {
					continue
				}
				if _, ok := i.key.Match(key); ok {
					d.arrow(d.invalid(i), node, GraphSeen)
				}
			}
		}
	default: // the table and the sides behind a row, and a node's own main key
	}
}

// whole makes the arrow from a table as a whole: from an invalid node that stands for it, if there is one, and none where one
// is known.
func (d *drawing) whole(node, table string) {
	from := []string{d.tableOf(table)}
	for _, i := range d.table.tables[table] {
		if i.isTable(0) || i.m2m {
			from = append(from, d.invalid(i))
		}
	}
	for _, known := range from {
		if _, ok := d.arrows[[2]string{known, node}]; ok {
			return
		}
	}
	d.arrow(from[len(from)-1], node, GraphSeen)
}

// sawTag makes the arrow from a tag, unless the node is known to name such tags. A tag of which nothing else is known is not
// shown by its name, which may hold somebody's id.
func (d *drawing) sawTag(node, tag string) {
	for _, pattern := range d.tags[node] {
		if begin, some := strings.CutSuffix(pattern, "…"); tag == pattern || some && strings.HasPrefix(tag, begin) {
			return
		}
	}
	if d.tagged(tag) == nil {
		tag = "…"
	}
	d.arrow(d.tag(tag), node, GraphSeen)
}
