package store

import (
	"context"

	"github.com/cacheme/cacheme/internal/guard"
)

// excuse knows, once it was asked, since when the server has lost nothing.
//
// A token found missing may have been a hold that eviction or a flush took; its writer may still commit and be killed
// before it tells anybody. So whoever makes a missing token writes until = now + one hold time beside it. Where the
// server shows that nothing was lost in the hold time before the token was found missing, it was simply new.
type excuse struct {
	s     *Store
	lost  losses
	asked bool
	since uint64
}

// probation returns until when a load that began so may be kept, 0 for without limit.
func (e *excuse) probation(ctx context.Context, b *Begun) uint64 {
	if e.s.rules.Off(guard.Probation) {
		return 0
	}
	var until uint64
	for _, d := range b.Tokens {
		if d.Until <= b.Start || e.covers(ctx, b, d.Until) {
			continue
		}
		if until == 0 || d.Until < until {
			until = d.Until
		}
	}
	return until
}

// covers reports whether a probation to that end is void: nothing was lost that could matter.
func (e *excuse) covers(ctx context.Context, b *Begun, until uint64) bool {
	if !e.asked {
		e.since, e.asked = e.s.intactSince(ctx, e.lost, b.Epoch, b.Start), true
	}
	return e.since <= until-2*uint64(e.s.Hold().Microseconds())
}
