package main

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// The checker knows the truth. Each transaction tells it what it is about to commit, and when it has returned; each
// read tells it what it got. A read that starts after a write has returned must not show anything older than that
// write: that is a violation. What was rolled back is told to nobody, so a read that shows it is one as well.

// aspect is what a fact is about.
type aspect string

// The aspects, and what the value of a fact is: 0 stands for "there is none".
const (
	bookVersion aspect = "book"      // of, 0: the book's version
	bookOwner   aspect = "owner of"  // book, 0: the owner's id
	userVersion aspect = "user"      // user, 0: the user's version
	onShelf     aspect = "shelf of"  // user, book: 1
	readersOf   aspect = "readers"   // book, user: 1
	booksBy     aspect = "books by"  // author, book: the book's version
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

// state is a value that a fact has had since a write began to commit.
type state struct {
	value    int64
	returned time.Time // when the write had returned; zero: not yet
}

// ledger keeps the states of all facts, the oldest first. Writes come here in the order of their commits: the database
// has one writer at a time.
type ledger struct {
	version atomic.Int64

	mu     sync.RWMutex
	groups map[group]map[int64][]state
}

func newLedger() *ledger { return &ledger{groups: map[group]map[int64][]state{}} }

func (l *ledger) nextVersion() int64 { return l.version.Add(1) }

// commits notes what is about to become true, and returns what to call when it surely has.
func (l *ledger) commits(w *written) (returned func()) {
	facts := w.facts()
	at := make(map[fact]int, len(facts))
	l.mu.Lock()
	defer l.mu.Unlock()
	for f, value := range facts {
		items := l.groups[f.group]
		if items == nil {
			items = map[int64][]state{}
			l.groups[f.group] = items
		}
		at[f] = len(items[f.item])
		items[f.item] = append(items[f.item], state{value: value})
	}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		now := time.Now()
		for f, i := range at {
			l.groups[f.group][f.item][i].returned = now
		}
	}
}

// facts is what is true after the transaction of what it wrote.
func (w *written) facts() map[fact]int64 {
	facts := map[fact]int64{}
	is := func(a aspect, of, item, value int64) { facts[fact{group{a, of}, item}] = value }
	for _, c := range w.books {
		if b := c.before; b != nil {
			is(bookVersion, b.ID, 0, 0)
			is(bookOwner, b.ID, 0, 0)
			is(booksBy, b.AuthorID, b.ID, 0)
		}
		if b := c.after; b != nil {
			is(bookVersion, b.ID, 0, b.Version)
			is(bookOwner, b.ID, 0, b.OwnerID)
			is(booksBy, b.AuthorID, b.ID, b.Version)
		}
	}
	for _, c := range w.users {
		is(userVersion, c.after.ID, 0, c.after.Version)
	}
	for _, c := range w.places {
		row, there := c.rows()[0], int64(0)
		if c.after != nil {
			there = 1
		}
		is(onShelf, row.UserID, row.BookID, there)
		is(readersOf, row.BookID, row.UserID, there)
	}
	for _, c := range w.follows {
		row, there := c.rows()[0], int64(0)
		if c.after != nil {
			there = 1
		}
		is(followersOf, row.FollowedID, row.FollowerID, there)
	}
	for _, c := range w.members {
		is(clubOf, c.after.AuthorID, c.after.UserID, c.after.Version)
	}
	return facts
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

// check holds a read's claims against the truth: each has to have been true at or after the moment since. It returns
// what is wrong, empty if nothing is.
func (l *ledger) check(c claims, since time.Time) string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for f, value := range c.facts {
		if states := l.groups[f.group][f.item]; !possible(states, value, since) {
			return violation(f, value, states)
		}
	}
	for _, g := range c.whole {
		for item, states := range l.groups[g] {
			f := fact{g, item}
			if _, told := c.facts[f]; !told && !possible(states, 0, since) {
				return violation(f, 0, states)
			}
		}
	}
	return ""
}

// possible reports whether a fact may show a value in a read since then: it walks back to the last write that had
// returned by then, behind which nothing may be seen any more.
func possible(states []state, value int64, since time.Time) bool {
	for _, s := range slices.Backward(states) {
		if s.value == value {
			return true
		}
		if !s.returned.IsZero() && !s.returned.After(since) {
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
