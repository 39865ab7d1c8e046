package cacheme

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/cacheme/cacheme/internal/graph"
)

// Graph is what a cache is made of: which tables write which invalid nodes, and which of these make which nodes wrong. It is
// there as a struct, for encoding/json too, and as a picture in three formats.
type Graph struct {
	Tables       []GraphBox   `json:"tables"`
	InvalidNodes []GraphBox   `json:"invalid_nodes"`
	Nodes        []GraphBox   `json:"nodes"`
	Arrows       []GraphArrow `json:"arrows"`
}

// GraphBox is a table, an invalid node, or a node.
type GraphBox struct {
	ID    string `json:"id"`              // what arrows name: "table:books", "invalid:example.com/shop.BookChanged", "node:example.com/shop.Shelf"
	Name  string `json:"name"`            // of the table, the Go type, or what stands in for one: Memo("..."), Tag("..."), books by author_id
	Key   string `json:"key,omitempty"`   // the template, with >field where it has one
	Stats *Stats `json:"stats,omitempty"` // of a node, where GraphOptions.Live asks for it
}

// GraphArrow leads from what is written to what becomes wrong.
type GraphArrow struct {
	From string   `json:"from"`
	To   string   `json:"to"`
	How  GraphHow `json:"how"`
}

// GraphHow says how it is known that an arrow is there.
type GraphHow string

// How an arrow is known. One that is known in several ways has the first of them.
const (
	GraphDeclared GraphHow = "declared" // by InvalidNodes, or the Meta of an invalid node
	GraphResult   GraphHow = "result"   // by ResultInvalidNodes: it depends on the value
	GraphSeen     GraphHow = "seen"     // by one of the last loads of this process
)

// GraphOptions say what a Graph is made of besides the declarations.
type GraphOptions struct {
	// Live adds what this process has seen since it was started: the Stats of each node, and what the last 32 values that each
	// node loaded depended on. A node that reads another one by Get depends on what that one depends on, and on its class.
	Live bool
	// Examples are nodes with fields filled in, for those whose InvalidNodes name other invalid nodes for some values than for
	// others. For a Memo: Bound.Node.
	Examples []Declaration
}

// Graph draws what is registered. Which invalid nodes a node names is known only by asking it: its InvalidNodes, and those of
// a Memo, are called on the zero value, on two made-up values (1 and 2, "a" and "b", slices of one element), and on the Examples; its
// ResultInvalidNodes on made-up values of the cached type. One that panics there says nothing. So an arrow can be missing where a
// method names something for certain values only, or reads fields that are not exported; Live and Examples help. No arrow is there
// that no value has. The graph has no keys of entries in it and nothing is asked of Redis.
//
// That of a cache of Attach is what the other program published.
//
// An example that is no node of the cache is a *UsageError, joined by errors.Join where there are several; then there is no Graph.
func (c *Cache) Graph(o GraphOptions) (*Graph, error) {
	if c.others != nil {
		return c.others.Graph, nil
	}
	d := &drawing{c: c, table: c.registry.table.Load(), live: o.Live, examples: map[*nodePlan][]any{}, boxes: map[string]*GraphBox{}, arrows: map[[2]string]GraphHow{}, tags: map[string][]string{}}
	var problems []error
	for _, example := range o.Examples {
		p, node, err := c.nodeOf(example)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		d.examples[p] = append(d.examples[p], node)
	}
	if problems != nil {
		return nil, errors.Join(problems...)
	}
	return d.draw(), nil
}

// SVG is the picture as a document of its own, laid out here: three columns, few crossings, and colours that can be read on a
// light page and on a dark one.
func (g *Graph) SVG() string { return g.picture().SVG() }

// Mermaid is the graph as a flowchart, for a fenced block of Markdown.
func (g *Graph) Mermaid() string { return g.picture().Mermaid() }

// DOT is the graph for Graphviz.
func (g *Graph) DOT() string { return g.picture().DOT() }

func (g *Graph) picture() *graph.Graph {
	p := &graph.Graph{Columns: []graph.Column{
		{Title: "tables", Shape: graph.Cylinder}, {Title: "invalid nodes", Shape: graph.Rounded}, {Title: "nodes", Shape: graph.Square},
	}}
	index := map[string]int{}
	for column, boxes := range [][]GraphBox{g.Tables, g.InvalidNodes, g.Nodes} {
		for _, b := range boxes {
			index[b.ID] = len(p.Boxes)
			p.Boxes = append(p.Boxes, graph.Box{Column: column, Lines: b.lines()})
		}
	}
	var dashed bool
	for _, a := range g.Arrows {
		from, known := index[a.From]
		to, both := index[a.To]
		if known && both && p.Boxes[from].Column < p.Boxes[to].Column {
			p.Arrows = append(p.Arrows, graph.Arrow{From: from, To: to, Dashed: a.How != GraphDeclared})
			dashed = dashed || a.How != GraphDeclared
		}
	}
	if dashed {
		p.Legend = []string{"dashed: known only by what was loaded"}
	}
	return p
}

func (b *GraphBox) lines() []string {
	lines := []string{b.Name}
	if b.Key != "" {
		lines = append(lines, b.Key)
	}
	if s := b.Stats; s != nil {
		served := s.Hits + s.StaleHits
		if reads := served + s.Misses; reads > 0 {
			lines = append(lines, fmt.Sprintf("hits %.1f %% of %d", 100*float64(served)/float64(reads), reads))
		} else {
			lines = append(lines, "not asked for yet")
		}
	}
	return lines
}

// sorted puts boxes into the order of their names.
func sorted(boxes []GraphBox) []GraphBox {
	slices.SortFunc(boxes, func(a, b GraphBox) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return boxes
}
