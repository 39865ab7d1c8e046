package torture

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
)

// entry is one row of the witness's log.
type entry struct {
	Seq    int64
	Aspect Aspect
	Of     int64 `bun:"of_id"`
	Item   int64
	Value  int64
	Stamp  int64
}

// witness reads the log past every cache.
type witness struct{ db *bun.DB }

func (w witness) all(ctx context.Context, where string, args ...any) (all []entry, err error) {
	err = w.db.NewSelect().Table("witnessed").Column("seq", "aspect", "of_id", "item", "value", "stamp").
		Where(where, args...).Order("seq").Scan(ctx, &all)
	if err != nil {
		return nil, fmt.Errorf("ask the witness: %w", err)
	}
	return all, nil
}

// of are what a write has committed: none, where it has not.
func (w witness) of(ctx context.Context, stamp int64) ([]entry, error) {
	return w.all(ctx, "stamp = ?", stamp)
}

// about are what was committed of one fact behind a place in the log.
func (w witness) about(ctx context.Context, f Fact, behind int64) ([]entry, error) {
	return w.all(ctx, "aspect = ? AND of_id = ? AND item = ? AND seq > ?", f.Aspect, f.Of, f.Item, behind)
}
