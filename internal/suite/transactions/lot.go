package transactions

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cacheme/cacheme"
)

// A lot is some items and shelves that one transaction at a time works with, so that what it makes wrong is known to the
// last token.
type lot struct {
	first  int64
	rows   map[int64]Item // as committed
	keys   []string       // of all tokens
	tokens tokens         // as they were when last looked at
}

const (
	itemsOfLot   = 8
	shelvesOfLot = 3
)

// newLot plants a lot, unseen by the hook, and gives each of its tokens a value.
func (p *place) newLot(ctx context.Context, first int64) (*lot, error) {
	l := &lot{first: first, rows: map[int64]Item{}}
	var items []Item
	for id := first; id < first+itemsOfLot; id += 2 { // every second one, so that there is room to insert
		i := Item{ID: id, Shelf: first + (id/2)%shelvesOfLot, Version: 1}
		items = append(items, i)
		l.rows[id] = i
	}
	if _, err := p.admin.NewInsert().Model(&items).Exec(ctx); err != nil {
		return nil, err
	}
	var all []cacheme.Invalid
	for id := first; id < first+itemsOfLot; id++ {
		all = append(all, ItemChanged{ID: id})
		l.keys = append(l.keys, p.itemKey(id))
	}
	for shelf := first; shelf < first+shelvesOfLot; shelf++ {
		all = append(all, ItemsOn{Shelf: shelf})
		l.keys = append(l.keys, p.shelfKey(shelf))
	}
	if err := p.writer.Invalidate(ctx, all...); err != nil {
		return nil, err
	}
	var err error
	l.tokens, err = p.look(ctx, l.keys)
	for key, token := range l.tokens {
		if err == nil && token.nonce == "" {
			err = fmt.Errorf("the token %s has no value: the suite looks at the wrong key", key)
		}
	}
	return l, err
}

func (p *place) itemKey(id int64) string { return p.prefix + fmt.Sprintf("row:item:%d:invalid", id) }

func (p *place) shelfKey(shelf int64) string {
	return p.prefix + fmt.Sprintf("row:item:shelf:%d:invalid", shelf)
}

// dump is what a lot holds in the database, as others see it.
func (p *place) dump(ctx context.Context, l *lot) (string, error) {
	var items []Item
	err := p.admin.NewSelect().Model(&items).Where("id >= ?", l.first).Where("id < ?", l.first+itemsOfLot).Order("id").Scan(ctx)
	if err != nil {
		return "", fmt.Errorf("look into the database: %w", err)
	}
	rows := map[int64]Item{}
	for _, i := range items {
		rows[i.ID] = i
	}
	return text(rows), nil
}

// text is rows in a form to compare.
func text(rows map[int64]Item) string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		fmt.Fprintf(&b, "%d on %d v%d; ", id, rows[id].Shelf, rows[id].Version)
	}
	return b.String()
}
