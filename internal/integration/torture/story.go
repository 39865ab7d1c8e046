package torture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// event is something that happened, for a story.
type event struct {
	at   Time
	what string
}

// story is the shortest history that shows a violation, in the order of what happened, and the seed.
func (r *Report) story(v *violation) string {
	var all []event
	add := func(at Time, format string, args ...any) {
		if at > 1 { // else it was there before all
			all = append(all, event{at, fmt.Sprintf(format, args...)})
		}
	}
	from := Time(0)
	if v.read != nil {
		from = v.read.Start
		r.reading(v, add)
		for _, load := range v.read.Loads {
			from = min(from, load.Began)
		}
	}
	for _, o := range []*op{v.shown, v.missed} {
		if o != nil && o.Start > 0 {
			from = min(from, o.Start)
			writing(o, add)
		}
	}
	for _, s := range v.steps {
		add(Time(s.Call), "somebody %v, until %v", s.Input, r.since(Time(s.Return)))
		if o := r.judge.op(s.Input.(step).stamp); o.Start > 0 {
			writing(o, add)
		}
	}
	until := from
	if v.read != nil {
		until = v.read.End
	}
	for _, f := range r.judge.faults {
		if f.overlaps(from-Time(3*time.Second), until) {
			add(f.Begin, "FAULT: %s, until %v", f, r.since(f.End))
		}
	}
	slices.SortStableFunc(all, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	var b strings.Builder
	fmt.Fprintf(&b, "\nVIOLATION of %s, seed %d, %s\n", v.promise, r.Seed, v.fact)
	for _, e := range all {
		fmt.Fprintf(&b, "  %12v  %s\n", r.since(e.at), e.what)
	}
	return b.String()
}

// reading tells of a read.
func (r *Report) reading(v *violation, add func(Time, string, ...any)) {
	read := v.read
	add(read.Start, "process %d begins Get of %s %d", read.Process, read.Kind, read.ID)
	for i, load := range read.Loads {
		which := "the load that gave the value"
		if i > 0 {
			which = "a load inside of it"
		}
		add(load.Began, "process %d begins %s", load.Process, which)
	}
	notes := ""
	if read.Stale {
		notes += ", stale"
	}
	if read.Away {
		notes += ", redis had failed it lately"
	}
	if read.Joined {
		notes += ", joined a load that was at work"
	}
	switch {
	case read.Failed != "":
		add(read.End, "process %d gets an error: %s", read.Process, read.Failed)
	case v.promise == "P2":
		add(read.End, "process %d gets %x from %s%s, which NOBODY HAS COMMITTED", read.Process, v.stamp, read.Tier, notes)
	case v.missed != nil:
		add(read.End, "process %d gets %x from %s%s; %x HAD RETURNED", read.Process, v.stamp, read.Tier, notes, v.missed.Stamp)
	}
}

// writing tells of a write.
func writing(o *op, add func(Time, string, ...any)) {
	add(o.Start, "process %d begins write %x (%s)", o.process, o.Stamp, o.Kind)
	add(o.held, "its hold is placed")
	kept := ""
	if o.kept {
		kept = ", its invalidation is kept"
	}
	add(o.ended, "write %x has returned: %s%s", o.Stamp, o.outcome, kept)
	if o.promised != o.ended {
		add(o.promised, "from now on everybody has to see write %x", o.Stamp)
	}
}

func (r *Report) since(at Time) time.Duration {
	return time.Duration(at - r.began).Round(time.Microsecond)
}
