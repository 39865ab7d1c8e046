package cacheme

import (
	"strings"
	"sync/atomic"
)

// seenNames remembers what the last values that were loaded depend on. A load costs it one allocation, a hit nothing; the names,
// and the memory that they are parts of, stay until as many more loads have taken their places.
type seenNames struct {
	next atomic.Uint32
	last [32]atomic.Pointer[[]string]
}

// mostSeen bounds how many names are kept of one value.
const mostSeen = 256

func (s *seenNames) add(names []string) {
	kept := names[:min(len(names), mostSeen)]
	s.last[(s.next.Add(1)-1)%uint32(len(s.last))].Store(&kept)
}

// each gives the names of the last values; one that several have comes several times.
func (s *seenNames) each(f func(name string)) {
	for i := range s.last {
		if names := s.last[i].Load(); names != nil {
			for _, name := range *names {
				f(name)
			}
		}
	}
}

// saw makes the arrows to a node from what its last values depended on.
func (d *drawing) saw(node string, p *nodePlan) {
	p.seen.each(func(name string) { d.sawName(node, p, name) })
}

// sawName makes the arrow from a dependency as entries carry it, which is a kind and a key.
func (d *drawing) sawName(node string, p *nodePlan, name string) {
	switch k, key := splitName(name); k {
	case classKind:
		if key != p.class {
			d.class(key, node, GraphSeen)
		}
	case rowsKind:
		d.whole(node, key)
	case tagKind:
		d.sawTag(node, key)
	case rowKind, columnsKind:
		if i := d.table.invalidOf(k, key); i != nil {
			d.arrow(d.invalid(i), node, GraphSeen)
		}
	case havingKind:
		d.having(key, node, GraphSeen)
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
	if d.table.invalidOf(tagKind, tag) == nil {
		tag = "…"
	}
	d.arrow(d.tag(tag), node, GraphSeen)
}
