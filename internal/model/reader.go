package model

// readerAt is what a reader does next.
type readerAt uint8

const (
	toArrive   readerAt = iota
	toAsk               // send an MGET, the first or another one
	toDecide            // the reply is here
	inFlight            // waits for the flight it has joined
	toCreate            // leads a load: create the next missing token
	toInquire           // ask INFO for the count of evicted keys
	toReadMark          // and the mark since when nothing was lost
	toLoad              // read the next row
	toReadLate          // read the next result token
	toFill
	answered
	gone // with its process
)

func (at readerAt) over() bool  { return at >= answered }
func (at readerAt) leads() bool { return at >= toCreate && at <= toFill }

// waits: it has arrived and leads nothing.
func (at readerAt) waits() bool { return at >= toAsk && at <= inFlight }

// reader is one Get.
type reader struct {
	At     readerAt
	Seen   sight    // the reply to its MGET; of a leader, what its flight began with
	Floor  versions // for the promises: what it must at least return
	Flight uint8    // whose it has joined, plus one
	Cut    bool     // since it began to look, word came that what it looks at is wrong

	// Of a leader. After the answer, Value, Takers and BornInvalid stay as long as somebody may take the value.
	Tokens      [maxKeys]token
	Value       versions
	Row, Key    uint8 // next ones
	Began       uint8 // Redis's time when the lease was taken
	Feared      set   // probation that the load began under
	Takers      set   // callers of its process that had arrived when its load began
	Count       uint8 // of evicted keys, as INFO told it
	Excused     bool  // only where the inquiry may come before the tokens
	TooLate     bool  // that probation ended during the load: the entry would be dead on arrival
	Stepped     bool  // Redis's clock and the process's own disagree
	NoStore     bool
	BornInvalid bool
}

func (p *play) readerSteps(w world, i int) {
	switch w.Readers[i].At {
	case toArrive:
		p.arrive(w, i)
	case toAsk:
		if !p.takeNextLoad(w, i) {
			p.ask(w, i)
		}
	case toDecide:
		p.decide(w, i)
	case inFlight:
		p.await(w, i)
	case toCreate:
		p.createOne(w, i)
	case toInquire:
		p.inquire(w, i)
	case toReadMark:
		p.readMark(w, i)
	case toLoad:
		p.loadRow(w, i)
	case toReadLate:
		p.readLate(w, i)
	case toFill:
		p.fillAndAnswer(w, i)
	}
}

// arrive fixes what the call is promised and asks in the same step: whatever happens between the two only raises what it
// would be promised.
func (p *play) arrive(w world, i int) {
	if p.inTx(i) {
		switch tx := w.Writers[p.Inside-1].Tx; {
		case tx == txNone:
			return
		case tx != txOpen || p.on(TransactionBypasses):
			t := w
			p.leave(&t, i)
			p.emit(t, event{what: bypasses, who: uint8(i)})
			if tx != txOpen {
				return
			}
			// Or its context does not tell, and only its load finds out, see loadRow.
		}
	}
	if p.hitNear(w, i) {
		return
	}
	w.Readers[i].Floor = w.Promised
	for j := range p.Readers {
		other := &w.Readers[j]
		if j == i || !p.sameProcess(i, j) {
			continue
		}
		if other.At.leads() && !p.on(NextLoadAfterArrival) {
			other.Takers |= one(i)
		}
		if other.At == toDecide && !p.on(TripSentAfterArrival) {
			t := w
			t.Readers[i].Seen, t.Readers[i].At = other.Seen, toDecide
			p.emit(t, event{what: sharesTrip, who: uint8(i), on: uint8(j)})
		}
	}
	p.ask(w, i)
}

func (p *play) ask(w world, i int) {
	me := &w.Readers[i]
	me.Seen, me.At, me.Cut = w.Redis.sight, toDecide, false
	for k := range p.Keys {
		me.Seen.Keys[k].Made, me.Seen.Keys[k].Ended = 0, 0 // of no use before the load
	}
	p.emit(w, event{what: asks, who: uint8(i)})
}

// decide does what the reply calls for.
func (p *play) decide(w world, i int) {
	me := &w.Readers[i]
	by := uint8(i)
	if p.fresh(&me.Seen) {
		p.keep(&w, i)
		p.answer(&w, i, me.Seen.Entry.Value)
		p.emit(w, event{what: hits, who: by})
		return
	}
	for k := range p.Keys {
		// The reply is old news: the script looks again, and may find nothing to settle.
		if key := &me.Seen.Keys[k]; key.Overdue != 0 || key.held() && !p.on(LapseByRedisClock) {
			me.again()
			p.onKey(w, k, func(w *world) event {
				p.settle(w, k, maxWriters+i)
				return event{what: settles, who: by, on: uint8(k)}
			})
			return
		}
	}
	if p.takeNextLoad(w, i) || p.joinAny(w, i) {
		return
	}
	if me.Seen.Lease != 0 && p.on(OneLease) {
		me.again()
		p.emit(w, event{what: waits, who: by})
		return
	}
	if !p.takeLease(&w, i) {
		me.again()
		p.emit(w, event{what: leaseTaken, who: by})
		return
	}
	led := func(w *world) event {
		p.lead(w, i)
		return event{what: leads, who: by}
	}
	if p.Result {
		p.timed(w, led)
		return
	}
	led(&w)
	p.emit(w, event{what: leads, who: by})
}

// again sends the call back to its MGET. What it was promised stays, and so does its place among those who wait.
func (r *reader) again() { *r = reader{At: toAsk, Floor: r.Floor} }

// joinAny joins a flight of the reader's own process, if its read allows that.
func (p *play) joinAny(w world, i int) bool {
	for j := range p.Readers {
		if j != i && p.mayJoin(&w, i, j) {
			w.Readers[i] = reader{At: inFlight, Flight: uint8(j + 1), Floor: w.Readers[i].Floor}
			p.emit(w, event{what: joins, who: uint8(i), on: uint8(j)})
			return true
		}
	}
	return false
}

// mayJoin: what the caller's own read returned is what the flight began with.
func (p *play) mayJoin(w *world, i, j int) bool {
	me, leader := &w.Readers[i], &w.Readers[j]
	if !leader.At.leads() || !p.sameProcess(i, j) {
		return false
	}
	if me.Seen.Lease != uint8(j+1) && p.on(JoinOnSameLease) {
		return false
	}
	// Nobody's first MGET has the result tokens. The flight's late read speaks for the joiner, if it comes after him.
	if p.Result && leader.At == toFill && p.on(JoinBeforeLateRead) {
		return false
	}
	for k := range p.Keys {
		if !p.isResult(k) && p.on(JoinOnEqualTokens) && !p.alike(me.Seen.Keys[k], leader.Seen.Keys[k]) {
			return false
		}
	}
	return true
}

func (p *play) alike(a, b tokenKey) bool {
	if (a.held() || b.held()) && p.on(JoinNeverUnderHold) {
		return false
	}
	// Byte for byte: a probation is written beside the token, not into it.
	return a.There && b.There && a.Token == b.Token && a.Holders == b.Holders && a.Overdue == b.Overdue && a.Dirty == b.Dirty
}

// await takes the value of the joined flight when it is there.
func (p *play) await(w world, i int) {
	j := w.Readers[i].Flight - 1
	leader := w.Readers[j]
	if leader.At != answered {
		return
	}
	arrivedBefore := leader.Takers.has(i) && p.on(NextLoadIsShared)
	private := p.inTx(int(j)) && p.on(TransactionBypasses)
	if private || leader.BornInvalid && !arrivedBefore && p.on(JoinOnlyValid) {
		w.Readers[i].again()
		p.forget(&w)
		p.emit(w, event{what: declines, who: uint8(i), on: j})
		return
	}
	p.answer(&w, i, leader.Value)
	p.emit(w, event{what: takesFlight, who: uint8(i), on: j})
}

// takeNextLoad answers a waiting caller with the value of a load of its process that began after the caller arrived. It
// was read from the database later than anything that the caller was promised: no token has a say in it.
func (p *play) takeNextLoad(w world, i int) bool {
	if !p.on(NextLoadIsShared) {
		return false
	}
	for j := range p.Readers {
		if other := w.Readers[j]; other.At == answered && other.Takers.has(i) {
			p.answer(&w, i, other.Value)
			p.emit(w, event{what: takesNext, who: uint8(i), on: uint8(j)})
			return true
		}
	}
	return false
}

// answer ends the call, and checks what its caller is given.
func (p *play) answer(w *world, i int, v versions) {
	me := &w.Readers[i]
	for row := range p.Rows {
		switch {
		case v[row] == unseen && !p.inTx(i):
			w.Broken = Uncommitted
		case v[row] < me.Floor[row] && w.ByCrash:
			w.Broken = CrashFresh
		case v[row] < me.Floor[row]:
			w.Broken = Fresh
		}
	}
	kept := reader{At: answered, Value: v, Takers: me.Takers, BornInvalid: me.BornInvalid}
	p.leave(w, i)
	*me = kept
	p.forget(w)
}

// leave takes the call out of everybody's list of takers.
func (p *play) leave(w *world, i int) {
	w.Readers[i] = reader{At: answered}
	for j := range p.Readers {
		w.Readers[j].Takers &^= one(i)
	}
}

// forget drops values that nobody can take any more, so that worlds differ only in what matters.
func (p *play) forget(w *world) {
	for j := range p.Readers {
		if other := &w.Readers[j]; other.At == answered && other.Takers == 0 {
			wanted := false
			for i := range p.Readers {
				wanted = wanted || w.Readers[i].Flight == uint8(j+1)
			}
			if !wanted {
				*other = reader{At: answered}
			}
		}
	}
}

func (p *play) inTx(i int) bool           { return p.Inside > 0 && i == 0 }
func (p *play) sameProcess(i, j int) bool { return p.Process[i] == p.Process[j] }
func (p *play) isResult(k int) bool       { return p.Result && k == p.Keys-1 }
