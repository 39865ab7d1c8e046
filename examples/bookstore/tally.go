package main

import (
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/latency"
)

// tally is what one reader or writer counted.
type tally struct {
	kinds      []kindTally // as kinds
	latency    map[cacheme.Tier]*latency.Counts
	writes     int            // committed
	undone     int            // rolled back
	refused    int            // by the database
	paths      map[string]int // of writes, committed or not
	manners    map[string]int
	errors     []error
	violations []string
}

type kindTally struct{ reads, cached, stale int }

func newTally() *tally {
	return &tally{
		kinds:   make([]kindTally, len(kinds)),
		paths:   map[string]int{},
		manners: map[string]int{},
		latency: map[cacheme.Tier]*latency.Counts{cacheme.TierRedis: {}, cacheme.TierSource: {}},
	}
}

func (t *tally) answered(kind int, r reply, took time.Duration) {
	k := &t.kinds[kind]
	k.reads++
	if r.tier != cacheme.TierSource {
		k.cached++
	}
	if r.stale {
		k.stale++
	}
	t.latency[r.tier].Add(took)
}

func (t *tally) wrote(m manner, w write, committed bool) {
	t.paths[w.path]++
	t.manners[m.name]++
	if committed {
		t.writes++
		return
	}
	t.undone++
}

func (t *tally) failed(err error) { t.errors = append(t.errors, err) }

func (t *tally) violated(what string) { t.violations = append(t.violations, what) }

// add takes over what another one counted.
func (t *tally) add(o *tally) {
	for i, k := range o.kinds {
		t.kinds[i].reads += k.reads
		t.kinds[i].cached += k.cached
		t.kinds[i].stale += k.stale
	}
	for tier, l := range o.latency {
		t.latency[tier].Merge(l)
	}
	t.writes += o.writes
	t.undone += o.undone
	t.refused += o.refused
	for path, n := range o.paths {
		t.paths[path] += n
	}
	for manner, n := range o.manners {
		t.manners[manner] += n
	}
	t.errors = append(t.errors, o.errors...)
	t.violations = append(t.violations, o.violations...)
}

// total sums over all kinds.
func (t *tally) total() (all kindTally) {
	for _, k := range t.kinds {
		all.reads += k.reads
		all.cached += k.cached
		all.stale += k.stale
	}
	return all
}
