package main

import (
	"context"
	"time"
)

// workload is one question that all contenders are asked whom it concerns.
type workload struct {
	name  string
	title string
	about string        // how it is measured, for the page
	bound time.Duration // it is given up after
	// rounds is how often it is repeated, of how often was asked for.
	rounds func(asked int) int
	run    func(ctx context.Context, s size) ([]table, error)
}

// size is how much of everything is done. The tests do a little of it.
type size struct {
	rounds     int
	hold       time.Duration // cacheme's; 0 is its default
	calls      int           // of each lane in a round, alternated
	gets       int           // of each lane in a round, together
	goroutines int           // together
	herd       int           // callers of a cold key
	herdLoad   time.Duration
	requests   int // of the zipf workload
	universe   int // of its keys
	callers    []int
	zipfLoad   time.Duration
	trials     int   // of each case without a stale fill
	dependents []int // of one thing
	entries    int   // whose memory is measured
	writes     int   // a second, to rows that nobody reads
	seconds    int   // of that

	shortLived int           // keys
	lingers    time.Duration // after their end a token may be there, and Redis's search for what has expired take

	growEntries      []int
	growDependencies []int
	growNodes        []int

	listeners            []int // processes that are near
	capacityDependencies []int

	fleet        int // processes that read
	fleetReaders int // goroutines in each
	fleetKeys    int
	fleetRate    int // writes a second
	fleetReads   int // at least, of all of them
	fleetLasts   time.Duration
	fleetHold    time.Duration
	faultLasts   time.Duration
}

// full is what the page is made of.
func full(rounds int) size {
	return size{
		rounds: rounds, calls: 2000, gets: 20_000, goroutines: 64, herd: 1000, herdLoad: 200 * time.Millisecond,
		requests: 200_000, universe: 500_000, callers: []int{1000, 10_000}, zipfLoad: 100 * time.Millisecond,
		trials: 200, dependents: []int{1, 1000, 100_000, 1_000_000}, entries: 50_000, writes: 10_000, seconds: 40,
		shortLived: 1_000_000, lingers: 90 * time.Second,
		growEntries:      []int{1000, 10_000, 100_000, 1_000_000, 10_000_000},
		growDependencies: []int{1, 3, 10, 30, 100, 300, 1000},
		growNodes:        []int{1, 10, 100, 1000, 10_000},
		listeners:        []int{0, 1, 10, 100, 1000}, capacityDependencies: []int{1, 3, 10, 30, 100},
		fleet: 8, fleetReaders: 2, fleetKeys: 16, fleetRate: 200, fleetReads: 1_000_000, fleetLasts: 10 * time.Second,
		fleetHold: time.Second, faultLasts: 3 * time.Second,
	}
}

// workloads are all there are, in the page's order.
func workloads() []workload {
	return []workload{
		{"remote-hit", "A hit in Redis", remoteHitText, 5 * time.Minute, each, remoteHits},
		{"near-hit", "A hit in the process", nearHitText, 3 * time.Minute, each, nearHits},
		{"herd", "A cold key and a thousand callers", herdText, 5 * time.Minute, each, herd},
		{"zipf", "A day in small", zipfText, 20 * time.Minute, aFifth, zipf},
		{"stale-fill", "Old values that stay", staleText, 6 * time.Minute, once, staleFills},
		{"dependents", "Making wrong all that depends on one thing", dependentsText, 20 * time.Minute, each, dependents},
		{"memory", "What an entry takes in Redis", memoryText, 8 * time.Minute, once, memory},
		{"short-lived", "A million keys that nobody needs for long", shortLivedText, 6 * time.Minute, once, shortLived},
		{"growth", "More of everything", growthText, 15 * time.Minute, each, growth},
		{"capacity", "What one Redis pays", capacityText, 5 * time.Minute, each, capacity},
		{"coherence", "How long an old answer is given", coherenceText, 8 * time.Minute, once, coherence},
		{"unread", "What writes that nobody reads leave behind", unreadText, 5 * time.Minute, once, unread},
	}
}

func each(asked int) int { return asked }

// aFifth is for what takes minutes.
func aFifth(asked int) int { return max(1, asked/5) }

// once is for what is counted and not timed.
func once(int) int { return 1 }

// measured runs the workload and says under what conditions.
func (w workload) measured(ctx context.Context, s size, note string) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, w.bound)
	defer cancel()
	progressf("%s: at most %v", w.name, w.bound)
	s.rounds = w.rounds(s.rounds)
	c, err := observe(ctx, s.rounds, note)
	if err != nil {
		return result{}, err
	}
	began := time.Now()
	tables, err := w.run(ctx, s)
	if err != nil {
		return result{}, err
	}
	c.Took = time.Since(began).Round(time.Second).String()
	c.Load += " → " + load()
	progressf("%s: done in %s", w.name, c.Took)
	return result{Workload: w.name, Conditions: c, Tables: tables}, nil
}

// having returns the contenders of some tiers.
func having(tiers ...tier) (some []contender) {
	for _, c := range contenders() {
		for _, t := range tiers {
			if c.tier == t {
				some = append(some, c)
			}
		}
	}
	return some
}
