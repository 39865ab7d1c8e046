// Package cachemeotel makes OpenTelemetry metrics and spans of what a cache tells.
//
//	telemetry, err := cachemeotel.New(cachemeotel.Options{})
//	cache, err := cacheme.New(rdb, cacheme.Options{Observer: telemetry.Observe, AroundLoad: telemetry.AroundLoad})
//	remove, err := telemetry.Add(cache)
//
// Each load has a span, "cacheme load shop.Shelf", and what the loader does is below it. It is a child of the span of the Get that
// led to it; one that nobody waits for (an early refresh, a refill, a verification) has a trace of its own, linked to that span. Each
// Get leaves an event in the span that it runs in. Attributes are Go types of nodes and words that are written in cacheme: never a key or an id.
//
// The metrics are in [docs/metrics.md].
//
// [docs/metrics.md]: https://github.com/cacheme/cacheme/blob/main/docs/metrics.md
package cachemeotel

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/labels"
)

// scope is the name of the instrumentation.
const scope = "github.com/cacheme/cacheme/contrib/cachemeotel"

// Options of a Telemetry. The zero value is ready for use.
type Options struct {
	TracerProvider trace.TracerProvider // nil: otel's global one
	MeterProvider  metric.MeterProvider // nil: otel's global one
}

// Telemetry is fed by a cache's observer, and stands around its loads. It may have several caches.
type Telemetry struct {
	tracer trace.Tracer
	meter  metric.Meter

	requests, notStored, invalidations, events metric.Int64Counter
	loads                                      metric.Float64Histogram

	reasons labels.Few
	state   state
}

// New returns a Telemetry: give Observe and AroundLoad to the cache's options. The error is that of an instrument that the
// provider refuses.
func New(o Options) (*Telemetry, error) {
	if o.TracerProvider == nil {
		o.TracerProvider = otel.GetTracerProvider()
	}
	if o.MeterProvider == nil {
		o.MeterProvider = otel.GetMeterProvider()
	}
	t := &Telemetry{tracer: o.TracerProvider.Tracer(scope), meter: o.MeterProvider.Meter(scope)}
	var problems []error
	counter := func(name, unit, what string) metric.Int64Counter {
		c, err := t.meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(what))
		problems = append(problems, err)
		return c
	}
	t.requests = counter("cacheme.requests", "{request}", "Gets, by what answered them. A node of GetMany counts as one.")
	t.notStored = counter("cacheme.not_stored", "{value}", "Loaded values that were not stored.")
	t.invalidations = counter("cacheme.invalidations", "{dependency}",
		"Dependencies made wrong by this process, and what became of those that could not be delivered at once; entries removed.")
	t.events = counter("cacheme.events", "{event}", "Everything else that a cache tells, by kind.")
	var err error
	t.loads, err = t.meter.Float64Histogram("cacheme.load.duration", metric.WithUnit("s"),
		metric.WithDescription("How long loaders ran. A batch counts as one."),
		metric.WithExplicitBucketBoundaries(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30))
	problems = append(problems, err, t.state.instruments(t.meter))
	return t, errors.Join(problems...)
}

// The attributes.
const (
	node    = attribute.Key("cacheme.node")
	outcome = attribute.Key("cacheme.outcome")
	tier    = attribute.Key("cacheme.tier")
	reason  = attribute.Key("cacheme.reason")
	kind    = attribute.Key("cacheme.kind")
	keys    = attribute.Key("cacheme.keys") // how many, of a load
	behind  = attribute.Key("cacheme.behind")
	failed  = attribute.Key("error.type")
)

// Observe is a cache's Observer.
func (t *Telemetry) Observe(ctx context.Context, e cacheme.Event) {
	by := int64(max(1, e.Count))
	switch e.Kind {
	case cacheme.EventHit, cacheme.EventStale, cacheme.EventMiss, cacheme.EventBypass, cacheme.EventError:
		of := e.Tier
		if e.Kind == cacheme.EventMiss || e.Kind == cacheme.EventBypass {
			of = cacheme.TierSource
		}
		all := attribute.NewSet(node.String(e.Node), outcome.String(string(e.Kind)), tier.String(string(of)))
		t.requests.Add(ctx, by, metric.WithAttributeSet(all))
		if span := trace.SpanFromContext(ctx); span.IsRecording() {
			span.AddEvent("cacheme "+string(e.Kind), trace.WithAttributes(node.String(e.Node), tier.String(string(of))))
		}
	case cacheme.EventLoad:
		attributes := []attribute.KeyValue{node.String(e.Node)}
		if e.Err != nil {
			attributes = append(attributes, failed.String(typeOf(e.Err)))
		}
		t.loads.Record(ctx, e.Duration.Seconds(), metric.WithAttributes(attributes...))
	case cacheme.EventNotStored:
		t.notStored.Add(ctx, by, metric.WithAttributes(node.String(e.Node), reason.String(t.reasons.Of(e.Node, e.Reason))))
	case cacheme.EventInvalidated, cacheme.EventKept, cacheme.EventDelivered, cacheme.EventRemoved:
		t.invalidations.Add(ctx, by, metric.WithAttributes(kind.String(string(e.Kind))))
	default:
		t.events.Add(ctx, by, metric.WithAttributes(node.String(e.Node), kind.String(string(e.Kind))))
	}
}
