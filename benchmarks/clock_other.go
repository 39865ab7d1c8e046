//go:build !linux

package main

import "time"

// clock is the wall clock where no other is known that processes share: what sets it spoils what is measured.
type clock struct{}

func newClock() (*clock, error) { return &clock{}, nil }

func (*clock) now() int64 { return time.Now().UnixNano() }
