// Package graph draws boxes in columns and the arrows between them: as SVG, laid out here, and as text for Mermaid and
// Graphviz. The same graph always gives the same bytes, and no text of a box ever becomes part of the language around it.
package graph

import (
	"strings"
	"unicode"
)

// Graph is what is drawn. Arrows lead from a column to a later one.
type Graph struct {
	Columns []Column
	Boxes   []Box
	Arrows  []Arrow
	Legend  []string // lines below the drawing
}

// Column is a column of boxes.
type Column struct {
	Title string
	Shape Shape
}

// Shape is how the boxes of a column look.
type Shape int

// The shapes.
const (
	Cylinder Shape = iota
	Rounded
	Square
)

// Box is one box. Its first line is its name.
type Box struct {
	Column int
	Lines  []string
}

// Arrow leads from one box to another, by their indexes.
type Arrow struct {
	From, To int
	Dashed   bool
}

// clean makes text safe to be shown: one line, without what changes the direction or the meaning of what follows.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || unicode.In(r, unicode.Zl, unicode.Zp):
			return ' '
		case unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co) || r&0xfffe == 0xfffe:
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(text, string(unicode.ReplacementChar)))
}
