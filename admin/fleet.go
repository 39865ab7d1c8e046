package admin

import (
	"context"
	"time"

	"github.com/cacheme/cacheme"
)

// fleet is what is known of the processes that use the cache: those that publish, or else this one alone.
type fleet struct {
	Processes []cacheme.Process
	Alone     bool // nobody publishes: Processes is this process
	Problem   string
}

// asking bounds what a page waits for the fleet.
const asking = time.Second

// fleet asks Redis for what the processes published, once.
func (h *Handler) fleet(ctx context.Context) fleet {
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	all, err := h.console.Fleet(ctx)
	if err != nil || len(all) == 0 {
		f := fleet{Processes: []cacheme.Process{h.own()}, Alone: true}
		if err != nil {
			f.Problem = err.Error()
		}
		return f
	}
	return fleet{Processes: all}
}

// own is this process in the form of others.
func (h *Handler) own() cacheme.Process {
	p := cacheme.Process{Name: "this process", Started: h.born, At: time.Now(), Stats: h.cache.Stats(), Nodes: map[string]cacheme.Stats{}}
	for _, n := range h.console.Nodes() {
		p.Nodes[n.Node] = n.Stats
	}
	return p
}

// total is what all processes counted.
func (f fleet) total() (s cacheme.Stats) {
	for _, p := range f.Processes {
		s = s.Plus(p.Stats)
	}
	return s
}

// nodes is what all processes counted for each node.
func (f fleet) nodes() map[string]cacheme.Stats {
	all := map[string]cacheme.Stats{}
	for _, p := range f.Processes {
		for name, s := range p.Nodes {
			all[name] = all[name].Plus(s)
		}
	}
	return all
}
