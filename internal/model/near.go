package model

// The near cache of one process, that of the first reader: a value which it found fresh in Redis, and the link that
// brings it word of what is made wrong. A lag is a time that begins at any moment and ends at any later one; what had been
// promised when it began, every near read must return once it has ended.

// near is what the process keeps, and what is under way to it.
type near struct {
	There bool // a value, with whole wires across its entry and its tokens
	Value versions

	Words  set  // published, and not arrived yet: tokens, and theEntry
	Untold set  // where telling is a step of its own: what is made wrong and not published yet
	Dead   bool // the link brings nothing any more, and nobody has noticed

	Pinged bool // a ping, or its answer, is on its way
	Behind set  // words in front of that answer
	Proven bool // an answer came to a ping that was sent less than one lag ago

	// Of the lag that runs: whether the ping, and the proof, are younger than its beginning.
	Lag, PingedIn, ProvenIn bool
	Passing, Passed         versions // what was promised when it began; what near reads must return
}

// theEntry is the word of the entry's own key.
const theEntry = maxKeys

func (p *play) isNear(i int) bool { return p.Near && p.sameProcess(i, 0) }

// hitNear answers from the process, if that may be.
func (p *play) hitNear(w world, i int) bool {
	if !p.isNear(i) || !w.Near.There || !w.Near.Proven && p.on(NearOnlyProven) {
		return false
	}
	for row := range p.Rows {
		if w.Near.Value[row] < w.Near.Passed[row] {
			w.Broken = NearBounded
		}
	}
	p.leave(&w, i)
	p.emit(w, event{what: hitsNear, who: uint8(i)})
	return true
}

// keep makes near what a reader found fresh, if none of its wires was cut since it began to look.
func (p *play) keep(w *world, i int) {
	if me := &w.Readers[i]; p.isNear(i) && (!me.Cut || !p.on(NearWiresFirst)) {
		w.Near.There, w.Near.Value = true, me.Seen.Entry.Value
	}
}

// publish is the PUBLISH in a script.
func (p *play) publish(w *world, word int) {
	switch {
	case !p.Near:
	case !p.on(NearToldInStep):
		w.Near.Untold |= one(word)
	case !w.Near.Dead:
		w.Near.Words |= one(word)
	}
}

// publishRest is what a writer does before it returns where telling is a step of its own.
func (p *play) publishRest(w *world) {
	if !w.Near.Dead {
		w.Near.Words |= w.Near.Untold
	}
	w.Near.Untold = 0
}

// cut is what a word does: the value goes, and what is being looked at now will not be kept.
func (p *play) cut(w *world) {
	w.Near.There, w.Near.Value = false, versions{}
	for i := range p.Readers {
		if me := &w.Readers[i]; p.isNear(i) && me.At == toDecide {
			me.Cut = true
		}
	}
}

func (p *play) nearSteps(w world) {
	if w.Near.Dead {
		p.reconnect(w)
	} else {
		p.words(w)
		p.pings(w)
	}
	p.lags(w)
	if w.may(deadLink) && !w.Near.Dead {
		w.spend(deadLink)
		w.Near.Dead, w.Near.Words, w.Near.Behind = true, 0, 0
		p.emit(w, event{what: linkDies})
	}
}

func (p *play) words(w world) {
	for word := range maxKeys + 1 {
		if w.Near.Words.has(word) {
			t := w
			t.Near.Words &^= one(word)
			t.Near.Behind &^= one(word)
			p.cut(&t)
			p.emit(t, event{what: hearsWord, on: uint8(word)})
		}
	}
}

func (p *play) pings(w world) {
	if n := &w.Near; n.Pinged && (n.Behind == 0 || !p.on(NearAnswerBehind)) {
		t := w
		t.Near.Pinged, t.Near.PingedIn, t.Near.Behind = false, false, 0
		t.Near.Proven, t.Near.ProvenIn = true, n.ProvenIn || n.PingedIn
		p.emit(t, event{what: hearsAnswer})
	}
	if n := &w.Near; !n.Pinged && (!n.Proven || n.Lag && !n.ProvenIn) { // any other would tell nothing new
		n.Pinged, n.PingedIn, n.Behind = true, n.Lag, n.Words
		p.emit(w, event{what: pings})
	}
}

// lags begins one where there is something to be seen by its end.
func (p *play) lags(w world) {
	n := &w.Near
	switch {
	case n.Lag:
		n.Passed, n.Passing = n.Passing, versions{}
		n.Proven, n.Pinged = n.Proven && n.ProvenIn, n.Pinged && n.PingedIn // an answer to an older ping proves nothing any more
		if !n.Pinged {
			n.Behind = 0
		}
		n.Lag, n.PingedIn, n.ProvenIn = false, false, false
		p.emit(w, event{what: lagEnds})
	case n.Passed != w.Promised:
		n.Passing, n.Lag = w.Promised, true
		p.emit(w, event{what: lagBegins})
	}
}

// reconnect is how a dead link ends: it is noticed, sooner or later, by the ping that is not answered.
func (p *play) reconnect(w world) {
	n := &w.Near
	n.Dead, n.Proven, n.ProvenIn, n.Pinged, n.PingedIn, n.Behind = false, false, false, false, false, 0
	if p.on(NearGapForgets) {
		p.cut(&w)
	}
	p.emit(w, event{what: reconnects})
}
