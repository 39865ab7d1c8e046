package main

import (
	"math"
	"time"

	"github.com/cacheme/cacheme"
)

// tally is what one reader or writer counted.
type tally struct {
	kinds      []kindTally // as kinds
	latency    map[cacheme.Tier]*latencies
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
		latency: map[cacheme.Tier]*latencies{cacheme.TierRedis: {}, cacheme.TierSource: {}},
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
	t.latency[r.tier].add(took)
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
		t.latency[tier].merge(l)
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

// latencies count durations in steps of a factor of 2^(1/8), so that a run may last as long as it likes. The last
// step, from 2^39 ns or nine minutes on, is longer than any read.
type latencies struct {
	n     int
	steps [40 * perDoubling]int
}

const perDoubling = 8

func (l *latencies) add(d time.Duration) {
	step := int(math.Log2(float64(max(1, d))) * perDoubling)
	l.steps[min(step, len(l.steps)-1)]++
	l.n++
}

func (l *latencies) merge(o *latencies) {
	l.n += o.n
	for i, n := range o.steps {
		l.steps[i] += n
	}
}

// quantile returns the duration that a share q of all stayed below, 0 if there are none.
func (l *latencies) quantile(q float64) time.Duration {
	left := int(math.Ceil(q * float64(l.n)))
	for i, n := range l.steps {
		if left -= n; left <= 0 && l.n > 0 {
			return time.Duration(math.Exp2(float64(i+1) / perDoubling)).Round(time.Microsecond)
		}
	}
	return 0
}
