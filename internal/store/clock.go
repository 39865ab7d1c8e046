package store

import (
	"sync/atomic"
	"time"
)

// clockKeeper estimates Redis's clock from the times that replies carry. The estimate is good to about a round trip.
// It decides only how long something old may still be served; whatever freshness hangs on asks Redis itself.
type clockKeeper struct {
	base   time.Time    // monotonic origin
	offset atomic.Int64 // Redis's microseconds at base; 0: not known
}

func (c *clockKeeper) since() int64 { return time.Since(c.base).Microseconds() }

// note takes a time that Redis told in a round trip between two moments of the process's own clock.
func (c *clockKeeper) note(redis uint64, sent, received time.Time) {
	middle := sent.Add(received.Sub(sent) / 2)
	c.offset.Store(int64(redis) - middle.Sub(c.base).Microseconds())
}

// Clock returns the process's own time, which never steps, and Now, both in microseconds.
func (s *Store) Clock() (own int64, redis uint64) {
	own = s.clock.since()
	if offset := s.clock.offset.Load(); offset != 0 {
		redis = uint64(offset + own)
	}
	return own, redis
}

// Now estimates Redis's time in microseconds. Zero means that Redis has not told it yet.
func (s *Store) Now() uint64 {
	_, redis := s.Clock()
	return redis
}
