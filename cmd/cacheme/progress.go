package main

import (
	"fmt"
	"time"
)

// progress tells on one line of a terminal how far long work is; elsewhere it tells nothing.
type progress struct {
	p     *program
	next  time.Time
	shown bool
}

// progressEvery is often enough to be seen to move.
const progressEvery = 100 * time.Millisecond

// tellf shows the line, unless it was just shown.
func (g *progress) tellf(format string, args ...any) {
	now := time.Now()
	if !g.p.terminal || now.Before(g.next) {
		return
	}
	g.next, g.shown = now.Add(progressEvery), true
	fmt.Fprintf(g.p.err, "\r\x1b[K"+format, args...)
}

// clear takes the line away.
func (g *progress) clear() {
	if g.shown {
		_, _ = fmt.Fprint(g.p.err, "\r\x1b[K")
		g.shown = false
	}
	g.next = time.Time{}
}
