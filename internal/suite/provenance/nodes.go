package provenance

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
)

// Item lies on a shelf.
type Item struct {
	bun.BaseModel `bun:"table:items"`

	ID      int64 `bun:",pk"`
	Shelf   int64 `bun:",notnull"`
	Version int64 `bun:",notnull"`
}

// ItemPage shows an item.
type ItemPage struct {
	cacheme.Node[int64]
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (ItemPage) Meta() cacheme.Meta { return cacheme.Meta{Key: "item:<id>", TTL: time.Hour} }

// InvalidNodes names the item.
func (p ItemPage) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{ItemChanged{ID: p.ID}} }

// ShelfPage shows a shelf, and the item that it was loaded with.
type ShelfPage struct {
	cacheme.Node[int64]
	Shelf int64 `cacheme:"field"`
}

// Meta is the declaration.
func (ShelfPage) Meta() cacheme.Meta { return cacheme.Meta{Key: "shelf:<shelf>", TTL: time.Hour} }

// InvalidNodes names the shelf.
func (p ShelfPage) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{ItemsOn{Shelf: p.Shelf}}
}

// ResultInvalidNodes names the item.
func (ShelfPage) ResultInvalidNodes(item int64) []cacheme.Invalid {
	return []cacheme.Invalid{ItemChanged{ID: item}}
}

// Stock counts all items.
type Stock struct{ cacheme.Node[int64] }

// Meta is the declaration.
func (Stock) Meta() cacheme.Meta { return cacheme.Meta{Key: "stock", TTL: time.Hour} }

// InvalidNodes names the table.
func (Stock) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{AnyItem{}} }

// ItemChanged is one item.
type ItemChanged struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (ItemChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Item)(nil)} }

// ItemsOn are the items on a shelf.
type ItemsOn struct {
	cacheme.ModelInvalidNode
	Shelf int64 `cacheme:"field"`
}

// Meta is the declaration.
func (ItemsOn) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Item)(nil)} }

// AnyItem is the table.
type AnyItem struct{ cacheme.ModelInvalidNode }

// Meta is the declaration.
func (AnyItem) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Item)(nil)} }

func declarations() []cacheme.Declaration {
	return []cacheme.Declaration{ItemPage{}, ShelfPage{}, Stock{}, ItemChanged{}, ItemsOn{}, AnyItem{}}
}
