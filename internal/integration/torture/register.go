package torture

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// The register of each thing: in a short window its reads and writes have to have an order, within the time that each
// took, in which every read shows the write before it. That is more than P1, which allows what is new to be seen, and
// then what was before it, while a write has not returned.
//
// It holds while writes are held. So there are no windows while Redis is disturbed, and none in which a write went
// without a hold or a process without Redis: P7 says what is left then, and facts.go holds them to it.

const (
	windowTime = 400 * time.Millisecond
	// windowDelay is for how long records of a window may come. A process that is stopped may have records that come
	// later still: its writes have told that they begin, and its reads are missing, which hides and never invents.
	windowDelay = 2 * time.Second
	// proofTime bounds the search in one window.
	proofTime = 2 * time.Second
	// aftermath is for how long after it has ended a fault may be felt.
	aftermath = Time(500 * time.Millisecond)
	// writesKept is for how long a write is remembered that may have been at work together with one of the window.
	writesKept = Time(10 * time.Second)
)

// register keeps what was lately done to each thing.
type register struct {
	judge  *judge
	things map[int64]*moves
	upto   Time // what begins before has been looked at
}

// moves are those of one thing.
type moves struct {
	reads  []*Read
	writes []*op
}

func newRegister(j *judge) *register { return &register{judge: j, things: map[int64]*moves{}} }

func (g *register) of(thing int64) *moves {
	if g.things[thing] == nil {
		g.things[thing] = &moves{}
	}
	return g.things[thing]
}

func (g *register) read(r *Read) { m := g.of(r.ID); m.reads = append(m.reads, r) }

func (g *register) write(o *op) {
	for _, id := range o.Things {
		m := g.of(id)
		m.writes = append(m.writes, o)
	}
}

// advance looks at the windows that are over by now.
func (g *register) advance(now Time) {
	if g.upto == 0 {
		g.upto = now
	}
	for ; g.upto+Time(windowTime+windowDelay) <= now; g.upto += Time(windowTime) {
		to := g.upto + Time(windowTime)
		calm := !slices.ContainsFunc(g.judge.faults, func(f *Fault) bool { return !f.calm && f.overlaps(g.upto-aftermath, to) })
		for id, m := range g.things {
			if calm {
				g.prove(id, m, g.upto, to)
			}
			m.reads = slices.DeleteFunc(m.reads, func(r *Read) bool { return r.Start < to })
			m.writes = slices.DeleteFunc(m.writes, func(o *op) bool { return o.over(to - writesKept) })
		}
	}
}

// step is one move of the register: the stamp that was read, or written.
type step struct {
	write bool
	stamp int64
}

// unknown is a register's state before the first read of a window: whatever that shows.
const unknown = int64(-1)

var model = porcupine.Model{
	Init: func() any { return unknown },
	Step: func(state, input, _ any) (bool, any) {
		was, s := state.(int64), input.(step)
		if s.write || was == unknown {
			return true, s.stamp
		}
		return was == s.stamp, was
	},
}

// prove looks for an order of what was read between two times.
func (g *register) prove(id int64, m *moves, from, to Time) {
	history, ok := m.history(id, from, to)
	if !ok {
		g.judge.tally.unproven++
		return
	}
	if len(history) < 2 {
		return
	}
	g.judge.tally.windows++
	g.judge.tally.steps += len(history)
	switch porcupine.CheckOperationsTimeout(model, history, proofTime) {
	case porcupine.Illegal:
		g.judge.tally.violations++
		g.judge.found(&violation{promise: "register", fact: Fact{Group{thingIs, id}, 0}, read: firstRead(m.reads, from), steps: shortest(history)})
	case porcupine.Unknown:
		g.judge.tally.unproven++
	default:
	}
}

func firstRead(reads []*Read, from Time) *Read {
	for _, r := range reads {
		if r.Start >= from {
			return r
		}
	}
	return nil
}

// history are the reads of a window and all writes that may have come between them. It is not ok where something was done
// without holds.
func (m *moves) history(id int64, from, to Time) (all []porcupine.Operation, ok bool) {
	for _, r := range m.reads {
		if r.Start < from || r.End > to {
			continue
		}
		if r.Away {
			return nil, false
		}
		for _, c := range r.Claims {
			if c.Fact.Aspect == thingIs && c.Fact.Of == id {
				all = append(all, porcupine.Operation{Input: step{stamp: c.Stamp}, Call: int64(r.Start), Return: int64(r.End)})
			}
		}
	}
	writes, ok := m.among(from, to)
	for _, o := range writes {
		end := int64(o.ended)
		if !o.returned() {
			end = math.MaxInt64 // it may come to be at any time, or never
		}
		all = append(all, porcupine.Operation{Input: step{write: true, stamp: o.Stamp}, Call: int64(o.Start), Return: end})
	}
	return all, ok
}

// among are the writes of a window, and those that were at work together with one of them: which came first the window
// does not say. What is left out had returned before any of them began, and the last of that is what the first read of
// the window may show.
func (m *moves) among(from, to Time) (all []*op, ok bool) {
	earliest := from
	for grown := true; grown; {
		grown = false
		for _, o := range m.writes {
			if o.outcome != Undone && o.Start <= to && o.returned() && o.ended >= earliest && o.Start < earliest {
				earliest, grown = o.Start, true
			}
		}
	}
	for _, o := range m.writes {
		switch {
		case o.outcome == Undone || o.Start > to:
		case (o.returned() && o.held == 0 || o.kept) && (o.promised == 0 || o.promised >= earliest):
			return nil, false // others may have been shown what it replaced
		case o.returned() && o.ended < earliest:
		default:
			all = append(all, o)
		}
	}
	return all, earliest > from-writesKept
}

// returned reports whether a write is known to have been made at some time until its end.
func (o *op) returned() bool { return o.ended != 0 && o.outcome != Failed }

// over reports whether a write was over by then: it had ended, or its process had.
func (o *op) over(then Time) bool {
	return o.ended != 0 && o.ended < then || o.killed != 0 && o.killed < then
}

// shortest takes away what a history without an order does not need to have none: whole reads, and writes that no read
// that is left shows.
func shortest(history []porcupine.Operation) []porcupine.Operation {
	for i, o := range slices.Backward(slices.Clone(history)) {
		s := o.Input.(step)
		shown := slices.ContainsFunc(history, func(o porcupine.Operation) bool {
			r := o.Input.(step)
			return !r.write && r.stamp == s.stamp
		})
		if s.write && shown {
			continue
		}
		fewer := slices.Delete(slices.Clone(history), i, i+1)
		if porcupine.CheckOperationsTimeout(model, fewer, proofTime) == porcupine.Illegal {
			history = fewer
		}
	}
	slices.SortFunc(history, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	return history
}

func (s step) String() string {
	if s.write {
		return fmt.Sprintf("writes %x", s.stamp)
	}
	return fmt.Sprintf("reads %x", s.stamp)
}
