package model

import "strings"

// Promise is what a user may rely on, as far as it can be seen in a world.
type Promise uint8

// The promises; the zero Promise is that nothing is broken.
const (
	Kept Promise = iota
	Fresh
	Uncommitted
	RollbackHarmless
	CrashFresh
	RestFresh
	NearBounded
	OneLoad
	Shared
	Cold
	Live
	promiseCount
)

// promiseTexts is read only. What stands before the colon is the short name.
var promiseTexts = [promiseCount]string{
	Kept:             "kept: nothing is broken",
	Fresh:            "P1: a read returns nothing older than what had been committed and returned when it started",
	Uncommitted:      "P2 cached: no uncommitted value reaches a caller outside its transaction",
	RollbackHarmless: "P2 rollback: a rollback alone leaves a fresh entry fresh",
	CrashFresh:       "P3 crash: a read returns nothing older than what a crashed writer had committed under its hold when it started",
	RestFresh:        "P3 at rest: when nobody acts and all deadlines have passed, an entry judged fresh is the committed value",
	NearBounded:      "P5: a near hit returns nothing older than what had been committed and returned one lag before it started",
	OneLoad:          "P6: no two loads at once, unless a lease was lost",
	Shared:           "P6 shared: nobody loads by himself if a load of his process began after he arrived and has ended",
	Cold:             "cold key: as long as Redis has lost nothing, no load begins on probation",
	Live:             "live: when nobody acts, three reads in a row make a fresh entry",
}

// String is the promise's short name.
func (p Promise) String() string {
	name, _, _ := strings.Cut(promiseTexts[p], ":")
	return name
}

// Says is the promise in one sentence.
func (p Promise) Says() string {
	_, text, _ := strings.Cut(promiseTexts[p], ": ")
	return text
}

// broken is the promise that a world breaks. What a step itself broke is in the world already.
func (p *play) broken(w *world) Promise {
	if w.Broken != Kept {
		return w.Broken
	}
	loading := 0
	for i := range p.Readers {
		if w.Readers[i].At.leads() {
			loading++
		}
	}
	if loading > 1 && !w.LeaseLost {
		return OneLoad
	}
	if p.quiet(w) {
		return p.brokenAtRest(*w)
	}
	return Kept
}

// quiet: nobody is in the middle of anything, and the database has decided everything.
func (p *play) quiet(w *world) bool {
	for i := range p.Writers {
		if me := &w.Writers[i]; me.At != toWrite && !me.At.over() || me.Tx == txInDoubt {
			return false
		}
	}
	for i := range p.Readers {
		if at := w.Readers[i].At; at != toArrive && !at.over() {
			return false
		}
	}
	return true
}

// brokenAtRest lets all times run out, and looks at what is left and at what reads make of it.
func (p *play) brokenAtRest(w world) Promise {
	untouched := !w.Faulted && w.Rows == versions{}
	if untouched && !p.Cold && !p.fresh(&w.Redis.sight) {
		return RollbackHarmless
	}
	for i := range p.Writers {
		if w.Running.has(i) || p.stillFeared(&w, i) {
			p.deadline(&w, i)
		}
	}
	w.Redis.Lease, w.Near = 0, near{}
	w.Clock = 100 // long after, by any clock
	for k := range p.Keys {
		p.settle(&w, k, maxWriters+lastReader)
	}
	if p.fresh(&w.Redis.sight) && w.Redis.Entry.Value != w.Rows {
		return RestFresh
	}
	for i := range w.Readers {
		w.Readers[i] = reader{At: gone}
	}
	for range 3 {
		w = p.readAlone(w)
	}
	if !p.fresh(&w.Redis.sight) || w.Redis.Entry.Value != w.Rows {
		return Live
	}
	return Kept
}

// lastReader makes the reads at rest: reader 0 may belong to a transaction.
const lastReader = maxReaders - 1

// readAlone runs one Get with nobody about. One that goes round in circles ends too, and is found out by what it leaves.
func (p *play) readAlone(w world) world {
	w.Readers[lastReader] = reader{}
	for range 40 {
		if w.Readers[lastReader].At.over() {
			break
		}
		p.closing.last = w
		p.closing.readerSteps(w, lastReader)
		w = p.closing.last
	}
	return w
}
