package cachetest

import (
	"fmt"
	"strings"
	"testing"
)

// Exploration says how much Explore tries. The zero value is its default.
type Exploration struct {
	// Schedules is how many orders are tried. Defaults to 200, which takes a second or two. A negative number fails the test.
	Schedules int
	// Seed is what the orders are drawn from: the first schedule of one seed is the second of the seed before. Defaults
	// to 1, so that a test tries the same each time.
	Seed uint64
}

// defaultSchedules are enough for a few actors: what goes wrong with two or three switches between them is met many
// times over.
const defaultSchedules = 200

// Explore runs readers, writers and whatever else a test lets loose on its nodes in many orders, and fails the test with
// the shortest one it finds that breaks a promise, step by step.
//
//	cachetest.Explore(t, func(w *cachetest.World) {
//		cache := cachetest.New(w, Detail{}, BookChanged{})
//		row := w.Row()
//		w.Reads("reader", func(ctx context.Context) (int, error) {
//			return cacheme.GetFrom(ctx, cache.Cache, Detail{ID: 7}, func(ctx context.Context, _ Detail) (int, error) {
//				return row.Read(ctx), nil
//			})
//		})
//		w.Writes("writer", func(ctx context.Context, version int) error {
//			row.Write(ctx, version)
//			return cache.Invalidate(ctx, BookChanged{ID: 7})
//		})
//	})
//
// setup is called anew for each schedule and has to make everything that the actors use, the cache with New(w, ...) or
// NewWith; Cache.Peer is another process. It says who acts, at least one, and returns; then the actors run, one at a time. They
// change over before and after each round trip to Redis, at each statement and COMMIT of a database that
// World.Connector wraps, at a Row, and wherever else they call Step. What the cache does in the background takes part.
//
// The promise is P1: a read that began after a write had returned returns what that wrote, or what is newer. It is checked
// for each read of World.Reads, and once more for each of them when all is done, when nobody is in another's way. World
// is a testing.TB: what else fails on it fails the schedule, and World.Finally checks what has to hold at the end.
//
// Each schedule runs in a testing/synctest bubble with a time of its own: sleeping costs nothing, and what actors wait
// for has to come from the bubble: no sockets, no goroutines or contexts from outside of setup. Actors pass the context that they are
// given, by which they are known. Where two goroutines that wait for one thing are woken at once, the order in which they run up to their
// next step is the scheduler's of Go; all else follows from the seed.
func Explore(t testing.TB, setup func(w *World)) {
	t.Helper()
	ExploreWith(t, Exploration{}, setup)
}

// ExploreWith is Explore with more schedules, or others.
func ExploreWith(t testing.TB, e Exploration, setup func(w *World)) {
	t.Helper()
	if e.Schedules < 0 {
		t.Fatalf("cachetest: Exploration.Schedules is %d, so that nothing is tried; leave it out for %d", e.Schedules, defaultSchedules)
	}
	if e.Schedules == 0 {
		e.Schedules = defaultSchedules
	}
	if e.Seed == 0 {
		e.Seed = 1
	}
	for i := range e.Schedules {
		seed := e.Seed + uint64(i)
		w := play(t, newDice(seed), nil, setup)
		if w.failures == nil && len(w.actors) == 0 && !t.Skipped() {
			t.Fatalf("cachetest: Explore: nobody acts; add World.Reads and World.Writes")
		}
		if w.failures == nil {
			continue
		}
		w = shrink(w, func(p policy, without map[string]bool) *World { return play(t, p, without, setup) })
		t.Fatalf("cachetest: schedule %d of %d breaks a promise. The shortest that does:\n%s\n"+
			"To repeat it: cachetest.ExploreWith(t, cachetest.Exploration{Seed: %d, Schedules: 1}, ...)",
			i+1, e.Schedules, w.story(), seed)
		return // where t is a stand-in whose Fatalf returns
	}
}

// story tells the schedule in numbered steps, and how it failed.
func (w *World) story() string {
	var b strings.Builder
	n := 0
	for _, line := range w.lines() {
		n++
		fmt.Fprintf(&b, "%3d %s\n", n, line)
	}
	for _, f := range w.failures {
		n++
		fmt.Fprintf(&b, "%3d %s\n", n, f)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// lines are the steps that matter to a reader: a beginning or a reply is told only where somebody else came between it
// and what it belongs to.
func (w *World) lines() []string {
	var lines []string
	for i, s := range w.trace {
		switch {
		case s.kind == begins && i+1 < len(w.trace) && w.trace[i+1].who == s.who:
		case s.kind == hears && i > 0 && w.trace[i-1].who == s.who:
		default:
			lines = append(lines, s.who+": "+s.text())
		}
	}
	return lines
}
