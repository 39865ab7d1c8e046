package main

import (
	"context"
	"fmt"
	"math"
	"time"
)

const growthText = `What a hit takes when there is more of everything: entries in Redis, dependencies of a node, registered nodes. *µs a get* is the inverse of the
throughput of 64 goroutines, *p99* that of one caller, whose calls to all sizes take turns. The entries are next to nothing (an item
without its texts), so that many find room. Beside it stands the bare client doing as much: where both grow it is the machine's caches, or
Redis. *Flat* is called what takes no more than 1.25 times as long at the greatest size as at the least, or no more than 1.1 times as much
longer as the bare client; *linear in dependencies* what at no step grows by more than 1.1 times what the dependencies do.`

// flat is how much longer a get may take at the greatest size, and beside the bare client.
const (
	flat       = 1.25
	likeTheRaw = 1.1
)

// axis is one thing of which there is more and more.
type axis struct {
	name   string // of its plots
	title  string
	unit   string // of the sizes, in words
	sizes  []int
	linear bool // it may grow with the size
	share  int  // of the calls and gets of other workloads, where one takes long
	// open gives cacheme and the bare client at one size, ready to be asked. A nil lane cannot be had: why says so.
	open func(ctx context.Context, g *growing, n int) (both [2]*lane, why string, err error)
}

// growing is what the sizes of an axis have in common.
type growing struct {
	size
	source   *source
	perEntry time.Duration // to store one, at the size before
	closes   []func()
}

func (g *growing) close() {
	for i := range g.closes {
		g.closes[len(g.closes)-1-i]()
	}
}

func growth(ctx context.Context, s size) (tables []table, err error) {
	for _, a := range []axis{
		{"entries", "Entries", "entries", s.growEntries, false, 1, manyEntries},
		{"dependencies", "Dependencies of a node", "dependencies", s.growDependencies, true, 5, manyDependencies},
		{"nodes", "Registered nodes", "nodes", s.growNodes, false, 1, manyNodes},
	} {
		t, err := a.grow(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.name, err)
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// kinds are the rows of each axis: two measures of two lanes.
var kinds = [...]struct{ name, about string }{
	{ours, "µs a get"},
	{"go-redis", "µs a get"},
	{ours + ", p99", "µs"},
	{"go-redis, p99", "µs"},
}

func (a axis) grow(ctx context.Context, s size) (table, error) {
	g := &growing{size: s, source: newSource(0)}
	defer g.close()
	t := table{Title: a.title}
	var had []int // the sizes that there are
	var lanes []lane
	for _, n := range a.sizes {
		both, why, err := a.open(ctx, g, n)
		if err != nil {
			return t, err
		}
		if why != "" {
			t.Words = append(t.Words, fmt.Sprintf("%s %s are left out: %s.", grouping(n), a.unit, why))
			continue
		}
		progressf("  %s %s are there", grouping(n), a.unit)
		had = append(had, n)
		lanes = append(lanes, *both[0], *both[1])
		t.Columns = append(t.Columns, column{grouping(n), 2})
	}
	t.Columns = append(t.Columns, column{"grew, ×", 2})
	loads := g.source.loads.Load()
	all, err := a.measure(ctx, s, lanes)
	if err != nil {
		return t, err
	}
	for k, kind := range kinds {
		r := row{Name: kind.name, About: kind.about}
		for i := range had {
			r.Cells = append(r.Cells, all[k].micro(lanes[2*i+k%2].name))
		}
		last := lanes[2*(len(had)-1)+k%2].name
		r.Cells = append(r.Cells, all[k].over(last, lanes[k%2].name))
		t.Rows = append(t.Rows, r)
	}
	if missed := g.source.loads.Load() - loads; missed > 0 {
		t.Words = append(t.Words, fmt.Sprintf("%d gets of all were no hits.", missed))
	}
	t.Words = append(t.Words, a.verdict(t, had, 0), a.verdict(t, had, 2))
	t.Plots = []plot{a.plot(t, had, 0, "µs a get, 64 goroutines"), a.plot(t, had, 2, "p99 of a get, µs")}
	return t, nil
}

// measure returns nanoseconds by the names of the lanes, for each of the kinds.
func (a axis) measure(ctx context.Context, s size, lanes []lane) (all [len(kinds)]rounds, err error) {
	for k := range all {
		all[k] = rounds{}
	}
	for round := range s.rounds {
		progressf("  %s, round %d of %d", a.name, round+1, s.rounds)
		took, err := alternated(ctx, lanes, s.calls/a.share, 1)
		if err != nil {
			return all, err
		}
		for i := range lanes {
			all[2+i%2].add(lanes[i].name, percentile(took[i], 0.99))
			at := (round + i) % len(lanes)
			ns, err := together(ctx, lanes[at], s.goroutines, s.gets/a.share)
			if err != nil {
				return all, err
			}
			all[at%2].add(lanes[at].name, ns)
		}
	}
	return all, nil
}

func (a axis) plot(t table, sizes []int, first int, title string) plot {
	names := [...]string{"throughput", "throughput", "p99"}
	p := plot{Name: "growth-" + a.name + "-" + names[first], Title: fmt.Sprintf("%s: %s (both logarithmic)", a.title, title), Log: true}
	for _, n := range sizes {
		p.X, p.At = append(p.X, grouping(n)), append(p.At, math.Log(float64(n)))
	}
	for _, r := range t.Rows[first : first+2] {
		drawn := line{Name: r.Name}
		for i := range sizes {
			drawn.Y = append(drawn.Y, r.Cells[i].Value)
		}
		p.Lines = append(p.Lines, drawn)
	}
	return p
}

// verdict says of cacheme's row, and the bare client's after it, how it grew.
func (a axis) verdict(t table, sizes []int, first int) string {
	mine, bare := t.Rows[first], t.Rows[first+1]
	grew, bareGrew := *mine.Cells[len(sizes)].Value, *bare.Cells[len(sizes)].Value
	what := fmt.Sprintf("%s (%s): from %s to %s %s it grew ×%.2f, the bare client's ×%.2f", mine.Name, mine.About,
		grouping(sizes[0]), grouping(sizes[len(sizes)-1]), a.unit, grew, bareGrew)
	switch {
	case a.linear:
		step, worst := steepest(mine, sizes)
		if worst > likeTheRaw {
			return fmt.Sprintf("%s: **worse than linear**, at %s by %.2f times what they do.", what, grouping(sizes[step]), worst)
		}
		return what + ": nothing is worse than linear."
	case grew <= flat:
		return what + ": flat."
	case grew <= bareGrew*likeTheRaw:
		return what + ": flat beside it."
	}
	return what + ": **not flat**."
}

// steepest is the step at which a row grows most beside the sizes, and by how many times what they do.
func steepest(r row, sizes []int) (step int, worst float64) {
	for i := 1; i < len(sizes); i++ {
		times := *r.Cells[i].Value / *r.Cells[i-1].Value / (float64(sizes[i]) / float64(sizes[i-1]))
		if times > worst {
			step, worst = i, times
		}
	}
	return step, worst
}
