package admin

import (
	"cmp"
	"slices"
	"time"

	"github.com/cacheme/cacheme"
)

// saved is about how long callers would have waited more without a cache: what a load took on average, for each Get that the
// cache answered.
func saved(s cacheme.Stats) time.Duration {
	if s.Loads == 0 {
		return 0
	}
	return time.Duration(float64(s.LoadTime) / float64(s.Loads) * float64(s.Served()))
}

// part is one kind of answer, for a bar.
type part struct {
	Name, Class string
	N, Of       uint64
	From, Width float64 // in percent
}

// outcomes splits the Gets by what became of them, and by where the value came from.
func outcomes(s cacheme.Stats) []part {
	of, from := s.Gets(), 0.0
	parts := []part{
		{Name: "near hits", Class: "near", N: s.NearHits},
		{Name: "Redis hits", Class: "hit", N: s.Hits - min(s.Hits, s.NearHits)},
		{Name: "stale", Class: "stale", N: s.StaleHits},
		{Name: "misses", Class: "miss", N: s.Misses},
		{Name: "bypassed", Class: "bypass", N: s.Bypassed},
		{Name: "errors", Class: "error", N: s.Errors},
	}
	for i := range parts {
		parts[i].Of, parts[i].From = of, from
		if of > 0 {
			parts[i].Width = 100 * float64(parts[i].N) / float64(of)
		}
		from += parts[i].Width
	}
	return parts
}

// nodeRow is a node in a list.
type nodeRow struct {
	Name, Key    string
	Stats        cacheme.Stats
	Reads, Serve uint64
	Heat         int // 0 to 5: how much of what the busiest node is asked for
}

// rows are the nodes with what their processes counted, the busiest first.
func rows(nodes []cacheme.NodeInfo, stats map[string]cacheme.Stats) []nodeRow {
	var all []nodeRow
	var most uint64
	for _, n := range nodes {
		s := stats[n.Node]
		all = append(all, nodeRow{Name: n.Node, Key: n.Key, Stats: s, Reads: s.Gets(), Serve: s.Served()})
		most = max(most, s.Gets())
	}
	for i := range all {
		if r := all[i].Reads; r > 0 {
			all[i].Heat = 1 + int(4*float64(r)/float64(most))
		}
	}
	slices.SortStableFunc(all, func(a, b nodeRow) int { return cmp.Or(cmp.Compare(b.Reads, a.Reads), cmp.Compare(a.Name, b.Name)) })
	return all
}
