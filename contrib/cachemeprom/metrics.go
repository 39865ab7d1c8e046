// Package cachemeprom makes Prometheus metrics of what a cache tells.
//
//	metrics := cachemeprom.New(cachemeprom.Options{})
//	prometheus.MustRegister(metrics)
//	cache, err := cacheme.New(rdb, cacheme.Options{Observer: metrics.Observe})
//	metrics.Add(cache)
//
// Labels are Go types of nodes, and words that are written in cacheme: never a key, an id or an error. The metrics are in
// [docs/metrics.md] with the dashboard and the alert rules that are made of them.
//
// [docs/metrics.md]: https://github.com/cacheme/cacheme/blob/main/docs/metrics.md
package cachemeprom

import (
	"context"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/labels"
)

// Options of Metrics. The zero value is ready for use.
type Options struct {
	// Labels are on every metric, such as the name of one cache of several.
	Labels prometheus.Labels
	// Buckets of the durations of loads, in seconds. Nil: 1 ms to 30 s, which is the default of a load's bound.
	Buckets []float64
	// Exemplar names the trace behind a load, {"trace_id": ..}, by the context of the Get that led to it. Nil, or nil
	// labels: there is none. Prometheus shows them where it scrapes OpenMetrics.
	Exemplar func(context.Context) prometheus.Labels
}

// Metrics is a prometheus.Collector that is fed by a cache's observer. It may have several caches; their counts add up.
type Metrics struct {
	exemplar func(context.Context) prometheus.Labels

	requests, events, notStored *prometheus.CounterVec
	loads                       *prometheus.HistogramVec
	changes                     *prometheus.CounterVec

	hits    sync.Map // hit -> prometheus.Counter: what is asked for most is not looked up by its labels each time
	reasons labels.Few

	state state
}

// loadBuckets are what a load takes, in seconds.
var loadBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// New returns Metrics; register them, and give Observe to the cache's options.
func New(o Options) *Metrics {
	if o.Buckets == nil {
		o.Buckets = loadBuckets
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: o.Labels}, labels)
	}
	m := &Metrics{
		exemplar: o.Exemplar,
		requests: counter("cacheme_requests_total", "Gets, by what answered them. A node of GetMany counts as one.", "node", "outcome", "tier"),
		loads: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "cacheme_load_duration_seconds", Help: "How long loaders ran. A batch counts as one.", Buckets: o.Buckets, ConstLabels: o.Labels,
		}, []string{"node", "result"}),
		notStored: counter("cacheme_not_stored_total", "Loaded values that were not stored.", "node", "reason"),
		changes:   counter("cacheme_invalidations_total", "Dependencies made wrong by this process, and what became of those that could not be delivered at once; entries removed.", "what"),
		events:    counter("cacheme_events_total", "Everything else that a cache tells, by kind.", "node", "kind"),
		state:     newState(o.Labels),
	}
	m.events.WithLabelValues("", string(cacheme.EventBlind))
	m.events.WithLabelValues("", string(cacheme.EventNearAway))
	return m
}

// hit is what is counted without looking up labels.
type hit struct {
	node string
	tier cacheme.Tier
	kind cacheme.EventKind
}

// Observe is a cache's Observer. It takes a look into a map for a hit, and a few for anything else.
func (m *Metrics) Observe(ctx context.Context, e cacheme.Event) {
	by := float64(max(1, e.Count))
	switch e.Kind {
	case cacheme.EventHit, cacheme.EventStale, cacheme.EventMiss, cacheme.EventBypass, cacheme.EventError:
		h := hit{e.Node, e.Tier, e.Kind}
		if e.Kind == cacheme.EventMiss || e.Kind == cacheme.EventBypass {
			h.tier = cacheme.TierSource
		}
		c, known := m.hits.Load(h)
		if !known {
			m.begin(e.Node)
			c, _ = m.hits.LoadOrStore(h, m.requests.WithLabelValues(h.node, string(h.kind), string(h.tier)))
		}
		c.(prometheus.Counter).Add(by) //nolint:forcetypeassert // nothing else is in there
	case cacheme.EventLoad:
		m.load(ctx, e)
	case cacheme.EventNotStored:
		m.notStored.WithLabelValues(e.Node, m.reasons.Of(e.Node, e.Reason)).Inc()
	case cacheme.EventInvalidated, cacheme.EventKept, cacheme.EventDelivered, cacheme.EventRemoved:
		m.changes.WithLabelValues(string(e.Kind)).Add(by)
	default:
		m.events.WithLabelValues(e.Node, string(e.Kind)).Add(by)
	}
}

// begin has the alerts on a node's events see the first one: to Prometheus a series that begins with 1 has not increased.
func (m *Metrics) begin(node string) {
	m.events.WithLabelValues(node, string(cacheme.EventViolation))
	m.events.WithLabelValues(node, string(cacheme.EventUndeclared))
}

func (m *Metrics) load(ctx context.Context, e cacheme.Event) {
	result := "ok"
	if e.Err != nil {
		result = "error"
	}
	o := m.loads.WithLabelValues(e.Node, result)
	if m.exemplar != nil {
		if labels := m.exemplar(ctx); labels != nil {
			o.(prometheus.ExemplarObserver).ObserveWithExemplar(e.Duration.Seconds(), labels) //nolint:forcetypeassert // documented of histograms
			return
		}
	}
	o.Observe(e.Duration.Seconds())
}

// Add has the state of a cache told beside its events: what is pending, whether Redis is away, what is near. It ends
// with Remove.
func (m *Metrics) Add(c *cacheme.Cache) { m.state.add(c) }

// Remove ends Add, for a cache that was closed.
func (m *Metrics) Remove(c *cacheme.Cache) { m.state.remove(c) }

func (m *Metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.requests, m.loads, m.notStored, m.changes, m.events, &m.state}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(to chan<- *prometheus.Desc) {
	for _, c := range m.collectors() {
		c.Describe(to)
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(to chan<- prometheus.Metric) {
	for _, c := range m.collectors() {
		c.Collect(to)
	}
}
