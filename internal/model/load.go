package model

import "cmp"

// What the leader of a flight does between lease and fill.

// lead begins the flight with the tokens of the leader's MGET.
func (p *play) lead(w *world, i int) {
	me := &w.Readers[i]
	for j := range p.Readers {
		if other := &w.Readers[j]; other.At == answered && other.Takers.has(i) {
			w.Broken = Shared
		}
	}
	me.Began, me.Excused = w.Clock, !p.on(ExcuseAfterTokens) && p.unharmed(w, w.Count)
	me.Seen.Lease, me.Seen.Entry = uint8(i+1), entry{}
	for k := range p.Keys {
		if p.isResult(k) {
			me.Seen.Keys[k] = tokenKey{} // known only after the load
			continue
		}
		p.adopt(me, k, me.Seen.Keys[k])
	}
	p.afterCreate(w, i)
}

// adopt takes a declared token as it is before the load.
func (p *play) adopt(me *reader, k int, key tokenKey) {
	me.Seen.Keys[k], me.Tokens[k] = key, key.Token
	if key.held() && p.on(NoFillUnderHold) {
		me.Tokens[k], me.NoStore = 0, true
	}
}

func (p *play) createOne(w world, i int) {
	k := p.missing(&w.Readers[i])
	p.onKey(w, k, func(w *world) event {
		p.adopt(&w.Readers[i], k, p.create(w, k, maxWriters+i))
		p.afterCreate(w, i)
		return event{what: creates, who: uint8(i), on: uint8(k)}
	})
}

// missing is the next declared token to create before the load; p.Keys if there is none.
func (p *play) missing(me *reader) int {
	for k := range p.Keys {
		if !me.Seen.Keys[k].There && !p.isResult(k) && p.on(CreateThenLoad) && p.on(ReadThenLoad) {
			return k
		}
	}
	return p.Keys
}

// afterCreate moves on when all declared tokens are there: to the inquiry if one is on probation, else to the load.
func (p *play) afterCreate(w *world, i int) {
	me := &w.Readers[i]
	switch {
	case p.missing(me) < p.Keys:
		me.At = toCreate
	case p.feared(me, false) != 0 && p.on(Excuse) && p.on(ExcuseAfterTokens):
		me.At = toInquire
	default:
		p.startLoad(w, i, me.Excused && p.on(Excuse))
	}
}

// feared is the probation of the declared tokens, less what is excused.
func (p *play) feared(me *reader, excused bool) set {
	var all set
	for k := range p.Keys {
		if key := &me.Seen.Keys[k]; !excused || !key.Calm {
			all |= key.Feared
		}
	}
	return all
}

// inquire reads INFO. That and the mark are not read at once, and need not be: both come after the tokens, so what is lost in between was
// there when the tokens were read, and its loss makes the entry unequal by itself.
func (p *play) inquire(w world, i int) {
	w.Readers[i].Count, w.Readers[i].At = w.Count, toReadMark
	p.emit(w, event{what: inquires, who: uint8(i)})
}

// readMark ends the inquiry. Whoever finds that something was lost writes the mark anew.
func (p *play) readMark(w world, i int) {
	me := &w.Readers[i]
	e := event{what: learnsCalm, who: uint8(i)}
	excused := p.unharmed(&w, me.Count)
	if !excused {
		e.what = learnsLoss
		p.markAnew(&w, me.Count)
	}
	me.Count = 0
	p.startLoad(&w, i, excused)
	p.emit(w, e)
}

// startLoad fixes the probation: what ended before now has no say any more.
func (p *play) startLoad(w *world, i int, excused bool) {
	me := &w.Readers[i]
	me.At, me.Excused = toLoad, false
	me.Feared = p.feared(me, excused)
	if me.Feared != 0 && !w.Lost {
		w.Broken = Cold
	}
	for k := range p.Keys {
		me.Seen.Keys[k].Feared, me.Seen.Keys[k].Calm = 0, false
	}
}

// loadRow reads one row as READ COMMITTED does; inside a transaction, with its own writes.
func (p *play) loadRow(w world, i int) {
	me := &w.Readers[i]
	row := int(me.Row)
	if row == 0 {
		for j := range p.Readers {
			if j != i && w.Readers[j].At.waits() && p.sameProcess(i, j) && !p.inTx(i) {
				me.Takers |= one(j)
			}
		}
	}
	me.Value[row] = w.Rows[row]
	if p.inTx(i) {
		own := p.Inside - 1
		if w.Writers[own].Tx != txOpen {
			p.leave(&w, i)
			p.emit(w, event{what: failsInTx, who: uint8(i)})
			return
		}
		if w.Locks[row] == uint8(own+1) {
			me.Value[row] = unseen
		}
		me.NoStore = me.NoStore || p.on(TransactionBypasses)
	}
	if me.Row++; int(me.Row) == p.Rows {
		me.Row = 0
		p.afterLoad(me)
	}
	p.emit(w, event{what: loads, who: uint8(i), on: uint8(row)})
}

// afterLoad moves on to the next token that is read late, or to the fill.
func (p *play) afterLoad(me *reader) {
	me.At = toReadLate
	for int(me.Key) < p.Keys && !p.isResult(int(me.Key)) && p.on(ReadThenLoad) && p.on(CreateThenLoad) {
		me.Key++
	}
	if int(me.Key) == p.Keys {
		me.At, me.Began = toFill, 0
		if p.Result && p.on(JoinBeforeLateRead) {
			me.Seen = sight{} // nobody can join any more
		}
	}
}

// readLate reads one token after the load, or creates it. By the rules that is a result token; without them, any.
func (p *play) readLate(w world, i int) {
	k := int(w.Readers[i].Key)
	p.onKey(w, k, func(w *world) event {
		me := &w.Readers[i]
		absent := !w.Redis.Keys[k].There
		key := p.create(w, k, maxWriters+i)
		e := event{what: readsLate, who: uint8(i), on: uint8(k), age: 1 + cmp.Compare(key.Made, me.Began)}
		switch {
		case p.isResult(k):
			if !p.adoptable(me, key, absent) {
				e.what = bornInvalid
				me.BornInvalid = true
				me.NoStore = me.NoStore || key.held() && p.on(LateHeldKeepsEntry)
			}
			fallthrough
		case !p.on(ReadThenLoad), absent && !me.Seen.Keys[k].There:
			me.Tokens[k] = key.Token
			me.Feared |= key.Feared // never excused: the inquiry was before the load
		}
		me.Key++
		p.afterLoad(me)
		return e
	})
}

// adoptable: nothing can have invalidated the token since the load began.
func (p *play) adoptable(me *reader, key tokenKey, absent bool) bool {
	began := me.Began
	switch {
	case me.Stepped && p.on(LateNeedsSteadyClock):
		return false
	case absent:
		return !p.on(LateAbsentIsInvalid)
	case key.held() && p.on(LateHeldIsInvalid):
		return false
	case key.Ended > 0 && key.Ended >= began && p.on(ProbationFromLoadStart):
		return false
	case key.Made == began:
		return !p.on(LateIsStrictlyOlder)
	}
	return key.Made < began || !p.on(LateIsOlder)
}

func (p *play) fillAndAnswer(w world, i int) {
	me := &w.Readers[i]
	e := entry{There: true, Value: me.Value, Tokens: me.Tokens, Feared: me.Feared}
	if me.BornInvalid { // it can stand in as stale, and equals nothing
		e.Tokens, e.Feared = [maxKeys]token{}, 0
	}
	store := !me.NoStore && !me.TooLate
	told := event{what: fills, who: uint8(i)}
	if !p.fill(&w, i, e, store) {
		told.what = fillRefused
	} else if !store {
		told.what = storesNothing
	}
	p.answer(&w, i, me.Value)
	p.emit(w, told)
}
