package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
	history *history
	size    size
	seed    uint64
	enough  bool // the first old read ends it
	stop    context.CancelFunc
}

// run lasts for d, or until ctx ends.
func (t *traffic) run(ctx context.Context, d time.Duration) *report {
	ctx, t.stop = context.WithTimeout(ctx, d)
	defer t.stop()
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

// read asks for one thing after the other, and holds each answer against the truth.
func (t *traffic) read(ctx context.Context, who int) *tally {
	d, n, s := t.dice(who), newTally(), t.shops[who%len(t.shops)]
	for ctx.Err() == nil {
		i := d.IntN(len(kinds))
		k := kinds[i]
		id := d.id(k.ids(t.size))
		r := reading{process: s, began: time.Now()}
		reply, err := k.ask(context.WithoutCancel(ctx), s, id)
		if err != nil {
			n.failed(fmt.Errorf("read %s %d: %w", k.name, id, err))
			continue
		}
		n.answered(i, reply, time.Since(r.began))
		if reply.stale {
			// The node allows it, but no more than this.
			r.age = k.stale + clockSlack
		}
		wrong, err := t.history.check(context.WithoutCancel(ctx), reply.claims, r)
		if err != nil {
			n.failed(err)
		}
		if wrong != "" {
			n.violated(fmt.Sprintf("%s %d from %s: %s", k.name, id, reply.tier, wrong))
			if t.enough {
				t.stop()
			}
		}
	}
	return n
}

// change writes in one way after the other, in some manner.
func (t *traffic) change(ctx context.Context, who int) *tally {
	d, n, s := t.dice(readers+who), newTally(), t.shops[who%len(t.shops)]
	for ctx.Err() == nil {
		for _, at := range d.Perm(len(drawings)) {
			m, w, besides := manners[d.IntN(len(manners))], drawings[at](d), d.write()
			err := s.write(context.WithoutCancel(ctx), m, w, besides)
			switch {
			case err == nil, errors.Is(err, errUndone):
				n.wrote(m, w, err == nil)
			case refused(err):
				n.refused++
			default:
				n.failed(fmt.Errorf("write, %s, %s: %w", w.path, m.name, err))
			}
			select {
			case <-ctx.Done():
				return n
			case <-time.After(pause):
			}
		}
	}
	return n
}

// refused reports whether the database did not want a row that refers to one which somebody else has deleted.
func refused(err error) bool { return strings.Contains(err.Error(), "FOREIGN KEY constraint failed") }
