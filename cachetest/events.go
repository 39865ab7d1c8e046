package cachetest

import (
	"context"
	"sync"
	"testing"

	"github.com/cacheme/cacheme"
)

// LoadsOf returns how often a loader ran for node in this cache, whoever asked and whatever came of it: also in a batch,
// past the cache (Bypass, Skip, Disable), and with an error. Nothing has to be wrapped. For a Memo or a Bound give it
// Bound.Node; for all nodes together there is Stats. Something that is no node of the cache ends the test.
//
//	if n := cache.LoadsOf(Shelf{User: 7}); n != 1 { ... }
func (c *Cache) LoadsOf(node cacheme.Declaration) int {
	c.t.Helper()
	key, err := c.KeyOf(node)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.seen.loadsOf(key)
}

// seen is what the events of one cache told. Two nodes never share a key, so that the key alone is enough.
type seen struct {
	next func(context.Context, cacheme.Event) // the test's own observer, or nil

	mu     sync.Mutex
	t      testing.TB     // fails by what loads read and their nodes do not declare
	missed int            // how many of those there were
	loads  map[string]int // by key
	better chan struct{}  // closed, and replaced, when Redis is back or something was delivered
}

func newSeen(t testing.TB, next func(context.Context, cacheme.Event)) *seen {
	return &seen{next: next, t: t, loads: map[string]int{}, better: make(chan struct{})}
}

func (s *seen) observe(ctx context.Context, e cacheme.Event) {
	s.note(e)
	if s.next != nil {
		s.next(ctx, e)
	}
}

func (s *seen) note(e cacheme.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e.Kind {
	case cacheme.EventLoad, cacheme.EventBypass:
		keys := e.Keys
		if keys == nil {
			keys = []string{e.Key}
		}
		for _, key := range keys {
			s.loads[key]++
		}
	case cacheme.EventUndeclared:
		// Under the lock: a subtest that has ended must not be failed any more.
		s.missed++
		s.t.Errorf("cachetest: %s: %s %s", e.Line, e.Node, e.Reason)
	case cacheme.EventChanged:
		s.t.Errorf("cachetest: %s %s: %s", e.Node, e.Key, e.Reason)
	case cacheme.EventBack, cacheme.EventDelivered:
		close(s.better)
		s.better = make(chan struct{})
	default:
	}
}

func (s *seen) loadsOf(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loads[key]
}

// fail has t fail by what is not declared from now on. It returns who did so far, and how much was missed so far.
func (s *seen) fail(t testing.TB) (former testing.TB, missed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	former, s.t = s.t, t
	return former, s.missed
}

func (s *seen) betterment() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.better
}
