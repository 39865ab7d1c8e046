package torture

import (
	"time"

	"golang.org/x/sys/unix"
)

// clock tells the time by CLOCK_MONOTONIC, which all processes of one machine share and nobody sets. Go's own monotonic
// time is the same clock from another beginning.
type clock struct {
	began time.Time
	at    int64
}

func newClock() clock {
	var t unix.Timespec
	// The kernel has this clock since before Go.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return clock{time.Now(), t.Nano()}
}

func (c clock) now() Time { return Time(c.at + time.Since(c.began).Nanoseconds()) }
