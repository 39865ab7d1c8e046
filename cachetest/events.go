package cachetest

import (
	"context"
	"sync"

	"github.com/cacheme/cacheme"
)

// LoadsOf returns how often a loader ran for node in this cache, whoever asked and whatever came of it: also in a batch,
// past the cache (Bypass, Skip, Disable), and with an error. Nothing has to be wrapped. For a Memo or a Bound give it
// Bound.Node; for all nodes together there is Stats. Something that is no node of the cache ends the test.
//
//	if n := cache.LoadsOf(Shelf{User: 7}); n != 1 { ... }
func (c *Cache) LoadsOf(node cacheme.Declaration) int {
	c.t.Helper()
	return c.seen.loadsOf(c.keyOf(node))
}

func (c *Cache) keyOf(node cacheme.Declaration) string {
	c.t.Helper()
	key, err := c.KeyOf(node)
	if err != nil {
		c.t.Fatal(err)
	}
	return key
}

// seen is what the events of one cache told. Two nodes never share a key, so that the key alone is enough.
type seen struct {
	next func(context.Context, cacheme.Event) // the test's own observer, or nil

	mu     sync.Mutex
	loads  map[string]int    // by key
	refuse map[string]string // why the last load of a key was not stored, by key
	better chan struct{}     // closed, and replaced, when Redis is back or something was delivered
}

func newSeen(next func(context.Context, cacheme.Event)) *seen {
	return &seen{next: next, loads: map[string]int{}, refuse: map[string]string{}, better: make(chan struct{})}
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
			delete(s.refuse, key)
		}
	case cacheme.EventNotStored:
		s.refuse[e.Key] = e.Reason
	case cacheme.EventBornInvalid:
		s.refuse[e.Key] = "nobody could tell whether its result changed while it was loaded"
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

// refused tells why the last load of a key was not stored; empty: it was, as far as anybody told.
func (s *seen) refused(key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refuse[key]
}

func (s *seen) betterment() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.better
}
