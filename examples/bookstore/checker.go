package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// The checker knows the truth: from the witness what was committed, from the writers when it had returned. A read that
// starts after a write has returned must not show anything older than that write: that is a violation. What was rolled
// back is told to nobody, so a read that shows it is one as well.

// aspect is what a fact is about.
type aspect string

// The aspects, and what the value of a fact is: 0 stands for "there is none". None has the name of a table in it: triggers
// write them down, and a trigger that mentions a table is taken for one that writes to it.
const (
	bookVersion aspect = "book"      // of, 0: the book's version
	bookOwner   aspect = "owner of"  // book, 0: the owner's id
	userVersion aspect = "user"      // user, 0: the user's version
	onShelf     aspect = "shelf of"  // user, book: 1
	readersOf   aspect = "readers"   // book, user: 1
	booksBy     aspect = "works of"  // author, book: the book's version
	followersOf aspect = "followers" // followed, follower: 1
	clubOf      aspect = "club of"   // author, user: the membership's version
)

// group is all facts of one thing: what stands on the shelf of user 7.
type group struct {
	aspect aspect
	of     int64
}

// fact is one of them: book 12 on the shelf of user 7.
type fact struct {
	group
	item int64
}

// state is a value that a fact has had since a write was committed.
type state struct {
	value   int64
	version int64 // of the write
}

// writing is whose a write was, and when it had returned.
type writing struct {
	process  *shop
	returned time.Time // zero: not yet, or it failed
}

// history keeps the states of all facts, the oldest first.
type history struct {
	witness witness

	// turn is had by one deletion at a time: a row that is gone tells nobody's number, so it is his who has the turn.
	turn sync.Mutex

	mu       sync.RWMutex
	writings []writing // by version
	groups   map[group]map[int64][]state
	deleting int64 // who has the turn
	last     int64 // entry of the log that is known
	behind   bool  // a write has returned that may not be known
}

func newHistory(w witness) *history {
	// Version 0 is nobody's.
	return &history{witness: w, writings: make([]writing, 1), groups: map[group]map[int64][]state{}}
}

// begin gives a write its number.
func (h *history) begin(process *shop, deletes bool) (version int64) {
	if deletes {
		h.turn.Lock()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	version = int64(len(h.writings))
	h.writings = append(h.writings, writing{process: process})
	if deletes {
		h.deleting = version
	}
	return version
}

// end takes note that a write has returned, and whether it was committed.
func (h *history) end(ctx context.Context, version int64, committed bool) error {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if committed {
		h.writings[version].returned = now
	}
	h.behind = true
	if h.deleting != version {
		return nil
	}
	err := h.catchUp(ctx)
	h.deleting = 0
	h.turn.Unlock()
	return err
}

// catchUp learns what was committed meanwhile. Its caller has the lock.
func (h *history) catchUp(ctx context.Context) error {
	h.behind = false
	entries, err := h.witness.since(ctx, h.last)
	if err != nil {
		return fmt.Errorf("ask the witness: %w", err)
	}
	for _, e := range entries {
		h.last = e.seq
		if e.version == 0 {
			e.version = h.deleting
		}
		if e.version == 0 {
			return fmt.Errorf("nobody's turn to delete: %s %d, item %d", e.aspect, e.of, e.item)
		}
		items := h.groups[e.group]
		if items == nil {
			items = map[int64][]state{}
			h.groups[e.group] = items
		}
		states := items[e.item]
		// What a transaction made of a fact in between was never true for others.
		if n := len(states); n > 0 && states[n-1].version == e.version {
			states = states[:n-1]
		}
		items[e.item] = append(states, state{e.value, e.version})
	}
	return nil
}

// claims is what a value that was read says.
type claims struct {
	facts map[fact]int64
	whole []group // of which the value tells every fact: what it leaves out, it says is not there
}

func (c *claims) says(a aspect, of, item, value int64) {
	if c.facts == nil {
		c.facts = map[fact]int64{}
	}
	c.facts[fact{group{a, of}, item}] = value
}

func (c *claims) tellsAll(a aspect, of int64) { c.whole = append(c.whole, group{a, of}) }

// reading is who read, and when it began.
type reading struct {
	process *shop
	began   time.Time
	// age is how old the value may be on purpose. What the process wrote itself it never reads old.
	age time.Duration
}

// check holds a read's claims against the truth: each has to have been true at or after the moment when the read began. It
// returns what is wrong, empty if nothing is.
func (h *history) check(ctx context.Context, c claims, r reading) (wrong string, err error) {
	wrong, behind := h.look(c, r)
	if wrong == "" && !behind {
		return "", nil
	}
	// What was read may be so new that nobody has asked the witness yet.
	h.mu.Lock()
	err = h.catchUp(ctx)
	h.mu.Unlock()
	wrong, _ = h.look(c, r)
	return wrong, err
}

func (h *history) look(c claims, r reading) (wrong string, behind bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for f, value := range c.facts {
		if states := h.groups[f.group][f.item]; !h.possible(states, value, r) {
			return violation(f, value, states), h.behind
		}
	}
	for _, g := range c.whole {
		for item, states := range h.groups[g] {
			f := fact{g, item}
			if _, told := c.facts[f]; !told && !h.possible(states, 0, r) {
				return violation(f, 0, states), h.behind
			}
		}
	}
	return "", h.behind
}

// possible reports whether a fact may show a value in a read: it walks back to the last write that had returned by then,
// behind which nothing may be seen any more.
func (h *history) possible(states []state, value int64, r reading) bool {
	for _, s := range slices.Backward(states) {
		if s.value == value {
			return true
		}
		since := r.began
		by := h.writings[s.version]
		if by.process != r.process {
			since = since.Add(-r.age)
		}
		if !by.returned.IsZero() && !by.returned.After(since) {
			return false
		}
	}
	return value == 0 // as before the first write
}

func violation(f fact, value int64, states []state) string {
	var latest int64
	if len(states) > 0 {
		latest = states[len(states)-1].value
	}
	return fmt.Sprintf("%s %d, item %d: read %d, and the last write made it %d", f.aspect, f.of, f.item, value, latest)
}
