package torture

import (
	"cmp"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/cacheme/cacheme"
)

// op is what is known of one write.
type op struct {
	Write
	process int
	held    Time // when its hold was placed; 0: not known to be
	ended   Time // when it had returned; 0: it has not
	killed  Time // when its process was gone before that
	kept    bool // its invalidation was not delivered before it returned
	outcome Outcome
	known   bool // the witness has something of it: it was committed
	marks   []mark
	// promised is the time from which on no Get of another process may begin and not show it, own the same for those of
	// its own process. 0: never.
	promised, own Time
}

// mark is one fact that a write has changed.
type mark struct {
	line *line
	seq  int64
}

// state is a value that a fact has had, by whom, and the read that showed it last.
type state struct {
	seq   int64 // the order of the commits of one row
	value int64
	by    *op
	last  *Read
}

// line is the life of one fact.
type line struct {
	fact   Fact
	states []state // by seq; the first is that of before all others
	cut    int64   // states up to this one are forgotten
}

// statesKept bounds what is remembered of a fact: no value is so many writes behind.
const statesKept = 1024

func newLine(f Fact) *line { return &line{fact: f, states: []state{{by: &op{}}}} }

// add puts a state where its commit was. What a transaction made of a fact in between was never true for others.
func (l *line) add(seq, value int64, by *op) bool {
	at, there := slices.BinarySearchFunc(l.states, seq, func(s state, seq int64) int { return cmp.Compare(s.seq, seq) })
	switch {
	case there || seq <= l.cut:
		return false
	case at < len(l.states) && l.states[at].by == by:
		return false
	case l.states[at-1].by == by && at > 1:
		l.states[at-1].seq, l.states[at-1].value = seq, value
		return true
	}
	l.states = slices.Insert(l.states, at, state{seq: seq, value: value, by: by})
	if len(l.states) > statesKept {
		l.cut = l.states[statesKept/2].seq
		l.states = slices.Delete(l.states, 1, statesKept/2)
	}
	return true
}

// find returns the state that a read shows: the last one of that value that can have been there. Before all others every
// fact was not so.
func (l *line) find(stamp int64, end Time) (at int, ok bool) {
	for i, s := range slices.Backward(l.states) {
		if s.value == stamp && (stamp != 0 || s.by.Start <= end) {
			return i, true
		}
	}
	return 0, false
}

// violation is a read that shows what it must not.
type violation struct {
	promise string
	read    *Read
	fact    Fact
	shown   *op // whose value it shows; nil: nobody has ever committed it
	stamp   int64
	missed  *op                   // the write that it does not show, and that had returned
	steps   []porcupine.Operation // of a register: those that have no order
}

// judged is what comes of holding one claim of a read against the truth.
type judged struct {
	broken *violation
	old    time.Duration // for how long, when the read began, the value had been replaced
	by     *op           // the write that replaced it
}

// judge holds a read that shows the state at against those behind it.
func (l *line) judge(r *Read, at int) (j judged) {
	shown := &l.states[at]
	if shown.last == nil || shown.last.from() < r.from() {
		shown.last = r
	}
	for i := at + 1; i < len(l.states); i++ {
		by := l.states[i].by
		if by.ended > 0 && by.ended < r.Start && j.by == nil {
			j.by, j.old = by, time.Duration(r.Start-by.ended)
		}
		if by.forbids(r) {
			j.broken = &violation{promise: "P1", read: r, fact: l.fact, shown: shown.by, stamp: shown.value, missed: by}
			return j
		}
	}
	return j
}

// forbids reports whether a read may not show anything from before the write.
func (o *op) forbids(r *Read) bool {
	if r.Process == o.process {
		// What a process wrote itself it reads at once, whatever it may be behind with others' writes.
		return o.own != 0 && o.own < r.Start
	}
	return o.promised != 0 && o.promised < r.from()
}

// overdue looks for a read that shows what was before the write, and came to be known before the write had returned.
func (o *op) overdue() (*line, *state) {
	for _, m := range o.marks {
		for i := range m.line.states {
			s := &m.line.states[i]
			if s.seq >= m.seq {
				break
			}
			if s.last != nil && o.forbids(s.last) {
				return m.line, s
			}
		}
	}
	return nil, nil
}

// from is when a read began, for what it has to show: what was true then, or at any time later. Some may show what was
// true before, as docs/promises.md has it.
func (r *Read) from() Time {
	switch {
	case r.Tier == cacheme.TierNear: // P5
		return r.Start - Time(nearLag)
	case r.Stale: // P4: the age is told by Redis's clock, which is known to a round trip
		return r.Start - Time(staleAge+budget)
	case r.Away && r.Joined: // P7: at most one load old
		from := r.Start
		for _, load := range r.Loads {
			from = min(from, load.Began)
		}
		return from
	default:
		return r.Start
	}
}

// blind reports whether nothing can be said of how old a read may be: the process did without Redis, and what it gave
// does not tell when it was loaded.
func (r *Read) blind() bool { return r.Away && len(r.Loads) == 0 && r.Tier != cacheme.TierRedis }
