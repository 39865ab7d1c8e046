package model

// Redis's side. Each function is one command or one script: atomic, on one slot.

// stamp gives the key a new token. Its nonce tells who made it and the how manieth of his it is: that makes it unique, and lets
// different orders of the same steps meet in one world again.
func (p *play) stamp(w *world, k, actor int) {
	w.Minted[actor]++
	key := &w.Redis.Keys[k]
	key.Token = token(uint8(actor+1)<<4 | w.Minted[actor])
	if p.isResult(k) {
		key.Made = w.Clock
	}
}

// find gives the key of a dependency, made if it is missing. A missing key may have taken a hold along whose writer is
// still going to COMMIT, and may die before it tells anybody: hence the probation.
func (p *play) find(w *world, k int) *tokenKey {
	key := &w.Redis.Keys[k]
	if !key.There {
		*key = tokenKey{There: true}
		if p.on(Probation) && w.Running != 0 {
			key.Feared, key.Calm = w.Running, p.longQuiet(w)
		}
	}
	return key
}

// longQuiet is whether the mark is older than now by one hold time: then all holds that ran when it was written have
// reached their deadlines since.
func (p *play) longQuiet(w *world) bool {
	m := w.Redis.Mark
	return (m.There || !p.on(ExcuseNeedsMark)) && (m.Running == 0 || !p.on(ExcuseLooksBack))
}

// unharmed is what a process learns from INFO and the mark: whether anything was lost since the mark's time.
func (p *play) unharmed(w *world, count uint8) bool {
	m := w.Redis.Mark
	return (m.There || !p.on(ExcuseNeedsMark)) && (m.Count == count || !p.on(ExcuseCountsEvictions))
}

// markAnew writes the mark with the time of now, which is later than every finding so far. The count may be old news by
// now: then the next inquiry finds that it differs, and is none the worse.
func (p *play) markAnew(w *world, count uint8) {
	w.Redis.Mark = mark{There: true, Count: count, Running: w.Running}
	for k := range p.Keys {
		w.Redis.Keys[k].Calm = false
		for i := range w.Readers {
			w.Readers[i].Seen.Keys[k].Calm = false
		}
	}
}

// create is SET NX GET: what is there afterwards.
func (p *play) create(w *world, k, actor int) tokenKey {
	if !w.Redis.Keys[k].There || !p.on(CreateNeverReplaces) {
		key := p.find(w, k)
		*key = tokenKey{There: true, Feared: key.Feared, Ended: key.Ended, Calm: key.Calm}
		p.stamp(w, k, actor)
	}
	return w.Redis.Keys[k]
}

// invalidate is the plain invalidation: a new token, or dirt on a held one.
func (p *play) invalidate(w *world, k, actor int) {
	key := p.find(w, k)
	if !key.held() {
		p.publish(w, k)
		p.renew(w, k, actor)
	} else if p.on(InvalidationLeavesDirt) {
		key.Dirty = true
	}
}

// renew replaces the token. That one hold is over says nothing about another that was lost, so a probation goes on.
func (p *play) renew(w *world, k, actor int) {
	p.stamp(w, k, actor)
	if !p.on(ProbationStays) {
		w.Redis.Keys[k].Feared, w.Redis.Keys[k].Calm = 0, false
	}
}

// hold adds a holder or gives it a new deadline. The token before stays, and dirt does.
func (p *play) hold(w *world, k, writer int) {
	key := p.find(w, k)
	if !key.held() { // while it is held, near caches have heard that already, and cannot have come to trust it since
		p.publish(w, k)
	}
	if !p.on(RestoreByLastHolder) {
		w.Writers[writer].Before[k] = key.Token
	}
	key.Holders |= one(writer)
	key.Overdue &^= one(writer)
	w.Running |= one(writer)
}

// holdInDoubt is what a COMMIT without an answer leaves: it may have happened, and it may still happen.
func (p *play) holdInDoubt(w *world, k, writer int) {
	p.hold(w, k, writer)
	w.Redis.Keys[k].Dirty = true
}

// release takes a holder away after its COMMIT or ROLLBACK.
func (p *play) release(w *world, k, writer int, committed bool) {
	key := &w.Redis.Keys[k]
	if !committed && !p.on(RestoreByLastHolder) {
		*key = tokenKey{There: true, Token: w.Writers[writer].Before[k]}
		return
	}
	if !key.Holders.has(writer) {
		// Lapsed or lost. A load may have begun since and seen the rows from before this COMMIT.
		if committed && p.on(CommitAlwaysInvalidates) {
			p.invalidate(w, k, writer)
		}
		return
	}
	key.Dirty = key.Dirty || committed
	if !key.Holders.only(writer) && !p.on(DirtOutlivesHolder) {
		key.Dirty = false
	}
	p.dropHolders(w, k, writer, one(writer))
}

// settle takes away the holders whose deadline has passed.
func (p *play) settle(w *world, k, actor int) {
	key := &w.Redis.Keys[k]
	late := key.Overdue
	if !p.on(LapseByRedisClock) {
		late = key.Holders
	}
	if late != 0 {
		key.Dirty = key.Dirty || p.on(LapseLeavesDirt)
		p.dropHolders(w, k, actor, late)
	}
}

// dropHolders ends a hold with its last holder: dirty becomes a new token, clean the token before.
func (p *play) dropHolders(w *world, k, actor int, gone set) {
	key := &w.Redis.Keys[k]
	key.Holders &^= gone
	key.Overdue &^= gone
	if key.held() {
		return
	}
	if key.Dirty {
		p.renew(w, k, actor)
	}
	key.Dirty = false
	if key.Token == 0 {
		*key = tokenKey{} // before the hold there was no token
	}
}

// takeLease is SET NX PX.
func (p *play) takeLease(w *world, owner int) bool {
	if w.Redis.Lease != 0 && p.on(OneLease) {
		return false
	}
	w.Redis.Lease = uint8(owner + 1)
	return true
}

// fill is the one script: store, and give the lease back, only if the lease is still the owner's.
func (p *play) fill(w *world, owner int, e entry, store bool) (mine bool) {
	mine = w.Redis.Lease == uint8(owner+1)
	if store && (mine || !p.on(FillUnderOwnLease)) {
		w.Redis.Entry = e
	}
	if mine {
		w.Redis.Lease = 0
	}
	return mine
}

// fresh is the judgement on one MGET.
func (p *play) fresh(s *sight) bool {
	if !s.Entry.There {
		return false
	}
	for k := range p.Keys {
		key := &s.Keys[k]
		if !key.There {
			if p.on(AbsentIsNotFresh) {
				return false
			}
			continue
		}
		if key.held() && p.on(HeldIsNotFresh) {
			return false
		}
		if p.on(EqualTokens) && (key.Token != s.Entry.Tokens[k] || key.Token == 0) {
			return false
		}
	}
	return true
}
