package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// The sizes of a plot, in pixels.
const (
	wide   = 760
	left   = 230 // of the bars, beside their names
	right  = 70  // for the figure behind a bar
	top    = 40
	high   = 24  // of a bar with its gap
	across = 300 // the height of lines
)

// style has colours for light pages and for dark ones, of which a browser takes those of its reader.
const style = `<style>
text{font:13px system-ui,sans-serif;fill:#1f2328}.t{font-weight:600}.q{fill:#57606a}
.b,.k{fill:#8c959f}.o{fill:#0969da}.g{stroke:#d0d7de}path{fill:none;stroke-width:2}
.s0{stroke:#0969da;fill:#0969da}.s1{stroke:#bc4c00;fill:#bc4c00}.s2{stroke:#1a7f37;fill:#1a7f37}.s3{stroke:#8250df;fill:#8250df}path.s0,path.s1,path.s2,path.s3{fill:none}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.q{fill:#9198a1}.b{fill:#6e7681}.o{fill:#4493f8}.g{stroke:#3d444d}
.s0{stroke:#4493f8;fill:#4493f8}.s1{stroke:#f0883e;fill:#f0883e}.s2{stroke:#3fb950;fill:#3fb950}.s3{stroke:#ab7df8;fill:#ab7df8}path.s0,path.s1,path.s2,path.s3{fill:none}}
</style>`

// draw returns a plot as SVG.
func draw(t table, p plot) string {
	if len(p.Lines) > 0 {
		return drawLines(p)
	}
	return drawBars(t, p)
}

func begin(b *strings.Builder, height int, title string) {
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`+"\n", wide, height, wide, height)
	fmt.Fprintf(b, "<title>%s</title>\n%s\n", html.EscapeString(title), style)
	fmt.Fprintf(b, `<text class="t" x="10" y="22">%s</text>`+"\n", html.EscapeString(title))
}

func drawBars(t table, p plot) string {
	type bar struct {
		name  string
		value float64
	}
	var bars []bar
	var all []float64
	for _, r := range t.Rows {
		if v, ok := t.figure(r.Name, p.Column); ok {
			bars = append(bars, bar{r.Name, v})
			all = append(all, v)
		}
	}
	s := newScale(all, p.Log, wide-left-right)
	title := p.Title
	if p.Log {
		title += " (logarithmic)"
	}
	var b strings.Builder
	begin(&b, top+high*len(bars)+10, title)
	for i, r := range bars {
		y := top + i*high
		class := "b"
		if isOurs(r.name) {
			class = "o"
		}
		width := max(1, s.at(r.value))
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, left-8, y+16, html.EscapeString(r.name))
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d"/>`, class, left, y+3, width, high-6)
		fmt.Fprintf(&b, `<text class="q" x="%.1f" y="%d">%s</text>`+"\n", left+width+6, y+16, t.format(p.Column, r.value))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func drawLines(p plot) string {
	const from, room = 70, wide - 70 - 20
	var all []float64
	for _, l := range p.Lines {
		for _, v := range l.Y {
			if v != nil {
				all = append(all, *v)
			}
		}
	}
	s := newScale(all, p.Log, across)
	bottom := top + high*len(p.Lines) + across
	x := func(i int) float64 {
		if p.At != nil {
			return from + (p.At[i]-p.At[0])/math.Max(1, p.At[len(p.At)-1]-p.At[0])*room
		}
		return from + float64(i)*room/math.Max(1, float64(len(p.X)-1))
	}
	y := func(v float64) float64 { return float64(bottom) - s.at(v) }
	var b strings.Builder
	begin(&b, bottom+30, p.Title)
	for _, v := range s.marks() {
		fmt.Fprintf(&b, `<line class="g" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`, from, wide-20, y(v), y(v))
		fmt.Fprintf(&b, `<text class="q" x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n", from-8, y(v)+4, short(v))
	}
	step := max(1, (len(p.X)+9)/10)
	for i := 0; i < len(p.X); i += step {
		anchor := "middle"
		if i == len(p.X)-1 {
			anchor = "end"
		}
		fmt.Fprintf(&b, `<text class="q" x="%.1f" y="%d" text-anchor="%s">%s</text>`+"\n", x(i), bottom+20, anchor, html.EscapeString(p.X[i]))
	}
	for n, l := range p.Lines {
		class := fmt.Sprintf("s%d", n%3+1)
		if isOurs(l.Name) {
			class = "s0"
		}
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%d" width="14" height="4"/>`, class, from, top+n*high+4)
		fmt.Fprintf(&b, `<text x="%d" y="%d">%s</text>`+"\n", from+22, top+n*high+10, html.EscapeString(l.Name))
		var points []string
		for i, v := range l.Y {
			if v != nil {
				points = append(points, fmt.Sprintf("%.1f %.1f", x(i), y(*v)))
			}
		}
		fmt.Fprintf(&b, `<path class="%s" d="M%s"/>`+"\n", class, strings.Join(points, "L"))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// scale turns values into pixels, from 0 or, on a logarithmic one, from the power of ten below the least.
type scale struct {
	log      bool
	low, top float64
	pixels   float64
}

func newScale(all []float64, log bool, pixels int) scale {
	s := scale{log: log, pixels: float64(pixels)}
	least := math.Inf(1)
	for _, v := range all {
		s.top = max(s.top, v)
		if v > 0 {
			least = min(least, v)
		}
	}
	if s.top <= 0 {
		s.top, s.log = 1, false
	}
	if s.log {
		s.low = math.Pow(10, math.Floor(math.Log10(least/1.5))) // so that the least is still to be seen
	}
	return s
}

func (s scale) at(v float64) float64 {
	if !s.log {
		return max(0, v/s.top*s.pixels)
	}
	if v <= s.low {
		return 0
	}
	return math.Log(v/s.low) / math.Log(s.top/s.low) * s.pixels
}

// marks are where lines are drawn across.
func (s scale) marks() (marks []float64) {
	if s.log {
		for v := s.low; v <= s.top; v *= 10 {
			marks = append(marks, v)
		}
		return marks
	}
	for i := range 5 {
		marks = append(marks, s.top*float64(i)/4)
	}
	return marks
}

func short(v float64) string {
	if v >= 10 || v == 0 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2g", v)
}
