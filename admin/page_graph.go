package admin

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/graph"
)

// graphBody is the picture and the same in words.
type graphBody struct {
	Picture *picture // nil: too large to be of use
	Rows    []graphRow
}

// picture is what is drawn: placed by internal/graph, and coloured by the style sheet, so that it suits both schemes.
type picture struct {
	W, H   float64
	Titles []titled
	Boxes  []box
	Arrows []arrow
}

type titled struct {
	Text string
	X    float64
}

type box struct {
	graph.Rect
	Class string
	Round int
	Lines []line
	Full  string // its whole name
	Seen  string // what is seen of it: voices are told by it, and say it
	Node  string // a link leads to it; empty: none
}

type line struct {
	Text string
	X, Y float64
}

type arrow struct{ Path, Head, Class string }

// graphRow is one node with what makes it wrong.
type graphRow struct {
	nodeRow
	By []nodeDependency
}

// drawnBoxes is how many boxes a picture may have; the table below it has them all.
const drawnBoxes = 400

func (h *Handler) graph(r *http.Request, _ Actor) (*answer, error) {
	g, err := h.cache.Graph(cacheme.GraphOptions{Live: true})
	if err != nil {
		return nil, err
	}
	all := rows(h.console.Nodes(), h.fleet(r.Context()).nodes())
	var b graphBody
	by := dependencies(g)
	heat := map[string]int{}
	for _, n := range all {
		heat[n.Name] = n.Heat
		b.Rows = append(b.Rows, graphRow{n, by[nodeName{n.Name, n.Key}]})
	}
	if len(g.Tables)+len(g.InvalidNodes)+len(g.Nodes) <= drawnBoxes {
		b.Picture = draw(g, heat)
	}
	return &answer{page: "graph", title: "Graph", body: b}, nil
}

// draw places what is drawn.
func draw(g *cacheme.Graph, heat map[string]int) *picture {
	of := graph.Graph{Columns: []graph.Column{{Title: "Tables"}, {Title: "Invalid nodes"}, {Title: "Nodes"}}}
	index := map[string]int{}
	var boxes []cacheme.GraphBox
	for column, some := range [][]cacheme.GraphBox{g.Tables, g.InvalidNodes, g.Nodes} {
		for _, b := range some {
			index[b.ID] = len(boxes)
			lines := []string{b.Name}
			if b.Key != "" {
				lines = append(lines, b.Key)
			}
			boxes, of.Boxes = append(boxes, b), append(of.Boxes, graph.Box{Column: column, Lines: lines})
		}
	}
	for _, a := range g.Arrows {
		from, known := index[a.From]
		to, both := index[a.To]
		if known && both && of.Boxes[from].Column < of.Boxes[to].Column {
			of.Arrows = append(of.Arrows, graph.Arrow{From: from, To: to, Dashed: a.How != cacheme.GraphDeclared})
		}
	}
	l := of.Lay()
	p := &picture{W: l.W, H: l.H}
	for i, c := range of.Columns {
		p.Titles = append(p.Titles, titled{c.Title, (l.Columns[i].Left + l.Columns[i].Right) / 2})
	}
	for i, b := range boxes {
		p.Boxes = append(p.Boxes, place(b, of.Boxes[i].Column, l.Boxes[i], l.Lines[i], heat))
	}
	for i, a := range of.Arrows {
		p.Arrows = append(p.Arrows, lead(l.Arrows[i], a.Dashed))
	}
	return p
}

// place makes a box of where it is.
func place(of cacheme.GraphBox, column int, at graph.Rect, lines []string, heat map[string]int) box {
	b := box{Rect: at, Class: [...]string{"table", "invalid", "node"}[column], Round: [...]int{2, 12, 5}[column], Full: strings.TrimSpace(of.Name + " " + of.Key)}
	if column == 2 {
		b.Class, b.Node = fmt.Sprintf("node heat%d", heat[of.Name]), of.Name
	}
	first := at.Y + at.H/2 - 8*float64(len(lines)) + 12
	for i, text := range lines {
		b.Seen = strings.TrimSpace(b.Seen + " " + text)
		b.Lines = append(b.Lines, line{text, at.X + 9, first + 16*float64(i)})
	}
	return b
}

// lead makes an arrow of the points that it passes.
func lead(points []graph.Point, dashed bool) arrow {
	var path strings.Builder
	fmt.Fprintf(&path, "M%.1f %.1f", points[0].X, points[0].Y)
	for i, to := range points[1:] {
		from := points[i]
		if i == len(points)-2 {
			to.X -= 7
		}
		bend := (to.X - from.X) / 2
		fmt.Fprintf(&path, " C%.1f %.1f %.1f %.1f %.1f %.1f", from.X+bend, from.Y, to.X-bend, to.Y, to.X, to.Y)
	}
	tip := points[len(points)-1]
	a := arrow{Path: path.String(), Head: fmt.Sprintf("M%.1f %.1fl-7 -3.5v7z", tip.X, tip.Y)}
	if dashed {
		a.Class = "dashed"
	}
	return a
}
