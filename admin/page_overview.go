package admin

import (
	"net/http"

	"github.com/cacheme/cacheme"
)

// overviewBody is how the cache does, in all processes that are known.
type overviewBody struct {
	Fleet     fleet
	Processes []processRow
	Total     cacheme.Stats
	Reads     uint64
	Served    uint64
	Saved     string
	Outcomes  []part
	Busiest   []nodeRow
	Nodes     int
	Chart     *chart
	Enabled   bool
}

// processRow is one process.
type processRow struct {
	cacheme.Process
	Reads, Served uint64
}

// shownNodes is how many nodes the overview lists.
const shownNodes = 10

func (h *Handler) overview(r *http.Request, _ Actor) (*answer, error) {
	f := h.fleet(r.Context())
	total := f.total()
	nodes := rows(h.console.Nodes(), f.nodes())
	b := overviewBody{
		Fleet: f, Total: total, Reads: total.Gets(), Served: total.Served(), Saved: spoken(saved(total)), Outcomes: outcomes(total),
		Busiest: nodes[:min(len(nodes), shownNodes)], Nodes: len(nodes), Chart: h.chart(""), Enabled: h.cache.Enabled(),
	}
	for _, p := range f.Processes {
		b.Processes = append(b.Processes, processRow{p, p.Stats.Gets(), p.Stats.Served()})
	}
	return &answer{page: "overview", title: "Overview", body: b}, nil
}
