package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cacheme/cacheme"
)

const coherenceText = `A writer and eight readers, each a process of its own on one machine, and all as busy as they can be: the readers get 16 keys with three
dependencies each as fast as it goes, the writer commits a new version of one of them 200 times a second, in a transaction of SQLite through
bunhooks. For each write and each reader it is told how long after its COMMIT had returned the reader was still given an older version: the age of the last such answer to
a Get that was called after that, by CLOCK_MONOTONIC, which all processes of a machine share; 0 where there was none. *Bound* is what is promised.
A hit in Redis may never be old at all. The row of a reader that keeps values for 50 ms on purpose shows that the harness sees what is old. The same goes
on while something breaks for 3 s; told then is the longest time. A write whose invalidation could not be delivered, since Redis
was away, promises nothing (P7 of promises.md), and is counted apart.`

// nearLag is Options.Near.Lag by default.
const nearLag = time.Second

// watcher is a way to read in a fleet.
type watcher struct {
	name    string
	meta    cacheme.Meta
	options func(*cacheme.Options) // beyond the defaults; nil: nothing
	keep    time.Duration          // how long a reader keeps values on purpose, which nobody should
	bound   time.Duration          // on the age of an old answer
}

const keepsOnPurpose = "a reader that keeps values for 50 ms"

func watchers() []watcher {
	return []watcher{
		{name: ours, meta: cacheme.Meta{Key: "fleet:<id>"}},
		{name: oursNear, meta: cacheme.Meta{Key: "fleet:<id>", Near: cacheme.On}, bound: nearLag},
		{name: oursTracked, meta: cacheme.Meta{Key: "fleet:<id>", Near: cacheme.On}, bound: nearLag, options: func(o *cacheme.Options) {
			o.Near.Tracking = cacheme.On
		}},
		{name: keepsOnPurpose, meta: cacheme.Meta{Key: "fleet:<id>"}, keep: 50 * time.Millisecond},
	}
}

func watcherOf(name string) (watcher, error) {
	all := watchers()
	i := slices.IndexFunc(all, func(w watcher) bool { return w.name == name })
	if i < 0 {
		return watcher{}, fmt.Errorf("there is no watcher %q", name)
	}
	return all[i], nil
}

func coherence(ctx context.Context, s size) ([]table, error) {
	calm := table{
		Title:   fmt.Sprintf("At least %s reads by %d processes", grouping(s.fleetReads), s.fleet),
		Columns: []column{{"p50, ms", 3}, {"p99, ms", 3}, {"longest, ms", 3}, {"bound, ms", 0}, {"old answers seen", 0}, {"reads", 0}, {"loads", 0}, {"writes", 0}},
	}
	broken := table{Title: fmt.Sprintf("While something breaks for %v: the longest, ms", s.faultLasts)}
	for _, f := range faults() {
		broken.Columns = append(broken.Columns, column{f.name, 3})
	}
	broken.Columns = append(broken.Columns, column{"bound, ms", 0})
	for _, w := range watchers() {
		o, err := watched(ctx, s, w, fault{})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		bound := of(float64(w.bound.Milliseconds()))
		calm.Rows = append(calm.Rows, row{Name: w.name, Cells: []cell{
			of(percentile(o.ages, 0.5)), of(percentile(o.ages, 0.99)), of(o.longest()), bound, of(o.old()), of(float64(o.reads)), of(float64(o.loads)), of(float64(o.writes)),
		}})
		calm.Words = append(calm.Words, o.words(w, fault{}))
		if w.keep > 0 {
			continue // it is there to show that what is old is seen
		}
		r := row{Name: w.name}
		for _, f := range faults() {
			o, err := watched(ctx, s, w, f)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", w.name, f.name, err)
			}
			r.Cells = append(r.Cells, of(o.longest()))
			broken.Words = append(broken.Words, o.words(w, f))
		}
		r.Cells = append(r.Cells, bound)
		broken.Rows = append(broken.Rows, r)
	}
	calm.Plots = []plot{{Name: "coherence", Title: "the longest that an answer was old, ms", Column: 2}}
	return []table{calm, broken}, nil
}

// outcome is what became of a fleet.
type outcome struct {
	ages                                      []float64 // of each write for each reader, ms
	reads, loads, failed, writes, undelivered int64
	longestLoad                               float64 // ms
	met                                       string
}

func (o outcome) longest() float64 { return percentile(o.ages, 1) }

// old is for how many writes, seen by how many readers, there was an old answer.
func (o outcome) old() float64 {
	n := 0
	for _, age := range o.ages {
		if age > 0 {
			n++
		}
	}
	return float64(n)
}

// words says whether the bound was kept, and what else has to be known.
func (o outcome) words(w watcher, broken fault) string {
	where := w.name
	if broken.strike != nil {
		where += ", " + broken.name
	}
	verdict := "never old"
	switch longest := o.longest(); {
	case w.keep > 0 && longest < float64(w.keep.Milliseconds())/2:
		verdict = fmt.Sprintf("**the harness does not see** what is kept for %v: %.3f ms at most", w.keep, longest)
	case w.keep > 0:
		verdict = fmt.Sprintf("what is kept for %v is seen to be old for %.1f ms at most", w.keep, longest)
	case longest > 0 && w.bound == 0 && broken.away && longest <= o.longestLoad:
		verdict = fmt.Sprintf("old for %.3f ms at most: while Redis does not answer, a caller may join a load of his process that began before he came (the longest took %.3f ms)", longest, o.longestLoad)
	case longest > float64(w.bound.Milliseconds()):
		verdict = fmt.Sprintf("**beyond its bound** of %d ms: %.3f ms", w.bound.Milliseconds(), longest)
	case w.bound > 0:
		verdict = fmt.Sprintf("within its bound of %d ms: %.3f ms at most", w.bound.Milliseconds(), longest)
	}
	text := fmt.Sprintf("%s: %s, in %s reads after %s writes", where, verdict, grouping(int(o.reads)), grouping(int(o.writes)))
	if o.met != "" {
		text += "; " + o.met
	}
	if o.undelivered > 0 {
		text += fmt.Sprintf("; %d more writes could not be told", o.undelivered)
	}
	if o.failed > 0 {
		text += fmt.Sprintf("; %d calls failed", o.failed)
	}
	return text + "."
}

// watched lets a fleet run, breaks something meanwhile, and looks at what its readers saw.
func watched(ctx context.Context, s size, w watcher, broken fault) (o outcome, err error) {
	progressf("  %s %s", w.name, broken.name)
	f, err := startFleet(ctx, s, w, broken.relayed)
	if err != nil {
		return o, err
	}
	defer f.close()
	if broken.strike == nil {
		err = f.until(ctx, s.fleetReads, s.fleetLasts)
	} else if err = sleep(ctx, s.faultLasts/3); err == nil {
		if o.met, err = broken.strike(ctx, f, s.faultLasts); err == nil {
			err = sleep(ctx, s.faultLasts) // what is old would be seen now
		}
	}
	if err != nil {
		return o, err
	}
	if err := f.stop(ctx); err != nil {
		return o, err
	}
	var readers []sightings
	var writes []written
	for _, p := range f.members {
		if r := p.report; len(r.Seen) > 0 {
			readers = append(readers, merged(r.Seen))
		}
		writes = append(writes, p.report.Writes...)
		o.reads += p.report.Reads
		o.loads += p.report.Loads
		o.failed += p.report.Errors
		o.undelivered += int64(p.report.Undelivered)
		o.longestLoad = max(o.longestLoad, float64(p.report.LongestLoad)/1e6)
	}
	o.writes = int64(len(writes)) - o.undelivered
	o.ages = staleness(writes, readers)
	progressf("    %d reads, %d loads, %d writes, %d untold: p50 %.3f, p99 %.3f, at most %.3f ms", o.reads, o.loads, o.writes, o.undelivered, percentile(o.ages, 0.5), percentile(o.ages, 0.99), o.longest())
	return o, nil
}

// until waits for so many reads, and at least for so long.
func (f *fleet) until(ctx context.Context, reads int, lasts time.Duration) error {
	for began := time.Now(); f.reads() < int64(reads) || time.Since(began) < lasts; {
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("after %d reads: %w", f.reads(), err)
		}
		for _, p := range f.members {
			select {
			case err := <-p.ended:
				p.ended <- err
				return err
			default:
			}
		}
	}
	return nil
}

// merged puts together what the goroutines of one process have seen.
func merged(all []sightings) sightings {
	m := sightings{}
	for _, s := range all {
		for key, of := range s {
			m[key] = append(m[key], of...)
		}
	}
	return m
}
