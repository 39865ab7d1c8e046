package torture

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// judge knows the truth, and holds all that the processes tell against it. Records may come in any order but that of one
// process: reads are held against the writes that are known, and writes, once they have returned, against the reads. It
// is used by one goroutine; see bench.
type judge struct {
	witness  witness
	ops      map[int64]*op // by stamp
	lines    map[Fact]*line
	groups   map[Group]map[int64]*line
	open     map[int]map[*op]bool // writes under way, by process
	owed     map[int][]*op        // writes of which the invalidation is kept, by process
	faults   []*Fault
	register *register
	tally    *Tally

	found func(*violation) // a promise broke
}

func newJudge(ctx context.Context, w witness, found func(*violation)) (*judge, error) {
	j := &judge{
		witness: w, ops: map[int64]*op{}, lines: map[Fact]*line{}, groups: map[Group]map[int64]*line{},
		open: map[int]map[*op]bool{}, owed: map[int][]*op{}, tally: newTally(), found: found,
	}
	j.register = newRegister(j)
	first := &op{Write: Write{Stamp: planted, Kind: "planted"}, ended: 1, promised: 1, own: 1, outcome: Committed}
	j.ops[planted] = first
	return j, j.learn(ctx, first)
}

func (j *judge) line(f Fact) *line {
	l := j.lines[f]
	if l == nil {
		l = newLine(f)
		j.lines[f] = l
		if j.groups[f.Group] == nil {
			j.groups[f.Group] = map[int64]*line{}
		}
		j.groups[f.Group][f.Item] = l
	}
	return l
}

// op is the write of a stamp, also where nobody has told of it yet.
func (j *judge) op(stamp int64) *op {
	o := j.ops[stamp]
	if o == nil {
		o = &op{Write: Write{Stamp: stamp}}
		j.ops[stamp] = o
	}
	return o
}

// learn asks the witness what a write has committed.
func (j *judge) learn(ctx context.Context, o *op) error {
	all, err := j.witness.of(ctx, o.Stamp)
	o.known = len(all) > 0
	j.note(all)
	return err
}

func (j *judge) note(all []entry) {
	for _, e := range all {
		l, by := j.line(Fact{Group{e.Aspect, e.Of}, e.Item}), j.op(e.Stamp)
		if l.add(e.Seq, e.Value, by) {
			by.known = true
			by.marks = append(by.marks, mark{l, e.Seq})
		}
	}
}

// take takes a record.
func (j *judge) take(ctx context.Context, r Record) error {
	switch {
	case r.Read != nil:
		return j.read(ctx, r.Read)
	case r.Write != nil:
		o := j.op(r.Write.Stamp)
		o.Write, o.process = *r.Write, r.Process
		if j.open[r.Process] == nil {
			j.open[r.Process] = map[*op]bool{}
		}
		j.open[r.Process][o] = true
		j.register.write(o)
	case r.Held != nil:
		j.op(r.Held.Stamp).held = r.Held.At
	case r.End != nil:
		return j.end(ctx, r.Process, *r.End)
	case r.State != nil:
		j.tally.state(r.Process, *r.State)
		if r.State.Drained {
			return j.paid(ctx, r.Process, r.State.Upto, r.State.At)
		}
		if r.State.Ended {
			return j.paid(ctx, r.Process, r.State.At, r.State.At+lost(r.State.Lost))
		}
	}
	return nil
}

// expired is how long after a moment nothing that was loaded before it is there any more.
const expired = Time(life + time.Second)

// lost is how much later what a process could not deliver has expired.
func lost(undelivered int) Time {
	if undelivered > 0 {
		return expired
	}
	return 0
}

func (j *judge) end(ctx context.Context, process int, e End) error {
	o := j.op(e.Stamp)
	delete(j.open[process], o)
	o.ended, o.outcome, o.kept = e.At, e.Outcome, e.Kept
	j.tally.wrote(o, e)
	if e.Outcome == Undone {
		return nil
	}
	if err := j.learn(ctx, o); err != nil || e.Outcome == Failed {
		return err
	}
	o.own = e.At
	if e.Kept {
		j.owed[process] = append(j.owed[process], o)
		return nil
	}
	return j.promise(ctx, o, e.At)
}

// promise has a write be shown by all that begin later.
func (j *judge) promise(ctx context.Context, o *op, at Time) error {
	o.promised = at
	for {
		line, seen := o.overdue()
		if seen == nil {
			return nil
		}
		read := seen.last
		seen.last = nil // it comes back where it belongs
		verdict, err := j.hold(ctx, line, read, seen.value)
		if err != nil {
			return err
		}
		if verdict.broken != nil {
			j.breach(verdict.broken)
			return nil
		}
	}
}

// hold holds what a read shows of a fact against the truth. That something is not so has no stamp: before that is called
// old the witness is asked whether it has come to be so again.
func (j *judge) hold(ctx context.Context, l *line, r *Read, stamp int64) (judged, error) {
	at, _ := l.find(stamp, r.End)
	verdict := l.judge(r, at)
	if verdict.broken == nil || stamp != 0 {
		return verdict, nil
	}
	all, err := j.witness.about(ctx, l.fact, l.cut)
	if err != nil {
		return judged{}, err
	}
	j.note(all)
	at, _ = l.find(stamp, r.End)
	return l.judge(r, at), nil
}

// paid has the writes that a process still owed, and that had ended by then, be delivered.
func (j *judge) paid(ctx context.Context, process int, upto, at Time) error {
	var still []*op
	for _, o := range j.owed[process] {
		if o.ended > upto {
			still = append(still, o)
			continue
		}
		if err := j.promise(ctx, o, at); err != nil {
			return err
		}
	}
	j.owed[process] = still
	return nil
}

// killed takes note of a process that is gone since then. What it had committed and held is as good as told: its hold
// lapses. What it had kept, or may have committed without its hold, ends with the entries: P3 and P7 say so, and of a
// process that was paused for longer than its hold, and of keys that somebody deleted by hand.
func (j *judge) killed(ctx context.Context, process int, at Time) error {
	if err := j.paid(ctx, process, at, at+expired); err != nil {
		return err
	}
	for o := range j.open[process] {
		o.killed = at
		if err := j.learn(ctx, o); err != nil {
			return err
		}
		if !o.known {
			continue
		}
		held := o.held != 0 && at-o.held < Time(holdTime) &&
			!slices.ContainsFunc(j.faults, func(f *Fault) bool { return f.byHand && f.overlaps(o.held, at) })
		from := at
		if held {
			j.tally.killedHeld++
		} else {
			j.tally.killedBare++
			from += expired
		}
		if err := j.promise(ctx, o, from); err != nil {
			return err
		}
	}
	delete(j.open, process)
	return nil
}

func (j *judge) read(ctx context.Context, r *Read) error {
	j.tally.read(r, j.outage(r))
	if r.Failed != "" {
		j.breach(&violation{promise: "P7", read: r})
		return nil
	}
	claimed := map[Fact]bool{}
	for _, c := range r.Claims {
		claimed[c.Fact] = true
		if err := j.claim(ctx, r, c); err != nil {
			return err
		}
	}
	for _, g := range r.Whole {
		for item := range j.groups[g] {
			f := Fact{g, item}
			if claimed[f] {
				continue
			}
			if err := j.claim(ctx, r, Claim{Fact: f}); err != nil {
				return err
			}
		}
	}
	if r.Kind == ofOne || r.Kind == ofMany {
		j.register.read(r)
	}
	return nil
}

// claim holds one claim of a read against the truth.
func (j *judge) claim(ctx context.Context, r *Read, c Claim) error {
	l := j.line(c.Fact)
	if _, ok := l.find(c.Stamp, r.End); !ok {
		// What was read may be so new that nobody has told of it yet.
		if err := j.learn(ctx, j.op(c.Stamp)); err != nil {
			return err
		}
		if !j.op(c.Stamp).known {
			j.breach(&violation{promise: "P2", read: r, fact: c.Fact, stamp: c.Stamp})
			return nil
		}
	}
	if r.blind() {
		j.tally.blind++
		return nil
	}
	verdict, err := j.hold(ctx, l, r, c.Stamp)
	if err != nil {
		return err
	}
	j.tally.aged(r, verdict)
	if verdict.broken != nil {
		j.breach(verdict.broken)
	}
	return nil
}

// breach is a promise that broke, unless docs/promises.md leaves it open then.
func (j *judge) breach(v *violation) {
	if v.missed != nil && slices.ContainsFunc(j.faults, func(f *Fault) bool { return f.window && f.overlaps(v.read.Start, v.read.Start) }) {
		j.tally.inWindow(v)
		return
	}
	j.tally.violations++
	j.found(v)
}

// outage reports whether a read's process had no Redis to reach while it read.
func (j *judge) outage(r *Read) bool {
	return slices.ContainsFunc(j.faults, func(f *Fault) bool {
		return f.outage && (f.process < 0 || f.process == r.Process) && f.overlaps(r.Start, r.End)
	})
}

// Fault is something that is broken for a while.
type Fault struct {
	Name       string
	Begin, End Time // End is 0 while it lasts
	process    int  // whose Redis it is about; -1: everybody's
	outage     bool // Redis is out of reach
	byHand     bool // keys were deleted by hand
	window     bool // a failover under way, of a primary that lives: what docs/promises.md leaves open
	calm       bool // Redis is not touched: it is about a process
}

func (f *Fault) overlaps(from, to Time) bool { return f.Begin <= to && (f.End == 0 || f.End >= from) }

func (f *Fault) String() string {
	if f.process >= 0 {
		return fmt.Sprintf("%s (process %d)", f.Name, f.process)
	}
	return f.Name
}
