package cacheme

import (
	"context"
	"sync/atomic"
	"time"
)

// Stats are counts since the cache was made. As JSON they have the names that stand behind them, and leave out what is zero.
type Stats struct {
	// One of these for each Get; a node of GetMany counts as one.
	Hits      uint64 `json:"hits,omitempty"`
	StaleHits uint64 `json:"stale_hits,omitempty"`
	Misses    uint64 `json:"misses,omitempty"`
	Bypassed  uint64 `json:"bypassed,omitempty"`
	Errors    uint64 `json:"errors,omitempty"`

	NearHits   uint64 `json:"near_hits,omitempty"` // those of Hits that this process answered itself
	Loads      uint64 `json:"loads,omitempty"`     // loader calls; one for a batch
	LoadErrors uint64 `json:"load_errors,omitempty"`
	// LoadTime is how long all loads took together, in nanoseconds.
	LoadTime      time.Duration `json:"load_time,omitempty"`
	NotStored     uint64        `json:"not_stored,omitempty"`
	BornInvalid   uint64        `json:"born_invalid,omitempty"`
	Garbage       uint64        `json:"garbage,omitempty"`
	Undeclared    uint64        `json:"undeclared,omitempty"`    // EventUndeclared: tables that nodes read and do not depend on
	Invalidations uint64        `json:"invalidations,omitempty"` // dependencies made wrong by this process
	RedisErrors   uint64        `json:"redis_errors,omitempty"`
	// Hits that Options.Verify sampled: right, not to be told, wrong.
	Verified   uint64 `json:"verified,omitempty"`
	Unverified uint64 `json:"unverified,omitempty"`
	Violations uint64 `json:"violations,omitempty"`

	// What is so now.
	Pending    int  `json:"pending,omitempty"` // invalidations kept for later
	Away       bool `json:"away,omitempty"`    // Redis does not answer
	NearValues int  `json:"near_values,omitempty"`
	NearBytes  int  `json:"near_bytes,omitempty"` // what NearValues take, see NearOptions.Size
	Near       bool `json:"near,omitempty"`       // the near cache serves them
}

type counters struct {
	hits, stale, misses, bypassed, errors atomic.Uint64
	near                                  atomic.Uint64 // of a node alone: one count is enough for a hit
	loads, loadErrors                     atomic.Uint64
	notStored, bornInvalid, garbage       atomic.Uint64
	undeclared                            atomic.Uint64
	invalidations, redisErrors            atomic.Uint64
	verified, unverified, violations      atomic.Uint64
	loadTime                              atomic.Int64
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

// loaded counts what a load cost, and whether it failed.
func (n *counters) loaded(e Event) {
	n.loadTime.Add(int64(e.Duration))
	if e.Err != nil {
		n.loadErrors.Add(1)
	}
}

func (n *counters) stats() Stats {
	return Stats{
		Hits: n.hits.Load() + n.near.Load(), NearHits: n.near.Load(), StaleHits: n.stale.Load(), Misses: n.misses.Load(),
		Bypassed: n.bypassed.Load(), Errors: n.errors.Load(),
		Loads: n.loads.Load(), LoadErrors: n.loadErrors.Load(), LoadTime: time.Duration(n.loadTime.Load()),
		NotStored: n.notStored.Load(), BornInvalid: n.bornInvalid.Load(), Garbage: n.garbage.Load(),
		Undeclared:    n.undeclared.Load(),
		Invalidations: n.invalidations.Load(), RedisErrors: n.redisErrors.Load(),
		Verified: n.verified.Load(), Unverified: n.unverified.Load(), Violations: n.violations.Load(),
	}
}

// Stats returns what the cache counted.
func (c *Cache) Stats() Stats {
	s := c.counters.stats()
	for _, p := range c.registry.table.Load().all() {
		near := p.counters.near.Load()
		s.Hits, s.NearHits = s.Hits+near, s.NearHits+near
	}
	values, bytes := c.near.Size()
	s.NearValues, s.NearBytes, s.Near = values, int(bytes), c.near.Trusted()
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
	if e.Kind == EventLoad {
		c.counters.loaded(e)
		if p != nil {
			p.counters.loaded(e)
		}
	}
	c.tell(ctx, e)
}
