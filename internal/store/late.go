package store

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// Late is what was read of the dependencies that became known only by loading.
type Late struct {
	Tokens  []Dependency
	Created []bool
	Before  uint64 // a token made at or after this time may be younger than the load
	Agreed  bool   // Redis's clock and the process's own agree on how long the load took
}

// ReadLate reads, creates and prolongs the tokens of dependencies that are known only now, after the load that began
// with b. It is one round trip.
func (s *Store) ReadLate(ctx context.Context, budget time.Duration, b Begun, keys []string, life time.Duration) (Late, error) {
	return call(ctx, s, budget, func(ctx context.Context) (Late, error) {
		epoch, err := s.currentEpoch(ctx)
		if err != nil {
			return Late{}, err
		}
		o := s.newOpening(epoch, s.hold.Load(), 0)
		for _, key := range keys {
			o.token(key, life)
		}
		sent := time.Now()
		if err := s.pipelined(ctx, func(pipe redis.Pipeliner) { o.send(ctx, pipe) }); err != nil {
			return Late{}, err
		}
		back := time.Now()
		if err := o.read(); err != nil {
			return Late{}, err
		}
		if after, err := s.currentEpoch(ctx); err != nil || after != epoch {
			return Late{}, err // no tokens: the caller takes that for missing ones
		}
		late := Late{Tokens: o.tokens, Created: o.created}
		late.Before, late.Agreed = b.compareClocks(o.times, sent, back)
		return late, nil
	})
}

// driftShare is how much two clocks may drift apart: NTP slews by up to 500 ppm.
const driftShare = 1000

// compareClocks checks that Redis's clock did not step while the load ran, and returns the time that a token must be
// older than. Between the two replies the process measured at least lo and at most hi; a step that hides within
// hi - lo is what the margin is for.
func (b *Begun) compareClocks(times []uint64, sent, back time.Time) (before uint64, agreed bool) {
	if len(times) == 0 {
		return b.Start, true
	}
	lo, hi := sent.Sub(b.back).Microseconds(), back.Sub(b.sent).Microseconds()
	drift := 1 + hi/driftShare
	margin := uint64(hi - lo + drift)
	before = b.Start - min(margin, b.Start)
	agreed = true
	for _, now := range times {
		took := int64(now) - int64(b.Start)
		agreed = agreed && took >= lo-drift && took <= hi+drift
	}
	return before, agreed
}
