package graph

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// Sizes in pixels. The font is a monospaced one, of which no common one is wider than charWidth at its size.
const (
	fontSize   = 12.0
	charWidth  = 7.3
	lineHeight = 16.0
	padding    = 9.0
	boxGap     = 12.0
	slotHeight = 6.0
	portGap    = 6.0 // between two arrows at one box
	margin     = 20.0
	titleSpace = 30.0
	maxChars   = 46 // a longer line is cut; the whole of it is the box's tooltip
)

// Rect is where a box is.
type Rect struct{ X, Y, W, H float64 }

// Point is a place.
type Point struct{ X, Y float64 }

// Layout is where everything is.
type Layout struct {
	W, H    float64
	Boxes   []Rect
	Lines   [][]string // the text of each box, cut to what fits
	Arrows  [][]Point  // the first is on the edge of the box that it leaves, the last on that of the other
	Columns []Span
}

// Span is where a column is, from left to right.
type Span struct{ Left, Right float64 }

// Lay lays the graph out.
func (g *Graph) Lay() *Layout {
	n := newNet(g)
	n.order()
	l := &Layout{Boxes: make([]Rect, len(g.Boxes)), Lines: make([][]string, len(g.Boxes))}
	heights := l.sizes(g, n)
	l.across(g)
	tops := n.stack(heights)
	lowest := 0.0
	for i := range g.Boxes {
		l.Boxes[i].Y = tops[i]
		lowest = max(lowest, tops[i]+heights[i])
	}
	for v := len(g.Boxes); v < len(tops); v++ {
		lowest = max(lowest, tops[v]+heights[v])
	}
	l.H = lowest + margin + lineHeight*float64(len(g.Legend))
	l.route(g, n, tops)
	return l
}

// sizes measures the boxes: wide enough for their text, high enough for their arrows.
func (l *Layout) sizes(g *Graph, n *net) (heights []float64) {
	heights = make([]float64, len(n.column))
	for v := range n.column {
		heights[v] = slotHeight
	}
	for i, b := range g.Boxes {
		widest := 0.0
		for _, line := range b.Lines {
			line = cut(clean(line))
			l.Lines[i] = append(l.Lines[i], line)
			widest = max(widest, Width(line))
		}
		ports := float64(max(len(n.before[i]), len(n.behind[i])))
		heights[i] = max(float64(len(b.Lines))*lineHeight+2*padding-4, (ports+1)*portGap)
		l.Boxes[i].W, l.Boxes[i].H = widest+2*padding, heights[i]
	}
	return heights
}

// Width is how wide a line is at most.
func Width(line string) (w float64) {
	for _, r := range line {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me): // stands on the one before
		case r >= 0x1100 && !unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic) && (r < 0x2000 || r > 0x2bff):
			w += 2 * charWidth // East Asian, emoji, and what else has wide glyphs
		default:
			w += charWidth
		}
	}
	return w
}

func cut(line string) string {
	runes := []rune(line)
	if Width(line) <= maxChars*charWidth {
		return line
	}
	for len(runes) > 0 && Width(string(runes))+charWidth > maxChars*charWidth {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimSpace(string(runes)) + "…"
}

// across gives each column the width of its widest box, and the arrows between two of them room.
func (l *Layout) across(g *Graph) {
	x := margin
	for c := range g.Columns {
		widest, arrows := Width(g.Columns[c].Title), 0
		for i, b := range g.Boxes {
			if b.Column == c {
				widest = max(widest, l.Boxes[i].W)
			}
		}
		for i, b := range g.Boxes {
			if b.Column == c {
				l.Boxes[i].X, l.Boxes[i].W = x, widest
			}
		}
		for _, a := range g.Arrows {
			if g.Boxes[a.From].Column <= c && g.Boxes[a.To].Column > c {
				arrows++
			}
		}
		l.Columns = append(l.Columns, Span{x, x + widest})
		x += widest
		if c+1 < len(g.Columns) {
			x += min(240, 90+2*float64(arrows))
		}
	}
	l.W = x + margin
}

// passes is how often the columns are drawn towards each other.
const passes = 8

// stack returns the top of each vertex: as near as can be to the middle of its neighbours, in the order of its column, and never
// over another one.
func (n *net) stack(heights []float64) []float64 {
	tops := make([]float64, len(heights))
	for _, vertices := range n.columns {
		y := 0.0
		for _, v := range vertices {
			tops[v] = y
			y += heights[v] + boxGap
		}
	}
	for pass := range 2 * passes {
		for i := range n.columns {
			c, neighbours := i, n.before
			if pass%2 == 1 {
				c, neighbours = len(n.columns)-1-i, n.behind
			}
			n.draw(c, neighbours, heights, tops)
		}
	}
	highest := 0.0
	for i, top := range tops {
		if i == 0 || top < highest {
			highest = top
		}
	}
	for v := range tops {
		tops[v] += margin + titleSpace - highest
	}
	return tops
}

// draw moves a column towards its neighbours: of all places that keep its order, those that are together nearest to what each
// would like. Vertices that want to be in each other's place become one block, at the mean of their wishes.
func (n *net) draw(column int, neighbours [][]int, heights, tops []float64) {
	type block struct{ sum, n float64 }
	var blocks []block
	var ends []int
	offset := 0.0
	offsets := make([]float64, len(n.columns[column]))
	for i, v := range n.columns[column] {
		wish := tops[v]
		if len(neighbours[v]) > 0 {
			wish = -heights[v] / 2
			for _, u := range neighbours[v] {
				wish += (tops[u] + heights[u]/2) / float64(len(neighbours[v]))
			}
		}
		offsets[i] = offset
		blocks, ends = append(blocks, block{wish - offset, 1}), append(ends, i+1)
		for k := len(blocks) - 1; k > 0 && blocks[k-1].sum*blocks[k].n > blocks[k].sum*blocks[k-1].n; k-- {
			blocks[k-1] = block{blocks[k-1].sum + blocks[k].sum, blocks[k-1].n + blocks[k].n}
			ends[k-1] = ends[k]
			blocks, ends = blocks[:k], ends[:k]
		}
		offset += heights[v] + boxGap
	}
	from := 0
	for k, b := range blocks {
		for i := from; i < ends[k]; i++ {
			tops[n.columns[column][i]] = b.sum/b.n + offsets[i]
		}
		from = ends[k]
	}
}

// route leads each arrow from box to box. Those of one box leave it one below the other, in the order of where they lead.
func (l *Layout) route(g *Graph, n *net, tops []float64) {
	middle := func(v int) float64 {
		if v < len(l.Boxes) {
			return tops[v] + l.Boxes[v].H/2
		}
		return tops[v] + slotHeight/2
	}
	type ends struct{ first, last Point }
	at := make([]ends, len(g.Arrows))
	leaving, arriving := make([][]int, len(g.Boxes)), make([][]int, len(g.Boxes))
	for i, a := range g.Arrows {
		leaving[a.From], arriving[a.To] = append(leaving[a.From], i), append(arriving[a.To], i)
	}
	for b, r := range l.Boxes {
		for _, side := range []struct {
			arrows []int
			x      float64
			next   func(way []int) int // the vertex at the other side
			end    func(arrow int) *Point
		}{
			{leaving[b], r.X + r.W, func(way []int) int { return way[1] }, func(arrow int) *Point { return &at[arrow].first }},
			{arriving[b], r.X, func(way []int) int { return way[len(way)-2] }, func(arrow int) *Point { return &at[arrow].last }},
		} {
			slices.SortStableFunc(side.arrows, func(i, j int) int {
				return cmp.Compare(middle(side.next(n.way[i])), middle(side.next(n.way[j])))
			})
			for k, arrow := range side.arrows {
				*side.end(arrow) = Point{side.x, r.Y + r.H*float64(k+1)/float64(len(side.arrows)+1)}
			}
		}
	}
	for i, way := range n.way {
		points := []Point{at[i].first}
		for _, v := range way[1 : len(way)-1] { // straight through the column, so that it meets no box there
			column := l.Columns[n.column[v]]
			points = append(points, Point{column.Left, middle(v)}, Point{column.Right, middle(v)})
		}
		l.Arrows = append(l.Arrows, append(points, at[i].last))
	}
}
