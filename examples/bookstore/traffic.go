package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	readers = 8
	writers = 3

	// pause is how long a writer rests between two writes: a shop is read more often than it is changed.
	pause = 20 * time.Millisecond

	// clockSlack is how far the age of a stale value may be out: a cache estimates Redis's time, to a round trip.
	clockSlack = 250 * time.Millisecond
)

// traffic lets readers and writers run against each other.
type traffic struct {
	shops   []*shop
	history *ledger
	size    size
	seed    uint64

	mu   sync.Mutex
	gone []*Book // deleted, and to come back
}

// run lasts for d, or until ctx ends.
func (t *traffic) run(ctx context.Context, d time.Duration) *report {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	r := newReport(t.shops)
	var all sync.WaitGroup
	for i := range readers {
		all.Go(func() { r.add(t.read(ctx, i)) })
	}
	for i := range writers {
		all.Go(func() { r.add(t.change(ctx, i)) })
	}
	all.Wait()
	r.stop()
	return r
}

// dice are one reader's or writer's own, so that a seed means the same in every run.
type dice struct {
	*rand.Rand

	size  size
	zipfs map[int]*rand.Zipf
}

func (t *traffic) dice(who int) *dice {
	return &dice{Rand: rand.New(rand.NewPCG(t.seed, uint64(who+1))), size: t.size, zipfs: map[int]*rand.Zipf{}}
}

// id draws one of 1 to n, the low ones far more often: everybody reads, and changes, the same few things.
func (d *dice) id(n int) int64 {
	if d.zipfs[n] == nil {
		d.zipfs[n] = rand.NewZipf(d.Rand, 1.5, 4, uint64(n-1))
	}
	return int64(d.zipfs[n].Uint64()) + 1
}

// read asks for one thing after the other, and holds each answer against the truth.
func (t *traffic) read(ctx context.Context, who int) *tally {
	d, n, s := t.dice(who), newTally(), t.shops[who%len(t.shops)]
	for ctx.Err() == nil {
		i := d.IntN(len(kinds))
		k := kinds[i]
		id := d.id(k.ids(t.size))
		began := time.Now()
		reply, err := k.ask(context.WithoutCancel(ctx), s, id)
		if err != nil {
			n.failed(fmt.Errorf("read %s %d: %w", k.name, id, err))
			continue
		}
		n.answered(i, reply, time.Since(began))
		since := began
		if reply.stale {
			// The node allows it, but no more than this.
			since = began.Add(-k.stale - clockSlack)
		}
		if wrong := t.history.check(reply.claims, since); wrong != "" {
			n.violated(fmt.Sprintf("%s %d from %s: %s", k.name, id, reply.tier, wrong))
		}
	}
	return n
}

// change writes one thing after the other.
func (t *traffic) change(ctx context.Context, who int) *tally {
	d, n, s := t.dice(readers+who), newTally(), t.shops[who%len(t.shops)]
	for ctx.Err() == nil {
		do, commit := t.draw(d), d.IntN(8) > 0
		write, count := s.write, &n.writes
		if !commit {
			write, count = s.abandon, &n.abandoned
		}
		w, err := write(context.WithoutCancel(ctx), do)
		switch {
		case err == nil:
			*count++
			t.keep(w, commit)
		case !errors.Is(err, sql.ErrNoRows): // the book has been deleted meanwhile
			n.failed(fmt.Errorf("write: %w", err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return n
}

// draw chooses something to do.
func (t *traffic) draw(d *dice) work {
	book, user, author := d.id(t.size.books), d.id(t.size.users), d.id(t.size.authors)
	switch d.IntN(10) {
	case 0, 1:
		return editBook(book, func(b *Book) { b.Price = 500 + d.Int64N(4500) })
	case 2:
		return editBook(book, func(b *Book) { b.Title = title(d.Rand) })
	case 3:
		return editBook(book, func(b *Book) { b.AuthorID = author })
	case 4:
		return renameUser(user, name(d.Rand, user))
	case 5, 6:
		return toggleShelf(user, book)
	case 7:
		if back := t.comeBack(); back != nil {
			return insertBook(back)
		}
		return deleteBook(book)
	case 8:
		return toggleFollow(user, d.id(t.size.users))
	default:
		return setRole(user, author, one(d.Rand, []string{"fan", "editor", "president"}))
	}
}

// absent is how many deleted books stay away, so that asking for them has an answer of its own to cache.
const absent = 5

// comeBack returns the book that has been away the longest, nil if few are.
func (t *traffic) comeBack() *Book {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.gone) < absent {
		return nil
	}
	b := t.gone[0]
	t.gone = t.gone[1:]
	return b
}

// keep remembers which books are gone after a transaction.
func (t *traffic) keep(w *written, committed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range w.books {
		switch {
		case committed && c.after == nil:
			t.gone = append(t.gone, c.before)
		case !committed && c.before == nil:
			t.gone = append(t.gone, c.after)
		}
	}
}
