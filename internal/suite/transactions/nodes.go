package transactions

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
)

// Item lies on a shelf. Each write of it has a version of its own.
type Item struct {
	bun.BaseModel `bun:"table:items"`

	ID      int64 `bun:",pk"`
	Shelf   int64 `bun:",notnull"`
	Version int64 `bun:",notnull"`
}

// Slip refers to an item. Where the database can, it asks at the COMMIT alone whether the item is there.
type Slip struct {
	bun.BaseModel `bun:"table:slips"`

	ID   int64 `bun:",pk"`
	Item int64 `bun:",notnull"`
}

// ItemVersion is the version of an item, 0 if there is none.
type ItemVersion struct {
	cacheme.Node[int64]
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (ItemVersion) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "version:<id>", TTL: 10 * time.Minute}
}

// InvalidNodes names the item.
func (v ItemVersion) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{ItemChanged{ID: v.ID}}
}

// SlipItem is the item that a slip refers to, 0 if there is no such slip.
type SlipItem struct {
	cacheme.Node[int64]
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (SlipItem) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "slip-item:<id>", TTL: 10 * time.Minute}
}

// InvalidNodes names the slip.
func (s SlipItem) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{SlipChanged{ID: s.ID}} }

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

// SlipChanged is one slip.
type SlipChanged struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (SlipChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Slip)(nil)} }

func declarations() []cacheme.Declaration {
	return []cacheme.Declaration{ItemVersion{}, SlipItem{}, ItemChanged{}, ItemsOn{}, SlipChanged{}}
}
