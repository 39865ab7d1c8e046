package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPage_is_what_the_results_make holds that docs/benchmarks.md and its plots are those of benchmarks/results: neither is
// edited by hand, and neither is committed without the other.
func TestPage_is_what_the_results_make(t *testing.T) {
	t.Parallel()
	results, err := readResults("results")
	if err != nil {
		t.Fatal(err)
	}
	made := t.TempDir()
	if err := writePage(made, results); err != nil {
		t.Fatal(err)
	}
	const docs = "../docs"
	want, err := filepath.Glob(filepath.Join(made, "benchmarks", "*.svg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(want, filepath.Join(made, "benchmarks.md")) {
		name, err := filepath.Rel(made, path)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := read(t, filepath.Join(docs, name)), read(t, path); got != want {
			t.Errorf("docs/%s is not what benchmarks/results makes: run go run . -run nothing in benchmarks", name)
		}
	}
	stand, err := filepath.Glob(filepath.Join(docs, "benchmarks", "*.svg"))
	if err != nil || len(stand) != len(want) {
		t.Errorf("docs/benchmarks has %d plots, %v, want %d", len(stand), err, len(want))
	}
}

func TestPage_says_where_others_are_ahead(t *testing.T) {
	t.Parallel()
	few := table{
		Columns: []column{{"seconds", 2}, {"loads", 0}},
		Rows: []row{
			{Name: "quick", Cells: []cell{of(1), of(9)}},
			{Name: "as quick", Cells: []cell{of(1.5001), of(1)}},
			{Name: "unknown", Cells: []cell{none("–"), none("–")}},
			{Name: ours, Cells: []cell{of(1.5), of(1)}},
			{Name: oursPipelined, Cells: []cell{of(0.5), of(1)}},
		},
	}
	for column, want := range []string{
		"Here these are **ahead of cacheme** (1.50): quick (1.00).",
		"Here nobody is ahead of cacheme (1).",
	} {
		if got := better(few, column, "Here"); len(got) != 1 || got[0] != want {
			t.Errorf("better(%d) = %q, want %q", column, got, want)
		}
	}
	without := table{Columns: few.Columns, Rows: few.Rows[:2]}
	if got := better(without, 0, "Here"); got != nil {
		t.Errorf("better() = %q where cacheme has no row, want nothing", got)
	}
}

func TestPlots_are_XML_and_within_their_frame(t *testing.T) {
	t.Parallel()
	bars := table{
		Columns: []column{{"×", 2}},
		Rows:    []row{{Name: "a < b & c", Cells: []cell{of(0)}}, {Name: ours, Cells: []cell{of(0.003)}}, {Name: "most", Cells: []cell{of(4000)}}},
	}
	lines := []line{{Name: "a", Y: []*float64{new(0.04), nil, new(3000.0)}}, {Name: "b", Y: []*float64{new(1.0), new(1.0), new(1.0)}}}
	for name, p := range map[string]plot{
		"bars":              {Title: "bars & more"},
		"logarithmic bars":  {Title: "bars", Log: true},
		"lines":             {Title: "lines", X: []string{"1", "2", "3"}, Lines: lines},
		"logarithmic lines": {Title: "lines", X: []string{"1", "2", "3"}, At: []float64{0, 2, 3}, Lines: lines, Log: true},
	} {
		svg := draw(bars, p)
		for d := xml.NewDecoder(strings.NewReader(svg)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, svg)
			}
		}
		for _, wrong := range []string{"NaN", "Inf", `="-`, " -"} {
			if strings.Contains(svg, wrong) {
				t.Errorf("%s: the plot has %q\n%s", name, wrong, svg)
			}
		}
	}
}

func TestScale(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		of        []float64
		log       bool
		at, where float64
	}{
		{"begins at nothing", []float64{5, 10}, false, 0, 0},
		{"ends at the greatest", []float64{5, 10}, false, 10, 100},
		{"is even", []float64{5, 10}, false, 5, 50},
		{"begins at a power of ten when it is logarithmic", []float64{20, 1000}, true, 10, 0},
		{"is even by factors then", []float64{20, 1000}, true, 100, 50},
		{"has nothing to show of zeros", []float64{0, 0}, true, 0, 0},
	} {
		if got := newScale(c.of, c.log, 100).at(c.at); got < c.where-0.001 || got > c.where+0.001 {
			t.Errorf("a scale %s: at(%v) = %v, want %v", c.name, c.at, got, c.where)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
