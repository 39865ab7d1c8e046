package admin

import (
	"net/http"
	"slices"
	"strings"

	"github.com/cacheme/cacheme"
)

// nodesBody is the list of nodes that a filter leaves.
type nodesBody struct {
	Filter string
	Rows   []nodeRow
	All    int
}

func (h *Handler) nodes(r *http.Request, _ Actor) (*answer, error) {
	infos := h.console.Nodes()
	all := rows(infos, h.fleet(r.Context()).nodes())
	b := nodesBody{Filter: clip(r.URL.Query().Get("filter"), 200), All: len(all)}
	for _, n := range all {
		if contains(n.Name, b.Filter) || contains(n.Key, b.Filter) {
			b.Rows = append(b.Rows, n)
		}
	}
	return &answer{page: "nodes", title: "Nodes", body: b}, nil
}

func contains(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

// nodeBody is one node.
type nodeBody struct {
	Info         cacheme.NodeInfo
	Row          nodeRow
	Saved        string
	Outcomes     []part
	Chart        *chart
	Dependencies []nodeDependency
}

// nodeDependency is something that a node depends on, and how that is known.
type nodeDependency struct{ Name, Key, How string }

func (h *Handler) node(r *http.Request, _ Actor) (*answer, error) {
	info, err := h.named(r.URL.Query().Get("name"))
	if err != nil {
		return nil, err
	}
	stats := h.fleet(r.Context()).nodes()
	g, err := h.cache.Graph(cacheme.GraphOptions{Live: true})
	if err != nil {
		return nil, err
	}
	b := nodeBody{Info: info, Row: rows([]cacheme.NodeInfo{info}, stats)[0], Saved: spoken(saved(stats[info.Node])), Outcomes: outcomes(stats[info.Node]), Chart: h.chart(info.Node)}
	b.Dependencies = dependencies(g)[nodeName{info.Node, info.Key}]
	return &answer{page: "node", title: info.Node, body: b}, nil
}

// nodeName is what a node is told by in the graph.
type nodeName struct{ name, key string }

// dependencies are what the graph says of each node.
func dependencies(g *cacheme.Graph) map[nodeName][]nodeDependency {
	boxes := map[string]cacheme.GraphBox{}
	for _, b := range slices.Concat(g.Tables, g.InvalidNodes, g.Nodes) {
		boxes[b.ID] = b
	}
	all := map[nodeName][]nodeDependency{}
	for _, a := range g.Arrows {
		if from, to := boxes[a.From], boxes[a.To]; strings.HasPrefix(to.ID, "node:") {
			node := nodeName{to.Name, to.Key}
			all[node] = append(all[node], nodeDependency{from.Name, from.Key, hows[a.How]})
		}
	}
	return all
}

// hows say how an arrow of the graph is known.
var hows = map[cacheme.GraphHow]string{
	cacheme.GraphDeclared: "declared",
	cacheme.GraphResult:   "named by the value",
	cacheme.GraphSeen:     "observed in a load",
}

// named is a registered node by its name.
func (h *Handler) named(name string) (cacheme.NodeInfo, error) {
	all := h.console.Nodes()
	i := slices.IndexFunc(all, func(n cacheme.NodeInfo) bool { return n.Node == name })
	if i < 0 {
		return cacheme.NodeInfo{}, refuse(http.StatusNotFound, "No node of this name is registered.")
	}
	return all[i], nil
}
