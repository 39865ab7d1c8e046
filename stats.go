package cacheme

import (
	"context"
	"sync/atomic"
)

// Stats are counts since the cache was made.
type Stats struct {
	Hits, StaleHits, Misses, Bypassed, Errors uint64 // one of them for each Get; a node of GetMany counts as one
	Loads, LoadErrors                         uint64 // loader calls; one for a batch
	NotStored, BornInvalid, Garbage           uint64
	Undeclared                                uint64 // EventUndeclared: tables that nodes read and do not depend on
	Invalidations                             uint64 // dependencies made wrong by this process
	RedisErrors                               uint64
	Verified, Unverified, Violations          uint64 // hits that Options.Verify sampled: right, not to be told, wrong
	Pending                                   int    // invalidations kept for later, now
	Away                                      bool
}

type counters struct {
	hits, stale, misses, bypassed, errors atomic.Uint64
	loads, loadErrors                     atomic.Uint64
	notStored, bornInvalid, garbage       atomic.Uint64
	undeclared                            atomic.Uint64
	invalidations, redisErrors            atomic.Uint64
	verified, unverified, violations      atomic.Uint64
}

func (n *counters) count(k EventKind, by int) {
	var counter *atomic.Uint64
	switch k {
	case EventHit:
		counter = &n.hits
	case EventStale:
		counter = &n.stale
	case EventMiss:
		counter = &n.misses
	case EventBypass:
		counter = &n.bypassed
	case EventError:
		counter = &n.errors
	case EventLoad:
		counter = &n.loads
	case EventNotStored:
		counter = &n.notStored
	case EventBornInvalid:
		counter = &n.bornInvalid
	case EventUndeclared:
		counter = &n.undeclared
	case EventGarbage:
		counter = &n.garbage
	case EventInvalidated:
		counter = &n.invalidations
	case EventRedisError:
		counter = &n.redisErrors
	case EventVerified:
		counter = &n.verified
	case EventUnverified:
		counter = &n.unverified
	case EventViolation:
		counter = &n.violations
	default:
		return
	}
	counter.Add(uint64(by))
}

func (n *counters) stats() Stats {
	return Stats{
		Hits: n.hits.Load(), StaleHits: n.stale.Load(), Misses: n.misses.Load(),
		Bypassed: n.bypassed.Load(), Errors: n.errors.Load(),
		Loads: n.loads.Load(), LoadErrors: n.loadErrors.Load(),
		NotStored: n.notStored.Load(), BornInvalid: n.bornInvalid.Load(), Garbage: n.garbage.Load(),
		Undeclared:    n.undeclared.Load(),
		Invalidations: n.invalidations.Load(), RedisErrors: n.redisErrors.Load(),
		Verified: n.verified.Load(), Unverified: n.unverified.Load(), Violations: n.violations.Load(),
	}
}

// Stats returns what the cache counted.
func (c *Cache) Stats() Stats {
	s := c.counters.stats()
	s.Pending = int(c.journal.pending.Load())
	s.Away = c.store.Away()
	return s
}

// StatsOf returns what the cache counted for one node; a node that is not registered has zeros.
func (c *Cache) StatsOf(node Declaration) Stats {
	p, _, err := c.nodeOf(node)
	if err != nil {
		return Stats{}
	}
	return p.counters.stats()
}

// happened counts and tells an event of a node.
func (c *Cache) happened(ctx context.Context, p *nodePlan, e Event) {
	by := max(1, e.Count)
	c.counters.count(e.Kind, by)
	if p != nil {
		e.Node = p.name
		p.counters.count(e.Kind, by)
	}
	if e.Kind == EventLoad && e.Err != nil {
		c.counters.loadErrors.Add(1)
		if p != nil {
			p.counters.loadErrors.Add(1)
		}
	}
	c.tell(ctx, e)
}
