package graph

import (
	"fmt"
	"strings"
)

// Boxes have colours of their own and the arrows ones of middle brightness, so that the drawing needs no background: it can be
// read on a light page and on a dark one.
var (
	looks = map[Shape]struct{ fill, stroke, text string }{
		Cylinder: {"#fdebc8", "#b7791f", "#40300a"},
		Rounded:  {"#dfe9ff", "#4a76c9", "#14284f"},
		Square:   {"#daf2de", "#3c9156", "#10381d"},
	}
	inks = []string{"#4c78a8", "#d9822b", "#54a24b", "#d9534f", "#4a9d98", "#a8719b", "#9d755d", "#7f8794"}
)

const grey = "#7f8794"

var xml = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")

// SVG draws the graph as a document of its own, with no script, no link and no font in it.
func (g *Graph) SVG() string {
	l := g.Lay()
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]s %[2]s" width="%[1]s" height="%[2]s" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="%[3]s">`+"\n",
		px(l.W), px(l.H), px(fontSize))
	for i, c := range g.Columns {
		fmt.Fprintf(&b, `<text x="%s" y="%s" text-anchor="middle" fill="%s" font-weight="bold">%s</text>`+"\n", px((l.Columns[i].Left+l.Columns[i].Right)/2), px(margin+8), grey, xml.Replace(clean(c.Title)))
	}
	for i, a := range g.Arrows {
		l.arrow(&b, i, inks[a.From%len(inks)], a.Dashed)
	}
	for i, box := range g.Boxes {
		l.box(&b, i, g.Columns[box.Column].Shape, box.Lines)
	}
	for i, line := range g.Legend {
		fmt.Fprintf(&b, `<text x="%s" y="%s" fill="%s">%s</text>`+"\n", px(margin), px(l.H-margin/2-lineHeight*float64(len(g.Legend)-1-i)), grey, xml.Replace(clean(line)))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// headLength is that of an arrow's head, whose tip is at the box.
const headLength = 7

func (l *Layout) arrow(b *strings.Builder, i int, ink string, dashed bool) {
	points := l.Arrows[i]
	fmt.Fprintf(b, `<path d="M%s %s`, px(points[0].X), px(points[0].Y))
	for k, to := range points[1:] {
		from := points[k]
		if k == len(points)-2 {
			to.X -= headLength
		}
		bend := (to.X - from.X) / 2
		fmt.Fprintf(b, " C%s %s %s %s %s %s", px(from.X+bend), px(from.Y), px(to.X-bend), px(to.Y), px(to.X), px(to.Y))
	}
	dash := ""
	if dashed {
		dash = ` stroke-dasharray="5 3"`
	}
	fmt.Fprintf(b, `" fill="none" stroke="%s" stroke-width="1.4"%s/>`, ink, dash)
	tip := points[len(points)-1]
	fmt.Fprintf(b, `<path d="M%s %s l-%d -3.5 v7 z" fill="%s"/>`+"\n", px(tip.X), px(tip.Y), headLength, ink)
}

func (l *Layout) box(b *strings.Builder, i int, shape Shape, whole []string) {
	r, look := l.Boxes[i], looks[shape]
	radius := map[Shape]float64{Cylinder: 2, Rounded: 12, Square: 4}[shape]
	b.WriteString("<g>")
	if title := xml.Replace(clean(strings.Join(whole, " · "))); title != "" {
		fmt.Fprintf(b, "<title>%s</title>", title)
	}
	fmt.Fprintf(b, `<rect x="%s" y="%s" width="%s" height="%s" rx="%s" fill="%s" stroke="%s"/>`, px(r.X), px(r.Y), px(r.W), px(r.H), px(radius), look.fill, look.stroke)
	first := r.Y + r.H/2 - lineHeight*float64(len(l.Lines[i]))/2 + lineHeight*3/4
	for k, line := range l.Lines[i] {
		weight := ""
		if k == 0 {
			weight = ` font-weight="bold"`
		}
		fmt.Fprintf(b, `<text x="%s" y="%s" fill="%s"%s xml:space="preserve">%s</text>`, px(r.X+padding), px(first+lineHeight*float64(k)), look.text, weight, xml.Replace(line))
	}
	b.WriteString("</g>\n")
}

// px writes a length: to a tenth, so that the bytes do not hang on how a machine rounds.
func px(v float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
}
