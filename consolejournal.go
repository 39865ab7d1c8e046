package cacheme

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
)

// Journal lists the newest writes that made something wrong, at most so many, the newest first, from all processes of the
// prefix: what is kept for Explain, see Write. It asks Redis for all 65 536 places where they can be, some 50 ms on a
// server next door; so do not ask it for each request of a page.
func (k *Console) Journal(ctx context.Context, most int) (writes []Write, err error) {
	err = k.c.store.AllRecords(ctx, k.c.options.WriteBudget, func(b []byte) {
		var r record
		if json.Unmarshal(b, &r) != nil {
			return // what others put there
		}
		for i := range r.Writes {
			writes = append(writes, r.write(i))
		}
	})
	if err != nil {
		return nil, wrap("journal", "writes", err)
	}
	slices.SortStableFunc(writes, func(a, b Write) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Process, b.Process)) })
	return writes[:min(max(0, most), len(writes))], nil
}
