package graph

import (
	"fmt"
	"strings"
)

// Mermaid writes character codes with a number sign, which is how quotation marks and itself get into a label. A backquote
// would make the label Markdown.
var mermaid = strings.NewReplacer("#", "#35;", `"`, "#34;", "<", "#lt;", ">", "#gt;", "&", "#amp;", "`", "#96;", `\`, "#92;")

var shapes = map[Shape]struct{ open, closed, dot string }{
	Cylinder: {"[(", ")]", "cylinder"},
	Rounded:  {"([", "])", "box, style=rounded"},
	Square:   {"[", "]", "box"},
}

// Mermaid writes the graph as a flowchart, as a fenced block of Markdown takes it.
func (g *Graph) Mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	names := g.names()
	for i, box := range g.Boxes {
		s := shapes[g.Columns[box.Column].Shape]
		fmt.Fprintf(&b, "  %s%s\"%s\"%s\n", names[i], s.open, label(box, mermaid, "<br/>"), s.closed)
	}
	for _, a := range g.Arrows {
		arrow := "-->"
		if a.Dashed {
			arrow = "-.->"
		}
		fmt.Fprintf(&b, "  %s %s %s\n", names[a.From], arrow, names[a.To])
	}
	return b.String()
}

// A label in quotes has escapes of its own in DOT, and character references as HTML has them.
var dot = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;")

// DOT writes the graph for Graphviz.
func (g *Graph) DOT() string {
	var b strings.Builder
	b.WriteString("digraph cacheme {\n  rankdir=LR;\n  node [fontname=\"monospace\"];\n")
	names := g.names()
	for c, column := range g.Columns {
		fmt.Fprintf(&b, "  { rank=same; node [shape=%s];\n", strings.ReplaceAll(shapes[column.Shape].dot, ", ", "; "))
		for i, box := range g.Boxes {
			if box.Column == c {
				fmt.Fprintf(&b, "    %s [label=\"%s\"];\n", names[i], label(box, dot, `\n`))
			}
		}
		b.WriteString("  }\n")
	}
	for _, a := range g.Arrows {
		style := ""
		if a.Dashed {
			style = " [style=dashed]"
		}
		fmt.Fprintf(&b, "  %s -> %s%s;\n", names[a.From], names[a.To], style)
	}
	b.WriteString("}\n")
	return b.String()
}

func label(box Box, escape *strings.Replacer, newline string) string {
	lines := make([]string, len(box.Lines))
	for i, line := range box.Lines {
		lines[i] = escape.Replace(clean(line))
	}
	return strings.Join(lines, newline)
}

// names of the boxes in the text formats: a letter for the column, and a number.
func (g *Graph) names() []string {
	names, next := make([]string, len(g.Boxes)), make([]int, len(g.Columns))
	for i, box := range g.Boxes {
		names[i] = fmt.Sprintf("%c%d", 'a'+rune(box.Column), next[box.Column])
		next[box.Column]++
	}
	return names
}
