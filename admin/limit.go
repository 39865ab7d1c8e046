package admin

import (
	"sync"
	"time"
)

// limiter bounds how many steps through Redis each actor takes: a bucket each, that holds the steps of two seconds.
type limiter struct {
	perSecond float64
	now       func() time.Time
	mu        sync.Mutex
	buckets   map[string]*bucket
}

type bucket struct {
	left float64
	at   time.Time
}

// mostBuckets bounds the memory that names take; full buckets are forgotten first, which changes nothing for their owners.
const mostBuckets = 1000

func newLimiter(perSecond int, now func() time.Time) *limiter {
	return &limiter{perSecond: float64(perSecond), now: now, buckets: map[string]*bucket{}}
}

// take reports whether the actor may take one step more now.
func (l *limiter) take(actor string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b := l.buckets[actor]
	if b == nil {
		if len(l.buckets) >= mostBuckets {
			l.forget(now)
		}
		b = &bucket{left: 2 * l.perSecond, at: now}
		l.buckets[actor] = b
	}
	b.left, b.at = l.filled(b, now), now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

func (l *limiter) filled(b *bucket, now time.Time) float64 {
	return min(2*l.perSecond, b.left+now.Sub(b.at).Seconds()*l.perSecond)
}

// forget drops full buckets, and all of them where none is: a flood of names then costs its senders' neighbours nothing worse
// than a step or two too many.
func (l *limiter) forget(now time.Time) {
	for name, b := range l.buckets {
		if l.filled(b, now) >= 2*l.perSecond {
			delete(l.buckets, name)
		}
	}
	if len(l.buckets) >= mostBuckets {
		clear(l.buckets)
	}
}
