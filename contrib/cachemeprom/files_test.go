package cachemeprom_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v2"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/contrib/cachemeprom"
)

// described are the metrics there are, each with its labels.
func described() map[string][]string {
	all := map[string][]string{}
	ch := make(chan *prometheus.Desc, 100)
	cachemeprom.New(cachemeprom.Options{}).Describe(ch)
	close(ch)
	shape := regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)
	for d := range ch {
		m := shape.FindStringSubmatch(d.String())
		all[m[1]] = strings.Split(m[2], ",")
	}
	return all
}

// rules are the alert rules as Prometheus reads them.
type rules struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert, Expr, For string
			Labels           map[string]string
			Annotations      map[string]string
		}
	}
}

func expressions(t *testing.T) (all []string) {
	t.Helper()
	text, err := os.ReadFile("alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var r rules
	if err := yaml.UnmarshalStrict(text, &r); err != nil {
		t.Fatal(err)
	}
	for _, rule := range r.Groups[0].Rules {
		if rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" || rule.Labels["severity"] == "" {
			t.Errorf("%s lacks a summary, a description or a severity", rule.Alert)
		}
		all = append(all, rule.Expr)
	}
	text, err = os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct{ List []struct{ Query string } }
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			all = append(all, target.Expr)
		}
	}
	for _, v := range d.Templating.List {
		all = append(all, v.Query)
	}
	return all
}

var (
	metric   = regexp.MustCompile(`cacheme_[a-z_]+`)
	selector = regexp.MustCompile(`(cacheme_[a-z_]+)\{([^}]*)\}`)
	grouping = regexp.MustCompile(`by \(([a-z, ]+)\) \(.*?(cacheme_[a-z_]+)`)
	kinds    = regexp.MustCompile(`kind="([a-z_]+)"`)
	series   = regexp.MustCompile(`_(bucket|sum|count)$`)
	// scraped are the labels that Prometheus itself adds.
	scraped = []string{"job", "instance", "le"}
)

// The dashboard and the alert rules ask for metrics, labels and kinds that there are, and every metric is asked for.
func TestFiles(t *testing.T) {
	t.Parallel()
	known, used := described(), map[string]bool{}
	has := func(name, label, in string) {
		name = series.ReplaceAllString(name, "")
		if label = strings.TrimSpace(label); !slices.Contains(known[name], label) && !slices.Contains(scraped, label) {
			t.Errorf("%s has no label %q: %s", name, label, in)
		}
	}
	for _, e := range expressions(t) {
		for _, name := range metric.FindAllString(e, -1) {
			name = series.ReplaceAllString(name, "")
			if known[name] == nil {
				t.Errorf("there is no metric %s: %s", name, e)
			}
			used[name] = true
		}
		for _, m := range selector.FindAllStringSubmatch(e, -1) {
			for matcher := range strings.SplitSeq(m[2], ",") {
				label, _, _ := strings.Cut(matcher, "=")
				has(m[1], label, e)
			}
		}
		for _, m := range grouping.FindAllStringSubmatch(e, -1) {
			for label := range strings.SplitSeq(m[1], ",") {
				has(m[2], label, e)
			}
		}
		for _, m := range kinds.FindAllStringSubmatch(e, -1) {
			if !slices.Contains([]cacheme.EventKind{cacheme.EventViolation, cacheme.EventBlind, cacheme.EventNearAway, cacheme.EventUndeclared}, cacheme.EventKind(m[1])) {
				t.Errorf("there is no kind of event %q: %s", m[1], e)
			}
		}
	}
	for name := range known {
		if !used[name] {
			t.Errorf("nothing asks for %s", name)
		}
	}
}
