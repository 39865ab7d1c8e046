// Package freshness is the acceptance suite of what the module promises above all: once a write has returned, no Get
// that starts later returns a value that was loaded before it.
//
// It has five parts. NoStaleFill plays the classic races between a reader and a writer, step by step, for everything
// that can make an entry wrong. RandomRounds lets readers and writers run into each other at random. Guards takes each
// rule of the protocol out in turn and shows the schedule that then breaks a promise, and that does not while the rule
// is on: a rule without such a schedule is not tested by anything. RandomCatches shows that chance alone would have
// found the most important ones. Nested is about loads inside loads, whose dependencies have to reach the outer entry
// and all who join its load.
//
// Whoever looks for a way to read: world.go is the stage, subject.go what is read and made wrong on it, the rest are
// the plays.
package freshness

import (
	"testing"

	"github.com/cacheme/cacheme/internal/suite"
)

// Run runs what is worth running on every kind of Redis.
func Run(t *testing.T, open suite.Open) {
	// First and alone: beside others a round trip takes so much longer than the pauses between that chance meets nothing.
	t.Run("random rounds catch a missing rule", func(t *testing.T) { RandomCatches(t, open) }) //nolint:paralleltest // see above
	t.Run("no stale fill", func(t *testing.T) {
		t.Parallel()
		NoStaleFill(t, open)
	})
	t.Run("random rounds", func(t *testing.T) {
		t.Parallel()
		RandomRounds(t, open)
	})
}
