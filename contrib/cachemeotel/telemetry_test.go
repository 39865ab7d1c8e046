package cachemeotel_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
	"github.com/cacheme/cacheme/contrib/cachemeotel"
)

type Page struct {
	cacheme.Node[string]
	ID int64 `cacheme:"field"`
}

func (Page) Meta() cacheme.Meta { return cacheme.Meta{Key: "page:<id>", TTL: time.Hour, Refresh: 0.1} }

func (p Page) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{Edited{ID: p.ID}} }

type Edited struct {
	cacheme.InvalidNode
	ID int64 `cacheme:"field"`
}

func (Edited) Meta() cacheme.Meta { return cacheme.Meta{Key: "edited:<id>"} }

const id = 770077

// kit is a cache whose telemetry is kept in memory.
type kit struct {
	*cachetest.Cache
	spans   *tracetest.SpanRecorder
	ended   chan string // names of spans
	metrics *sdkmetric.ManualReader
	tracer  trace.Tracer
}

func newKit(t *testing.T) *kit {
	t.Helper()
	k := &kit{spans: tracetest.NewSpanRecorder(), ended: make(chan string, 100), metrics: sdkmetric.NewManualReader()}
	traces := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(k.spans), sdktrace.WithSpanProcessor(after{k.ended}))
	tel, err := cachemeotel.New(cachemeotel.Options{TracerProvider: traces, MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(k.metrics))})
	if err != nil {
		t.Fatal(err)
	}
	k.tracer = traces.Tracer("test")
	k.Cache = cachetest.NewWith(t, cacheme.Options{Observer: tel.Observe, AroundLoad: tel.AroundLoad}, Page{}, Edited{})
	remove, err := tel.Add(k.Cache.Cache)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := remove(); err != nil {
			t.Error(err)
		}
	})
	return k
}

// get is a request that asks for the page, in a span of its own.
func (k *kit) get(t *testing.T, fails error) {
	t.Helper()
	ctx, span := k.tracer.Start(t.Context(), "request")
	defer span.End()
	load := func(ctx context.Context, p Page) (string, error) {
		_, query := k.tracer.Start(ctx, "query")
		query.End()
		return "text", fails
	}
	if _, err := cacheme.GetFrom(ctx, k.Cache.Cache, Page{ID: id}, load); !errors.Is(err, fails) {
		t.Fatalf("Get() = %v, want %v", err, fails)
	}
}

// told are the spans of a name.
func (k *kit) told(name string) (all []sdktrace.ReadOnlySpan) {
	for _, s := range k.spans.Ended() {
		if s.Name() == name {
			all = append(all, s)
		}
	}
	return all
}

// await waits for the last of n spans: what nobody waits for ends at any time.
func (k *kit) await(t *testing.T, name string, n int) []sdktrace.ReadOnlySpan {
	t.Helper()
	for {
		if all := k.told(name); len(all) >= n {
			return all
		}
		select {
		case <-k.ended:
		case <-time.After(10 * time.Second):
			t.Fatalf("there are %d spans %q, want %d", len(k.told(name)), name, n)
		}
	}
}

// after tells of spans that have ended, once the recorder has them.
type after struct{ ended chan string }

func (a after) OnEnd(s sdktrace.ReadOnlySpan)                 { a.ended <- s.Name() }
func (after) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (after) Shutdown(context.Context) error                  { return nil }
func (after) ForceFlush(context.Context) error                { return nil }

const loadSpan = "cacheme load cachemeotel_test.Page"

func TestSpans(t *testing.T) {
	t.Parallel()
	t.Run("of a load stand between the request and the query", func(t *testing.T) {
		t.Parallel()
		k := newKit(t)
		k.get(t, nil)
		requests, loads, queries := k.told("request"), k.told(loadSpan), k.told("query")
		if len(requests) != 1 || len(loads) != 1 || len(queries) != 1 {
			t.Fatalf("%d, %d and %d spans, want one of each", len(requests), len(loads), len(queries))
		}
		if loads[0].Parent().SpanID() != requests[0].SpanContext().SpanID() || queries[0].Parent().SpanID() != loads[0].SpanContext().SpanID() {
			t.Error("the spans are not below each other")
		}
		if events := requests[0].Events(); len(events) != 1 || events[0].Name != "cacheme miss" {
			t.Errorf("the request's events are %v, want the miss", events)
		}
	})
	t.Run("say that a load failed, and not with what text", func(t *testing.T) {
		t.Parallel()
		k := newKit(t)
		k.get(t, fmt.Errorf("no rows for reader %d", id))
		loads := k.told(loadSpan)
		if len(loads) != 1 || loads[0].Status().Code.String() != "Error" {
			t.Fatalf("the spans of the load are %v, want one with an error", loads)
		}
		if text := fmt.Sprint(loads[0].Attributes(), loads[0].Status(), loads[0].Events()); strings.Contains(text, fmt.Sprint(id)) {
			t.Errorf("the id is in the span: %s", text)
		}
	})
	t.Run("of a load that nobody waits for are linked", func(t *testing.T) {
		t.Parallel()
		k := newKit(t)
		k.get(t, nil)
		k.Advance(30 * time.Minute) // the entry is due
		k.get(t, nil)
		early := k.await(t, loadSpan, 2)[1]
		if early.Parent().IsValid() || len(early.Links()) != 1 || early.Links()[0].SpanContext.SpanID() != k.told("request")[1].SpanContext().SpanID() {
			t.Errorf("the early load has the parent %v and the links %v, want a trace of its own with a link to the request", early.Parent(), early.Links())
		}
	})
}

// The states of several caches add up, until one is removed.
func TestMetrics_of_two_caches(t *testing.T) {
	t.Parallel()
	metrics := sdkmetric.NewManualReader()
	tel, err := cachemeotel.New(cachemeotel.Options{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(metrics))})
	if err != nil {
		t.Fatal(err)
	}
	for cache := range int64(2) {
		c := cachetest.New(t, Page{}, Edited{})
		remove, err := tel.Add(c.Cache)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := remove(); err != nil {
				t.Error(err)
			}
			if n := pending(t, metrics); n != cache {
				t.Errorf("%d invalidations are pending, want %d: a cache was removed", n, cache)
			}
		}()
		c.Down()
		t.Cleanup(c.Up)
		if err := c.Invalidate(t.Context(), Edited{ID: id}); err == nil {
			t.Fatal("an invalidation was delivered")
		}
	}
	if n := pending(t, metrics); n != 2 {
		t.Errorf("%d invalidations are pending, want that of each", n)
	}
}

// pending is how many invalidations are told to be.
func pending(t *testing.T, metrics *sdkmetric.ManualReader) (n int64) {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := metrics.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "cacheme.invalidations.pending" {
				for _, p := range sum.DataPoints {
					n += p.Value
				}
			}
		}
	}
	return n
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	k.get(t, errors.New("the database is away"))
	k.get(t, nil)
	k.get(t, nil)
	if err := k.Invalidate(t.Context(), Edited{ID: id}); err != nil {
		t.Fatal(err)
	}
	var all metricdata.ResourceMetrics
	if err := k.metrics.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int64{}
	for _, m := range all.ScopeMetrics[0].Metrics {
		switch d := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range d.DataPoints {
				counts[m.Name+" "+p.Attributes.Encoded(attribute.DefaultEncoder())] = p.Value
			}
		case metricdata.Histogram[float64]:
			for _, p := range d.DataPoints {
				counts[m.Name+" "+p.Attributes.Encoded(attribute.DefaultEncoder())] = int64(p.Count)
			}
		}
	}
	for series, want := range map[string]int64{
		"cacheme.requests cacheme.node=cachemeotel_test.Page,cacheme.outcome=hit,cacheme.tier=redis":   1,
		"cacheme.requests cacheme.node=cachemeotel_test.Page,cacheme.outcome=miss,cacheme.tier=source": 1,
		"cacheme.requests cacheme.node=cachemeotel_test.Page,cacheme.outcome=error,cacheme.tier=":      1,
		"cacheme.load.duration cacheme.node=cachemeotel_test.Page":                                     1,
		"cacheme.load.duration cacheme.node=cachemeotel_test.Page,error.type=*errors.errorString":      1,
		"cacheme.invalidations cacheme.kind=invalidated":                                               1,
		"cacheme.invalidations.pending ":                                                               0,
		"cacheme.redis.away ":                                                                          0,
	} {
		if got, ok := counts[series]; !ok || got != want {
			t.Errorf("%s = %d, %v, want %d; there are %v", series, got, ok, want, counts)
		}
	}
}
