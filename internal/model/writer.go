package model

// mode is how a write tells the cache about itself.
type mode uint8

const (
	fenced     mode = iota // write, hold, COMMIT, release
	autocommit             // hold, statement, release
	announced              // write, COMMIT, invalidate: the after-commit mode
	unhooked               // a write that nobody saw, then an exact removal of the entry
)

// writerAt is what a writer does next.
type writerAt uint8

const (
	toWrite writerAt = iota
	toHold
	toCommit
	toRelease
	toDoubt  // the COMMIT got no answer: mark the next token
	toRemove // the entry, by hand
	returned
	killed
)

func (at writerAt) over() bool { return at >= returned }

// txState is what the database knows of a writer's transaction.
type txState uint8

const (
	txNone    txState = iota
	txOpen            // rows written and locked, for its own eyes
	txInDoubt         // a COMMIT is on the wire whose client will not hear the answer
	txCommitted
	txAborted
)

// writer is one transaction, statement or unhooked write.
type writer struct {
	At        writerAt
	Key       uint8 // the next one of this pass over its keys
	Tx        txState
	Committed bool // what its releases report
	InDoubt   bool // its caller got an error: the outcome is unknown
	Wrote     versions
	Before    [maxKeys]token // what a naive rollback would put back
}

func (p *play) writerSteps(w world, i int) {
	switch me := &w.Writers[i]; me.At {
	case toWrite:
		if p.Writers[i].mode == autocommit { // the keys are known before the statement runs
			p.pass(&w, i, toHold)
			p.holdOne(w, i)
			return
		}
		if !p.lockRows(&w, i) {
			return
		}
		switch p.Writers[i].mode {
		case fenced:
			p.pass(&w, i, toHold)
		case announced:
			p.pass(&w, i, toCommit)
		case unhooked:
			p.commitRows(&w, i)
			me.At = toRemove
		}
		p.emit(w, event{what: writes, who: uint8(i)})
	case toHold:
		p.holdOne(w, i)
	case toCommit:
		p.commitSteps(w, i)
	case toRelease:
		p.releaseOne(w, i)
	case toDoubt:
		k := int(me.Key)
		p.holdInDoubt(&w, k, i)
		if p.nextKey(&w, i, returned); me.At == returned {
			p.returnWriter(&w, i)
		}
		p.emit(w, event{what: marksDoubt, who: uint8(i), on: uint8(k)})
	case toRemove:
		w.Redis.Entry, w.Redis.Lease, w.LeaseLost = entry{}, 0, true
		p.publish(&w, theEntry)
		p.returnWriter(&w, i)
		p.emit(w, event{what: removes, who: uint8(i)})
	}
}

func (p *play) holdOne(w world, i int) {
	me := &w.Writers[i]
	k := int(me.Key)
	p.hold(&w, k, i)
	p.nextKey(&w, i, toCommit)
	if me.At == toCommit && !p.on(ReleaseAfterCommit) {
		me.Committed = true
		p.pass(&w, i, toRelease)
	}
	p.emit(w, event{what: holds, who: uint8(i), on: uint8(k)})
}

// commitSteps are the ways in which a COMMIT ends.
func (p *play) commitSteps(w world, i int) {
	me := &w.Writers[i]
	if me.Tx == txNone && !p.lockRows(&w, i) { // autocommit: the statement waits for the rows
		return
	}
	after := toRelease
	if me.Committed { // it has released already, which only happens where that is allowed
		after = returned
	}
	by := uint8(i)
	if me.Tx == txAborted {
		p.outcome(&w, i, false, after)
		p.emit(w, event{what: commitRefused, who: by})
		return
	}
	if w.may(silence) {
		t := w
		t.spend(silence)
		t.Writers[i].Tx, t.Writers[i].InDoubt = txInDoubt, true
		if p.on(DoubtKeepsHold) {
			p.pass(&t, i, toDoubt)
		} else {
			p.outcome(&t, i, true, after)
		}
		p.emit(t, event{what: commitSilent, who: by})
	}
	if p.Writers[i].mayRollBack {
		t := w
		p.endTx(&t, i, txAborted)
		p.outcome(&t, i, false, after)
		p.emit(t, event{what: rollsBack, who: by})
	}
	p.commitRows(&w, i)
	p.outcome(&w, i, true, after)
	if !p.on(ReturnAfterRelease) {
		p.promise(&w, i)
	}
	if w.Writers[i].At == returned {
		p.returnWriter(&w, i)
	}
	p.emit(w, event{what: commits, who: by})
}

// outcome fixes what the releases will say.
func (p *play) outcome(w *world, i int, committed bool, then writerAt) {
	w.Writers[i].Committed = committed || !p.on(RollbackRestores)
	if then == toRelease && !committed && p.Writers[i].mode == announced {
		then = returned // nothing is held and nothing was written
	}
	p.pass(w, i, then)
}

func (p *play) releaseOne(w world, i int) {
	p.onKey(w, int(w.Writers[i].Key), func(w *world) event {
		me := &w.Writers[i]
		e := event{what: releases, who: uint8(i), on: me.Key}
		if p.Writers[i].mode == announced {
			e.what = invalidates
			p.invalidate(w, int(me.Key), i)
		} else {
			p.release(w, int(me.Key), i, me.Committed)
		}
		then := returned
		if me.Tx == txNone || me.Tx == txOpen { // released first: the COMMIT is still to come
			then = toCommit
		}
		if p.nextKey(w, i, then); me.At == returned {
			p.returnWriter(w, i)
		}
		return e
	})
}

// returnWriter gives the call back. From here on its versions are promised to every read that starts.
func (p *play) returnWriter(w *world, i int) {
	me := &w.Writers[i]
	me.At, me.Key, me.Before = returned, 0, [maxKeys]token{}
	p.publishRest(w)
	if me.InDoubt {
		return // with an error; a hold, if there is one, runs on
	}
	w.Running &^= one(i)
	w.Redis.Mark.Running &^= one(i)
	if me.Tx == txCommitted {
		p.promise(w, i)
	}
}

func (p *play) promise(w *world, i int) {
	for row := range p.Rows {
		w.Promised[row] = max(w.Promised[row], w.Writers[i].Wrote[row])
	}
}

// promiseByCrash: nobody returned, but what was committed is true, and a hold stands there to say so. Where there is no
// hold, or it was lost, only the promise at rest is asked.
func (p *play) promiseByCrash(w *world, i int) {
	m := p.Writers[i].mode
	if (m == fenced || m == autocommit) && !w.HoldLost.has(i) {
		p.promise(w, i)
		w.ByCrash = true
	}
}

// lockRows writes the rows, for the writer's own eyes. False: another one has a lock, it has to wait.
func (p *play) lockRows(w *world, i int) bool {
	rows := p.Writers[i].rows
	for row := range p.Rows {
		if rows.has(row) && w.Locks[row] != 0 {
			return false
		}
	}
	for row := range p.Rows {
		if rows.has(row) {
			w.Locks[row] = uint8(i + 1)
		}
	}
	w.Writers[i].Tx = txOpen
	return true
}

func (p *play) commitRows(w *world, i int) {
	for row := range p.Rows {
		if p.Writers[i].rows.has(row) {
			w.Rows[row]++
			w.Writers[i].Wrote[row] = w.Rows[row]
		}
	}
	p.endTx(w, i, txCommitted)
}

func (p *play) endTx(w *world, i int, as txState) {
	w.Writers[i].Tx = as
	for row := range p.Rows {
		if w.Locks[row] == uint8(i+1) {
			w.Locks[row] = 0
		}
	}
}

// pass begins to go over the writer's keys, nextKey goes on, and to what then.
func (p *play) pass(w *world, i int, at writerAt) {
	w.Writers[i].At, w.Writers[i].Key = at, uint8(p.keyFrom(i, 0))
}

func (p *play) nextKey(w *world, i int, then writerAt) {
	if k := p.keyFrom(i, int(w.Writers[i].Key)+1); k < p.Keys {
		w.Writers[i].Key = uint8(k)
		return
	}
	p.pass(w, i, then)
}

func (p *play) keyFrom(i, k int) int {
	for ; k < p.Keys; k++ {
		for row := range p.Rows {
			if p.Writers[i].rows.has(row) && p.Covers[row].has(k) {
				return k
			}
		}
	}
	return p.Keys
}
