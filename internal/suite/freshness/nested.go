package freshness

import (
	"github.com/cacheme/cacheme"
)

// The nodes of loads inside loads: outer loads middle, which loads inner. Only inner names what it depends on; the
// others have it handed up.
type (
	outer struct {
		cacheme.Node[int64]
		ID int64 `cacheme:"field"`
	}
	middle struct {
		cacheme.Node[int64]
		ID int64 `cacheme:"field"`
	}
	inner struct {
		cacheme.Node[int64]
		ID int64 `cacheme:"field"`
	}
)

func (outer) Meta() cacheme.Meta  { return cacheme.Meta{Key: "nested:outer:<id>"} }
func (middle) Meta() cacheme.Meta { return cacheme.Meta{Key: "nested:middle:<id>"} }
func (inner) Meta() cacheme.Meta  { return cacheme.Meta{Key: "nested:inner:<id>"} }

func (n inner) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{bookChanged{ID: n.ID}} }
