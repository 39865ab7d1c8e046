package cachemeprom_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
	"github.com/cacheme/cacheme/contrib/cachemeprom"
)

type Page struct {
	cacheme.Node[string]
	ID int64 `cacheme:"field"`
}

func (Page) Meta() cacheme.Meta { return cacheme.Meta{Key: "page:<id>"} }

func (p Page) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{Edited{ID: p.ID}} }

type Edited struct {
	cacheme.InvalidNode
	ID int64 `cacheme:"field"`
}

func (Edited) Meta() cacheme.Meta { return cacheme.Meta{Key: "edited:<id>"} }

const id = 770077

// watched is a cache with its metrics in a registry.
func watched(t *testing.T, o cachemeprom.Options) (*cachetest.Cache, *cachemeprom.Metrics, *prometheus.Registry) {
	t.Helper()
	m := cachemeprom.New(o)
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(m)
	c := cachetest.NewWith(t, cacheme.Options{Observer: m.Observe}, Page{}, Edited{})
	m.Add(c.Cache)
	t.Cleanup(func() { m.Remove(c.Cache) })
	return c, m, r
}

func get(t *testing.T, c *cachetest.Cache, err error) {
	t.Helper()
	load := func(context.Context, Page) (string, error) { return "text", err }
	if _, got := cacheme.GetFrom(t.Context(), c.Cache, Page{ID: id}, load); !errors.Is(got, err) {
		t.Fatalf("Get() = %v, want %v", got, err)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	c, _, r := watched(t, cachemeprom.Options{Labels: prometheus.Labels{"cache": "pages"}})
	get(t, c, errors.New("the database is away"))
	get(t, c, nil)
	get(t, c, nil)
	if err := c.Invalidate(t.Context(), Edited{ID: id}); err != nil {
		t.Fatal(err)
	}
	want := `
# HELP cacheme_requests_total Gets, by what answered them. A node of GetMany counts as one.
# TYPE cacheme_requests_total counter
cacheme_requests_total{cache="pages",node="cachemeprom_test.Page",outcome="error",tier=""} 1
cacheme_requests_total{cache="pages",node="cachemeprom_test.Page",outcome="hit",tier="redis"} 1
cacheme_requests_total{cache="pages",node="cachemeprom_test.Page",outcome="miss",tier="source"} 1
# HELP cacheme_invalidations_total Dependencies made wrong by this process, and what became of those that could not be delivered at once; entries removed.
# TYPE cacheme_invalidations_total counter
cacheme_invalidations_total{cache="pages",what="invalidated"} 1
# HELP cacheme_pending_invalidations Invalidations that could not be delivered and are kept, now.
# TYPE cacheme_pending_invalidations gauge
cacheme_pending_invalidations{cache="pages"} 0
`
	if err := testutil.GatherAndCompare(r, strings.NewReader(want), "cacheme_requests_total", "cacheme_invalidations_total", "cacheme_pending_invalidations"); err != nil {
		t.Error(err)
	}
	for result, want := range map[string]int{"ok": 1, "error": 1} {
		if n := loads(t, r, result); n != want {
			t.Errorf("%d loads ended with %q, want %d", n, result, want)
		}
	}
	if text := exposed(t, r); strings.Contains(text, fmt.Sprint(id)) || strings.Contains(text, "the database is away") {
		t.Errorf("a key or an error is in a label:\n%s", text)
	}
}

// The states of several caches add up, until one is removed.
func TestMetrics_of_two_caches(t *testing.T) {
	t.Parallel()
	one, m, r := watched(t, cachemeprom.Options{})
	other := cachetest.New(t, Page{}, Edited{})
	m.Add(other.Cache)
	for _, c := range []*cachetest.Cache{one, other} {
		c.Down()
		t.Cleanup(c.Up)
		if err := c.Invalidate(t.Context(), Edited{ID: id}); err == nil {
			t.Fatal("an invalidation was delivered")
		}
	}
	pending := func(want int) {
		t.Helper()
		text := fmt.Sprintf(`
# HELP cacheme_pending_invalidations Invalidations that could not be delivered and are kept, now.
# TYPE cacheme_pending_invalidations gauge
cacheme_pending_invalidations %d
`, want)
		if err := testutil.GatherAndCompare(r, strings.NewReader(text), "cacheme_pending_invalidations"); err != nil {
			t.Error(err)
		}
	}
	pending(2)
	m.Remove(other.Cache)
	pending(1)
}

// loads counts the observations of a histogram's series.
func loads(t *testing.T, r *prometheus.Registry, result string) (n int) {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "cacheme_load_duration_seconds" {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "result" && l.GetValue() == result {
					n += int(m.GetHistogram().GetSampleCount())
				}
			}
		}
	}
	return n
}

func exposed(t *testing.T, r *prometheus.Registry) string {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range families {
		b.WriteString(f.String())
	}
	return b.String()
}

// An alert asks for an increase: a series that begins with its first event has none.
func TestMetrics_what_alerts_ask_for_begins_at_zero(t *testing.T) {
	t.Parallel()
	c, m, r := watched(t, cachemeprom.Options{})
	get(t, c, nil)
	const node = "cachemeprom_test.Page"
	want := func(violations int) string {
		return fmt.Sprintf(`
# HELP cacheme_events_total Everything else that a cache tells, by kind.
# TYPE cacheme_events_total counter
cacheme_events_total{kind="blind",node=""} 0
cacheme_events_total{kind="near_away",node=""} 0
cacheme_events_total{kind="undeclared",node=%[1]q} 0
cacheme_events_total{kind="violation",node=%[1]q} %[2]d
`, node, violations)
	}
	if err := testutil.GatherAndCompare(r, strings.NewReader(want(0)), "cacheme_events_total"); err != nil {
		t.Error(err)
	}
	m.Observe(t.Context(), cacheme.Event{Kind: cacheme.EventViolation, Node: node})
	if err := testutil.GatherAndCompare(r, strings.NewReader(want(1)), "cacheme_events_total"); err != nil {
		t.Error(err)
	}
}

func TestMetrics_loads_have_exemplars(t *testing.T) {
	t.Parallel()
	m := cachemeprom.New(cachemeprom.Options{Exemplar: func(context.Context) prometheus.Labels { return prometheus.Labels{"trace_id": "4bf92f35"} }})
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(m)
	m.Observe(t.Context(), cacheme.Event{Kind: cacheme.EventLoad, Node: "shop.Page", Duration: time.Second})
	if text := exposed(t, r); !strings.Contains(text, "4bf92f35") {
		t.Errorf("no exemplar in:\n%s", text)
	}
}

func TestMetrics_hits_allocate_once_at_most(t *testing.T) {
	m := cachemeprom.New(cachemeprom.Options{})
	e := cacheme.Event{Kind: cacheme.EventHit, Node: "shop.Page", Tier: cacheme.TierNear}
	// The map's key becomes an interface: one allocation, and no look-up of labels.
	if n := testing.AllocsPerRun(100, func() { m.Observe(context.Background(), e) }); n > 1 {
		t.Errorf("a hit allocates %v times, want at most once", n)
	}
}

func TestMetrics_lint(t *testing.T) {
	t.Parallel()
	c, m, _ := watched(t, cachemeprom.Options{})
	get(t, c, nil)
	problems, err := testutil.CollectAndLint(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
