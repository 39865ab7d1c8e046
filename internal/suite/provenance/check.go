package provenance

import (
	"context"
	"fmt"
	"slices"

	"github.com/cacheme/cacheme"
)

// check has a process explain a page, and compares what it says of writes.
func (w *world) check(ctx context.Context) {
	p := w.fleet[w.dice.IntN(len(w.fleet))]
	var node cacheme.Declaration
	switch w.dice.IntN(4) {
	case 0:
		node = Stock{}
	case 1:
		node = ShelfPage{Shelf: w.one(shelves)}
	default:
		node = ItemPage{ID: w.one(items)}
	}
	x, err := p.cache.Explain(ctx, node)
	must(w.t, err)
	for _, d := range x.Dependencies {
		last, written := w.last[d.Name]
		switch {
		case d.LastWrite != nil && (!written || !last.is(*d.LastWrite)):
			w.wrong = append(w.wrong, fmt.Sprintf("%s of %s: %v, want %+v", d.Name, x.Key, d.LastWrite, last))
		case d.LastWrite != nil:
			w.named++
		case !written:
		case len(d.OneOf) > 0 && !slices.ContainsFunc(d.OneOf, last.mayBe):
			w.wrong = append(w.wrong, fmt.Sprintf("%s of %s: one of %v, want %+v", d.Name, x.Key, d.OneOf, last))
		default:
			w.unnamed = append(w.unnamed, fmt.Sprintf("%s of %s: %s, want %+v", d.Name, x.Key, d.Note, last))
		}
	}
}

// mayBe reports whether one of several that are named is the one that made it, or stands for it.
func (m made) mayBe(w cacheme.Write) bool {
	return m.is(w) || w.Operation == "an earlier statement of the transaction"
}

// is reports whether a write is the one that made it: operation, table, line, and its rows as far as they are told.
func (m made) is(w cacheme.Write) bool {
	if m.operation != w.Operation || m.table != w.Table || m.line != w.Caller || m.whole != w.Whole {
		return false
	}
	for _, row := range m.rows {
		if !slices.Contains(w.Rows, row) && w.Count <= len(w.Rows) {
			return false
		}
	}
	return true
}
