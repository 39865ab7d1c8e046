package cacheme

import (
	"fmt"
	"time"
)

// RefreshOptions bound what loading entries before their time is over costs, for nodes with a Meta.Refresh. The zero
// value is ready for use. What cannot be had within it expires, and is loaded by the next reader.
type RefreshOptions struct {
	// Concurrency is how many such loads run at the same time. Defaults to 4.
	Concurrency int
	// PerSecond is how many entries are loaded in a second at most. Defaults to 500.
	PerSecond int
	// Pending is how many entries may wait. Defaults to 1000.
	Pending int
}

// The least Meta.Refresh: what is loaded more often than ten times in a TTL has the wrong TTL.
const minRefresh = 0.1

// refresh checks Meta.Refresh.
func (c *compiler) refresh(share float64) {
	if share != 0 && !(share >= minRefresh && share < 1) { // NaN is neither
		c.wrong("Refresh", fmt.Sprintf("is %v; write the part of the TTL after which a hit has the entry loaded again, from %v to less than 1, such as 0.8, or leave it out", share, minRefresh))
	}
}

// due reports whether a fresh entry has lived for that share of its own life, as jitter and the values inside it made it.
// Zero: none has.
func (s sight) due(share float64) bool {
	return share > 0 && s.entry.TTL > 0 && s.now >= s.dueAt(share)
}

// dueAt is Redis's time at which it has; with zero its end.
func (s sight) dueAt(share float64) uint64 {
	if share == 0 {
		return s.ends()
	}
	return s.entry.Loaded + uint64(share*float64(s.entry.TTL))
}

// ends is Redis's time at which the entry expires.
func (s sight) ends() uint64 { return s.entry.Loaded + s.entry.TTL }

// pause is for how many microseconds a process leaves an entry alone that it has tried to load again: what fails is tried
// about eight times before the entry expires, and never more than once a second.
func (s sight) pause(share float64) uint64 {
	return max(uint64(time.Second.Microseconds()), uint64((1-share)*float64(s.entry.TTL)/8))
}

// insideShare is the part of its Meta.Refresh after which an entry is loaded again by the early load of one that it is
// inside of. Two that were loaded together get lives that differ by jitter, up to a tenth: the outer one may be due
// first, and would end with the inner one all the same.
const insideShare = 0.9

// renews reports whether the load of the scope, or one that it is inside of, is made before the time of what is there is over.
func (s *scope) renews() bool { return s != nil && s.early }
