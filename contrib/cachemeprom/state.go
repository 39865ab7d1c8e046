package cachemeprom

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cacheme/cacheme"
)

// state tells how caches are when they are asked.
type state struct {
	pending, away, serving, values, bytes *prometheus.Desc

	mu     sync.Mutex
	caches map[*cacheme.Cache]bool
}

func newState(labels prometheus.Labels) state {
	desc := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, labels) }
	return state{
		pending: desc("cacheme_pending_invalidations", "Invalidations that could not be delivered and are kept, now."),
		away:    desc("cacheme_redis_away", "How many of the process's caches do not ask Redis, since it does not answer."),
		serving: desc("cacheme_near_serving", "How many of the process's near caches serve what they have."),
		values:  desc("cacheme_near_values", "Values that are near."),
		bytes:   desc("cacheme_near_bytes", "What the values that are near take, as they are weighed."),
		caches:  map[*cacheme.Cache]bool{},
	}
}

func (s *state) add(c *cacheme.Cache) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.caches[c] = true
}

func (s *state) remove(c *cacheme.Cache) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.caches, c)
}

// Describe implements prometheus.Collector.
func (s *state) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{s.pending, s.away, s.serving, s.values, s.bytes} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (s *state) Collect(to chan<- prometheus.Metric) {
	s.mu.Lock()
	var pending, away, serving, values, bytes float64
	for c := range s.caches {
		now := c.Stats()
		pending += float64(now.Pending)
		away += one(now.Away)
		serving += one(now.Near)
		values += float64(now.NearValues)
		bytes += float64(now.NearBytes)
	}
	s.mu.Unlock()
	tell := func(d *prometheus.Desc, value float64) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value)
	}
	tell(s.pending, pending)
	tell(s.away, away)
	tell(s.serving, serving)
	tell(s.values, values)
	tell(s.bytes, bytes)
}

func one(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
