package model

// fault is a kind of thing that goes wrong, between any two steps, within the scenario's budget.
type fault uint8

const (
	kill      fault = iota // a process dies
	evict                  // Redis gives up one key
	flush                  // Redis forgets everything
	lateLease              // a lease ends before its living owner does: a paused reader
	pause                  // a deadline passes though the writer lives: a paused writer
	silence                // a COMMIT gets no answer
	restart                // Redis comes back as it was in its snapshot
	snapshot               // and when that was
	stepBack               // Redis's clock steps back
	deadLink               // the link of a near cache brings nothing any more, and nobody is told
	faultKinds
)

func (w *world) may(f fault) bool { return w.Left[f] > 0 && w.Budget > 0 }

func (w *world) spend(f fault) {
	w.Left[f]--
	w.Budget--
	w.Faulted = true
	w.trim()
}

// trim forgets how many of a kind were left where the budget says less, so that histories which allow the same meet again.
func (w *world) trim() {
	for f := range w.Left {
		w.Left[f] = min(w.Left[f], w.Budget)
	}
}

func (p *play) faultSteps(w world) {
	for i := range p.Writers {
		p.writerFaults(w, i)
	}
	p.readerFaults(w)
	if w.may(evict) {
		p.evictions(w)
	}
	if w.may(flush) {
		t := w
		t.spend(flush)
		p.replaceAll(&t, redis{})
		p.emit(t, event{what: flushes})
	}
	if w.may(stepBack) && p.Result { // nowhere else are two times compared
		for now := range w.Clock {
			t := w
			t.spend(stepBack)
			t.Clock = now
			for i := range t.Readers {
				t.Readers[i].Stepped = t.Readers[i].At.leads()
			}
			p.rankTimes(&t)
			p.emit(t, event{what: stepsBack})
		}
	}
	if !w.may(restart) {
		return
	}
	if w.may(snapshot) && !p.on(EpochBinds) {
		t := w
		t.spend(snapshot)
		t.Saved = t.Redis
		p.emit(t, event{what: saves})
	}
	w.spend(restart)
	w.Count = 0
	w.Near.Words, w.Near.Behind, w.Near.Dead = 0, 0, p.Near
	p.replaceAll(&w, w.Saved) // nothing, if nobody looks at what the other run wrote
	p.emit(w, event{what: restarts})
}

// replaceAll is a loss of everything but by.
func (p *play) replaceAll(w *world, by redis) {
	w.HoldLost |= w.Running
	w.Redis, w.LeaseLost, w.Lost = by, true, true
	for k := range by.Keys {
		w.Running |= by.Keys[k].Holders // an old hold comes back, and its deadline with it
	}
}

// evictions are one for each key. Each changes the server's count of evicted keys, which INFO tells.
func (p *play) evictions(w world) {
	w.spend(evict)
	w.Lost = true
	w.Count++
	for k := range p.Keys {
		if w.Redis.Keys[k].There {
			t := w
			t.HoldLost |= t.Redis.Keys[k].Holders
			t.Redis.Keys[k] = tokenKey{}
			p.emit(t, event{what: evictsToken, on: uint8(k)})
		}
	}
	if w.Redis.Entry.There {
		t := w
		t.Redis.Entry = entry{}
		p.emit(t, event{what: evictsEntry})
	}
	if w.Redis.Lease != 0 {
		t := w
		t.Redis.Lease, t.LeaseLost = 0, true
		p.emit(t, event{what: evictsLease})
	}
	if w.Redis.Mark.There {
		w.Redis.Mark = mark{}
		p.emit(w, event{what: evictsMark})
	}
}

func (p *play) writerFaults(w world, i int) {
	me := w.Writers[i]
	by := uint8(i)
	if me.Tx == txInDoubt { // the COMMIT on the wire arrives, or never does
		t := w
		p.commitRows(&t, i)
		p.promiseByCrash(&t, i)
		p.emit(t, event{what: arrivesLate, who: by})
		t = w
		p.endTx(&t, i, txAborted)
		p.emit(t, event{what: neverArrives, who: by})
	}
	if w.may(kill) && me.At != toWrite && !me.At.over() {
		t := w
		p.killWriter(&t, i)
		p.emit(t, event{what: killsWriter, who: by})
	}
	over := me.At.over()
	if w.Running.has(i) && (over || w.may(pause)) || over && p.stillFeared(&w, i) {
		if !over {
			w.spend(pause)
		}
		p.deadline(&w, i)
		p.emit(w, event{what: lapses, who: by})
	}
}

func (p *play) killWriter(w *world, i int) {
	w.spend(kill)
	me := &w.Writers[i]
	switch {
	case me.At == toCommit && (me.Tx == txOpen || me.Tx == txNone && p.lockRows(w, i)):
		me.Tx = txInDoubt // its COMMIT, or its statement, may be on the wire
	case me.Tx == txOpen:
		p.endTx(w, i, txAborted)
	case me.Tx == txCommitted:
		p.promiseByCrash(w, i)
	}
	me.At, me.Key, me.Before = killed, 0, [maxKeys]token{}
	w.Near.Untold = 0
}

// stillFeared is whether a probation waits for this writer, who may be done by now: the time of a probation passes anyway.
func (p *play) stillFeared(w *world, i int) bool {
	all := w.Redis.Entry.Feared
	for k := range p.Keys {
		all |= w.Redis.Keys[k].Feared
		for j := range w.Readers {
			all |= w.Readers[j].Seen.Keys[k].Feared
		}
	}
	for j := range w.Readers {
		all |= w.Readers[j].Feared
	}
	return all.has(i)
}

// deadline is the end of a writer's hold by Redis's clock, and of the fear that it was lost.
func (p *play) deadline(w *world, i int) {
	w.Running &^= one(i)
	w.Redis.Mark.Running &^= one(i)
	for k := range p.Keys {
		key := &w.Redis.Keys[k]
		key.Overdue |= key.Holders & one(i)
		if key.Feared.has(i) {
			if p.isResult(k) {
				key.Ended = w.Clock
			}
			key.calmDown(i)
		}
		for j := range w.Readers {
			w.Readers[j].Seen.Keys[k].calmDown(i)
		}
	}
	if e := &w.Redis.Entry; e.Feared.has(i) {
		if e.Feared &^= one(i); e.Feared == 0 {
			*e = entry{}
		}
	}
	for j := range w.Readers {
		if r := &w.Readers[j]; r.Feared.has(i) {
			r.Feared &^= one(i)
			r.TooLate = r.Feared == 0
		}
	}
	// The database's timer is shorter than the hold. It runs for an open transaction only: a statement that was not
	// sent yet has none, unless it was given a transaction.
	tx := w.Writers[i].Tx
	timed := tx == txOpen || tx == txInDoubt || tx == txNone && p.on(FenceOnStatement)
	if timed && p.on(FenceOnTransaction) {
		p.endTx(w, i, txAborted)
	}
}

func (k *tokenKey) calmDown(i int) {
	if k.Feared &^= one(i); k.Feared == 0 {
		k.Calm = false // nothing left to excuse
	}
}

func (p *play) readerFaults(w world) {
	if owner := int(w.Redis.Lease) - 1; owner >= 0 {
		lives := w.Readers[owner].At.leads()
		if !lives || w.may(lateLease) {
			t := w
			if lives {
				t.spend(lateLease)
				t.LeaseLost = true
			}
			t.Redis.Lease = 0
			p.emit(t, event{what: leaseEnds, who: uint8(owner)})
		}
	}
	if !w.may(kill) {
		return
	}
	for i := range p.Readers {
		if !w.Readers[i].At.leads() {
			continue
		}
		t := w
		t.spend(kill)
		for j := range p.Readers {
			if at := t.Readers[j].At; p.sameProcess(i, j) && at != toArrive {
				p.leave(&t, j)
				t.Readers[j].At = gone
			}
		}
		if p.isNear(i) { // its near cache goes with it, and its link
			t.Near = near{Lag: t.Near.Lag, Passing: t.Near.Passing, Passed: t.Near.Passed}
		}
		p.forget(&t)
		p.emit(t, event{what: killsReader, who: uint8(i)})
	}
}
