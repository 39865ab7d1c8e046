package cacheme

import (
	"context"
	"slices"
	"sync"
	"time"
)

// lane does what nobody waits for, in the background and within limits. Its goroutines end when there is nothing to do.
type lane[T any] struct {
	c       *Cache
	limits  limits
	id      func(T) string           // two with one id are one, while they wait
	joins   func(first, next T) bool // whether one call of do takes both; nil: it takes one at a time
	do      func(batch []T)
	dropped EventKind // what is told of those that are not done

	mu      sync.Mutex
	waiting []waiting[T] // in the order in which they came
	known   map[string]bool
	running int
	next    time.Time // when the rate allows the next one
}

// limits of a lane: how many calls of do run at a time, how many T it takes in a second, how many wait, and for how long
// at most; an age of zero is no limit.
type limits struct {
	concurrency, perSecond, pending int
	age                             time.Duration
}

type waiting[T any] struct {
	what  T
	since time.Time
}

// laneBatch is how many T one call of do takes at most.
const laneBatch = 100

// add puts all in the queue, those aside that wait there already: their turn has not begun.
func (l *lane[T]) add(all ...T) {
	now, dropped := time.Now(), 0
	l.mu.Lock()
	if l.known == nil {
		l.known = map[string]bool{}
	}
	for _, t := range all {
		switch id := l.id(t); {
		case l.known[id]:
		case len(l.waiting) >= l.limits.pending:
			dropped++
		default:
			l.known[id] = true
			l.waiting = append(l.waiting, waiting[T]{t, now})
		}
	}
	start := 0
	for l.running < min(l.limits.concurrency, len(l.waiting)) && l.c.loads.Enter() {
		l.running++
		start++
	}
	l.mu.Unlock()
	l.drop(dropped, "too many wait")
	for range start {
		go l.run()
	}
}

func (l *lane[T]) drop(n int, reason string) {
	if n > 0 {
		l.c.happened(context.Background(), nil, Event{Kind: l.dropped, Count: n, Reason: reason})
	}
}

func (l *lane[T]) run() {
	defer l.c.loads.Leave()
	for {
		batch, old, wait := l.take()
		l.drop(old, "they have waited for too long")
		switch {
		case wait > 0:
			if !l.c.pause(wait) {
				return
			}
		case batch == nil:
			return
		default:
			l.do(batch)
		}
	}
}

// pause is false where the cache is closed meanwhile.
func (c *Cache) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.closing:
		return false
	}
}

// take takes the oldest ones that one call can do, or tells how long the rate has them wait, and how many were too old.
// With neither of them the caller has ended.
func (l *lane[T]) take() (batch []T, old int, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if wait := l.next.Sub(now); wait > 0 && len(l.waiting) > 0 {
		return nil, 0, wait
	}
	l.waiting = slices.DeleteFunc(l.waiting, func(w waiting[T]) bool {
		expired := l.limits.age > 0 && now.Sub(w.since) > l.limits.age
		if expired {
			old++
		}
		mine := !expired && l.takes(batch, w.what)
		if mine {
			batch = append(batch, w.what)
		}
		if expired || mine {
			delete(l.known, l.id(w.what))
		}
		return expired || mine
	})
	if batch == nil {
		l.running--
		return nil, old, 0
	}
	l.next = now.Add(time.Duration(len(batch)) * time.Second / time.Duration(l.limits.perSecond))
	return batch, old, 0
}

// takes reports whether a batch has room for one more, and it belongs there.
func (l *lane[T]) takes(batch []T, next T) bool {
	if batch == nil {
		return true
	}
	return l.joins != nil && len(batch) < laneBatch && l.joins(batch[0], next)
}
