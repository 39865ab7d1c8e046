package graph_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme/internal/graph"
)

var update = flag.Bool("update", false, "write the golden files anew")

var columns = []graph.Column{{Title: "tables", Shape: graph.Cylinder}, {Title: "invalid nodes", Shape: graph.Rounded}, {Title: "nodes", Shape: graph.Square}}

// small has one of everything.
func small() *graph.Graph {
	return &graph.Graph{
		Columns: columns,
		Boxes: []graph.Box{
			{Column: 0, Lines: []string{"books"}},
			{Column: 0, Lines: []string{"prices"}},
			{Column: 1, Lines: []string{"shop.BookChanged", "book:<id>"}},
			{Column: 1, Lines: []string{`Tag("a & b")`}},
			{Column: 2, Lines: []string{"shop.Page", "page:<id>>top", "hits 99.5 % of 4711"}},
			{Column: 2, Lines: []string{`Memo("x")`, "x"}},
		},
		Arrows: []graph.Arrow{{From: 0, To: 2}, {From: 1, To: 5}, {From: 2, To: 4}, {From: 3, To: 5}, {From: 2, To: 5, Dashed: true}},
		Legend: []string{"dashed: by the value"},
	}
}

// large is what a big service has: 12 tables, some 40 invalid nodes, 50 nodes, some of which depend on a table directly.
func large(seed uint64) *graph.Graph {
	r := rand.New(rand.NewPCG(seed, 1))
	g := &graph.Graph{Columns: columns}
	add := func(column int, lines ...string) int {
		g.Boxes = append(g.Boxes, graph.Box{Column: column, Lines: lines})
		return len(g.Boxes) - 1
	}
	var tables, invalids []int
	for i := range 12 {
		tables = append(tables, add(0, fmt.Sprintf("table_%d", i)))
	}
	for i := range 40 {
		invalids = append(invalids, add(1, fmt.Sprintf("shop.Changed%d", i), fmt.Sprintf("thing%d:<id>", i)))
		g.Arrows = append(g.Arrows, graph.Arrow{From: tables[i*len(tables)/40], To: invalids[i]})
	}
	for i := range 50 {
		n := add(2, fmt.Sprintf("shop.Node%d", i), fmt.Sprintf("node%d:<id>:page", i), "hits 97.1 % of 123456")
		for _, k := range r.Perm(8)[:1+r.IntN(3)] {
			g.Arrows = append(g.Arrows, graph.Arrow{From: invalids[min(39, i*40/50+k)], To: n, Dashed: r.IntN(3) == 0})
		}
		if r.IntN(12) == 0 {
			g.Arrows = append(g.Arrows, graph.Arrow{From: tables[r.IntN(12)], To: n})
		}
	}
	return g
}

// anything is a random graph, with texts of all lengths.
func anything(seed uint64) *graph.Graph {
	r := rand.New(rand.NewPCG(seed, 2))
	g := &graph.Graph{Columns: columns}
	for range r.IntN(60) {
		b := graph.Box{Column: r.IntN(3)}
		for range 1 + r.IntN(3) {
			b.Lines = append(b.Lines, strings.Repeat([]string{"x", "本", "é", "🙂", "W"}[r.IntN(5)], r.IntN(70)))
		}
		g.Boxes = append(g.Boxes, b)
	}
	for range 4 * len(g.Boxes) {
		from, to := r.IntN(len(g.Boxes)), r.IntN(len(g.Boxes))
		if g.Boxes[from].Column < g.Boxes[to].Column {
			g.Arrows = append(g.Arrows, graph.Arrow{From: from, To: to, Dashed: r.IntN(2) == 0})
		}
	}
	return g
}

func TestLay_keeps_apart_what_is_apart_and_joins_what_is_joined(t *testing.T) {
	t.Parallel()
	graphs := map[string]*graph.Graph{"small": small(), "large": large(1), "empty": {Columns: columns}}
	for seed := range uint64(100) {
		graphs[fmt.Sprintf("random %d", seed)] = anything(seed)
	}
	for name, g := range graphs {
		l := g.Lay()
		for i, a := range l.Boxes {
			if a.X < 0 || a.Y < 0 || a.X+a.W > l.W || a.Y+a.H > l.H {
				t.Errorf("%s: box %d at %+v is outside of the drawing, %v x %v", name, i, a, l.W, l.H)
			}
			for _, line := range l.Lines[i] {
				if w := graph.Width(line); w > a.W {
					t.Errorf("%s: %q is up to %v wide in a box of %v", name, line, w, a.W)
				}
			}
			if need := 16 * float64(len(l.Lines[i])); need > a.H {
				t.Errorf("%s: box %d is %v high and its text %v", name, i, a.H, need)
			}
			for j, b := range l.Boxes[:i] {
				if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
					t.Errorf("%s: the boxes %d at %+v and %d at %+v overlap", name, i, a, j, b)
				}
			}
		}
		for i, a := range g.Arrows {
			points := l.Arrows[i]
			from, to := l.Boxes[a.From], l.Boxes[a.To]
			first, last := points[0], points[len(points)-1]
			if first.X != from.X+from.W || first.Y <= from.Y || first.Y >= from.Y+from.H {
				t.Errorf("%s: arrow %d leaves %+v at %+v", name, i, from, first)
			}
			if last.X != to.X || last.Y <= to.Y || last.Y >= to.Y+to.H {
				t.Errorf("%s: arrow %d reaches %+v at %+v", name, i, to, last)
			}
			for _, p := range points[1 : len(points)-1] {
				for j, b := range l.Boxes {
					if p.X >= b.X && p.X <= b.X+b.W && p.Y >= b.Y && p.Y <= b.Y+b.H {
						t.Errorf("%s: arrow %d runs through box %d", name, i, j)
					}
				}
			}
		}
	}
}

func TestLay_lets_few_arrows_cross(t *testing.T) {
	t.Parallel()
	// Two ladders that are given crosswise: there is an order in which nothing crosses.
	g := &graph.Graph{Columns: columns}
	for i := range 10 {
		g.Boxes = append(g.Boxes, graph.Box{Column: 0, Lines: []string{fmt.Sprint("t", i)}})
	}
	for i := range 10 {
		g.Boxes = append(g.Boxes, graph.Box{Column: 1, Lines: []string{fmt.Sprint("i", i)}})
		g.Arrows = append(g.Arrows, graph.Arrow{From: (7 * i) % 10, To: 10 + i})
	}
	for i := range 10 {
		g.Boxes = append(g.Boxes, graph.Box{Column: 2, Lines: []string{fmt.Sprint("n", i)}})
		g.Arrows = append(g.Arrows, graph.Arrow{From: 10 + (3*i)%10, To: 20 + i})
	}
	if n := crossings(g); n != 0 {
		t.Errorf("%d arrows cross, want none", n)
	}
	if n, arrows := crossings(large(1)), len(large(1).Arrows); n > 2*arrows {
		t.Errorf("%d of %d arrows cross each other, want at most %d", n, arrows, 2*arrows)
	}
}

// crossings counts the pairs of pieces of arrows that cross, by where they are.
func crossings(g *graph.Graph) (n int) {
	l := g.Lay()
	type piece struct{ from, to graph.Point }
	var all []piece
	for _, points := range l.Arrows {
		for i, to := range points[1:] {
			all = append(all, piece{points[i], to})
		}
	}
	for i, a := range all {
		for _, b := range all[:i] {
			if a.from.X < b.to.X && b.from.X < a.to.X && (a.from.Y-b.from.Y)*(a.to.Y-b.to.Y) < 0 {
				n++
			}
		}
	}
	return n
}

func TestFormats(t *testing.T) {
	t.Parallel()
	g := small()
	for name, got := range map[string]string{"small.svg": g.SVG(), "small.mmd": g.Mermaid(), "small.dot": g.DOT()} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s is not what is drawn: run this test with -update (-file +drawn)\n%s", path, diff)
		}
	}
}

func TestSameGraphSameBytes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		if a, b := anything(seed).SVG(), anything(seed).SVG(); a != b {
			t.Errorf("graph %d is drawn in two ways", seed)
		}
	}
}

var (
	mermaidLine = regexp.MustCompile(`^(flowchart LR|  [a-c]\d+(\[\(|\(\[|\[)"[^"\\<>` + "`" + `]*(<br/>[^"\\<>` + "`" + `]*)*"(\)\]|\]\)|\])|  [a-c]\d+ (-->|-\.->) [a-c]\d+)$`)
	dotLabel    = regexp.MustCompile(`^    [a-c]\d+ \[label="([^"\\]|\\[\\"n])*"\];$`)
	dotOther    = regexp.MustCompile(`^(digraph cacheme \{|  rankdir=LR;|  node \[fontname="monospace"\];|  \{ rank=same; node \[shape=(cylinder|box|box; style=rounded)\];|  \}|\}|  [a-c]\d+ -> [a-c]\d+( \[style=dashed\])?;)$`)
)

func FuzzNoTextBecomesPartOfTheLanguage(f *testing.F) {
	for _, text := range []string{
		"shop.Shelf", `a"b`, `a\"; evil -> b; "`, "<script>alert(1)</script>", "a\nb\r\n  x --> y", "&lt;b&gt;", "#quot;", "`code`", `\`, `\N`, "本\x00\xff\u202e\ufffe", "]]>", "--", "%%{init}%%", "end",
	} {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, name, key string) {
		g := small()
		for i := range g.Boxes {
			g.Boxes[i].Lines = []string{name, key}
		}
		g.Legend = []string{name}
		for line := range strings.SplitSeq(strings.TrimSuffix(g.Mermaid(), "\n"), "\n") {
			if !mermaidLine.MatchString(line) {
				t.Errorf("in Mermaid: %q", line)
			}
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(g.DOT(), "\n"), "\n") {
			if !dotLabel.MatchString(line) && !dotOther.MatchString(line) {
				t.Errorf("in DOT: %q", line)
			}
		}
		texts, err := elements(g.SVG())
		if err != nil {
			t.Errorf("the SVG is no XML: %v", err)
		}
		if strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) < 0 && len(name) <= 46 && !strings.Contains(texts, name) {
			t.Errorf("the SVG does not show %q", name)
		}
	})
}

// elements reads an SVG and returns its text; elements and attributes that no drawing has are an error.
func elements(svg string) (texts string, err error) {
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return texts, nil
		}
		if err != nil {
			return texts, err
		}
		switch e := token.(type) {
		case xml.StartElement:
			if !slices.Contains([]string{"svg", "g", "title", "rect", "path", "text"}, e.Name.Local) {
				return texts, fmt.Errorf("element %s", e.Name.Local)
			}
			for _, a := range e.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Name.Local, "href") {
					return texts, fmt.Errorf("attribute %s", a.Name.Local)
				}
			}
		case xml.CharData:
			texts += string(e)
		case xml.Comment, xml.ProcInst, xml.Directive:
			return texts, fmt.Errorf("%T", e)
		}
	}
}
