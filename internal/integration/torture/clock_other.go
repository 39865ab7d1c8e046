//go:build !linux

package torture

import "time"

// clock is the wall clock where no other is known that processes share: what sets it spoils a run.
type clock struct{}

func newClock() clock { return clock{} }

func (clock) now() Time { return Time(time.Now().UnixNano()) }
