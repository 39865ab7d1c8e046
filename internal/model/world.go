package model

// The bounds of any world. Everything is a byte or an array of bytes, so that a world copies by assignment, compares
// with == and hashes in one sweep.
const (
	maxRows    = 2
	maxKeys    = 2
	maxWriters = 3
	maxReaders = 3
)

// set is a set of writers, readers, rows or keys, by index.
type set uint8

func one(i int) set           { return 1 << i }
func (s set) has(i int) bool  { return s&one(i) != 0 }
func (s set) only(i int) bool { return s == one(i) }

// versions is one version for each row; a load's value is nothing else.
type versions [maxRows]uint8

// unseen is the version of a row that only its own transaction can see.
const unseen = 200

// token is a token's nonce, which is enough to tell two of them apart. Its time stands in the tokenKey, since nobody compares it
// anywhere else. The zero token is no token and equals nothing.
type token uint8

// tokenKey is the Redis key of one dependency.
type tokenKey struct {
	There   bool
	Token   token // under a hold: the token before
	Holders set
	Overdue set  // holders whose deadline has passed and whom nobody has settled yet
	Dirty   bool // a holder committed, or an invalidation came by
	// Feared is the probation. A real one is a time, one hold time after the key was found missing; here it is the
	// reason for that time: the writers whose hold may have been lost with the key and has not reached its deadline.
	Feared set
	// Of a result token only: Redis's time when it was made, and when its last probation ended (0: there was none).
	Made, Ended uint8
	// Calm says how the mark's time compares with the finding: it is older by one hold time. The process computes
	// it from two numbers that it has read, so it changes when the mark does, for copies already read as well.
	Calm bool
}

func (k tokenKey) held() bool { return k.Holders != 0 }

// entry is the cached value with the tokens from before its load.
type entry struct {
	There  bool
	Value  versions
	Tokens [maxKeys]token
	Feared set // stored on probation, and gone when that ends
}

// mark is the key that says since when nothing was lost. It lives in Redis, so a flush takes it along.
type mark struct {
	There   bool
	Count   uint8 // the server's count of evicted keys, as its writer knew it
	Running set   // holds whose time ran when the mark was written, and still runs
}

// sight is what one MGET returns.
type sight struct {
	Keys  [maxKeys]tokenKey
	Entry entry
	Lease uint8 // the owner, plus one; 0: free
}

// redis is all that the server keeps.
type redis struct {
	sight
	Mark mark
}

// world is everything between two steps.
type world struct {
	Redis   redis
	Saved   redis // the snapshot that a restart brings back
	Clock   uint8 // Redis's; it moves only where a scenario compares times
	Count   uint8 // the server's count of evicted keys, which INFO tells and no flush resets
	Rows    versions
	Locks   [maxRows]uint8 // the writer, plus one
	Writers [maxWriters]writer
	Readers [maxReaders]reader
	Running set                            // writers whose hold has not reached its deadline
	Minted  [maxWriters + maxReaders]uint8 // tokens made so far by each actor
	Near    near                           // of a process that has one
	Left    [faultKinds]uint8              // faults that may still happen
	Budget  uint8                          // and how many of them in all

	// What follows nobody in the world can see; the promises look at it.
	Promised  versions // what every read that starts now must at least return
	ByCrash   bool     // some of that was promised by a crash, not by a return
	HoldLost  set      // writers whose hold was lost, not ended
	LeaseLost bool     // a lease went away under its owner: two loads at once are excused
	Faulted   bool
	Lost      bool    // Redis has lost something
	Broken    Promise // by the last step
}

// play is a scenario under a set of rules. Its steps hand every world that can follow to emit.
type play struct {
	Scenario
	rules   ruleSet
	emit    func(world, event)
	closing *play // for the reads when all is quiet
	last    world // of a closing play: the last world emitted
}

func newPlay(sc Scenario, off []Rule) *play {
	p := &play{Scenario: sc}
	for _, r := range sc.Lacks {
		p.rules[r] = true
	}
	for _, r := range off {
		p.rules[r] = true
	}
	closing := *p
	p.closing = &closing
	p.closing.emit = func(w world, _ event) { p.closing.last = w }
	return p
}

func (p *play) on(r Rule) bool { return p.rules.on(r) }

// begin is a warm cache, or a cold one: nothing asked for yet, nothing ever lost.
func (p *play) begin() world {
	w := world{Clock: 2}
	w.Redis.Mark.There = true
	for k := range p.Keys {
		if p.Cold {
			break
		}
		t := token(k + 1)
		w.Redis.Keys[k] = tokenKey{There: true, Token: t}
		w.Redis.Entry.Tokens[k], w.Redis.Entry.There = t, true
	}
	for f, n := range p.Faults {
		w.Left[f] = n
		w.Budget += n
	}
	if p.AtMost > 0 {
		w.Budget = p.AtMost
	}
	if !p.on(EpochBinds) { // otherwise nobody looks at it
		w.Saved = w.Redis
	}
	w.trim()
	return w
}

// steps emits every world that can follow w.
func (p *play) steps(w world) {
	for i := range p.Writers {
		p.writerSteps(w, i)
	}
	for i := range p.Readers {
		p.readerSteps(w, i)
	}
	if p.Near {
		p.nearSteps(w)
	}
	p.faultSteps(w)
}

// timed runs a step that stamps a result token, or a load, with Redis's time. It comes out once for each order in which that time can
// stand to the times there are: usually the same microsecond as the last stamp or a later one; more after the clock has stepped back.
func (p *play) timed(w world, step func(*world) event) {
	top := w.Clock
	for _, t := range p.times(&w) {
		top = max(top, *t)
	}
	for now := w.Clock; now <= top+1; now++ {
		next := w
		next.Clock = now
		e := step(&next)
		p.rankTimes(&next)
		p.emit(next, e)
	}
}

// onKey runs a step that may stamp the token k.
func (p *play) onKey(w world, k int, step func(*world) event) {
	if p.isResult(k) {
		p.timed(w, step)
		return
	}
	e := step(&w)
	p.emit(w, e)
}

// times are all that are ever compared.
func (p *play) times(w *world) [3 + maxReaders]*uint8 {
	last := &w.Redis.Keys[p.Keys-1]
	all := [3 + maxReaders]*uint8{&w.Clock, &last.Made, &last.Ended}
	for i := range w.Readers {
		all[3+i] = &w.Readers[i].Began
	}
	return all
}

// rankTimes gives each time its rank: only their order means anything, and worlds that differ in nothing else meet again. Ranks are
// even, to leave room between two of them. Zero is before all times and stays.
func (p *play) rankTimes(w *world) {
	const none = 255
	times := p.times(w)
	var was [len(times)]uint8
	for i, t := range times {
		was[i] = *t
	}
	for floor, rank := uint8(0), uint8(2); ; rank += 2 {
		next := uint8(none)
		for _, t := range was {
			if t > floor {
				next = min(next, t)
			}
		}
		if next == none {
			return
		}
		for i, t := range was {
			if t == next {
				*times[i] = rank
			}
		}
		floor = next
	}
}
