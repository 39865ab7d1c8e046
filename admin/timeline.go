package admin

import (
	"context"
	"sync"
	"time"

	"github.com/cacheme/cacheme"
)

// timeline is the recent past of the counters, in a bounded number of points.
type timeline struct {
	most   int
	mu     sync.Mutex
	last   map[string]map[string]cacheme.Stats // by process, then node: what the next point is counted from
	points []point                             // the oldest first
}

// point is what was counted between two samples.
type point struct {
	at    time.Time
	nodes map[string]tally // of those that were asked for
}

type tally struct{ reads, served uint64 }

func newTimeline(most int) *timeline { return &timeline{most: most} }

// note adds a point. A process that is seen for the first time, or anew after a pause, is counted from here on; a counter that went
// back is that of a new process under an old name.
func (t *timeline) note(at time.Time, processes []cacheme.Process) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := point{at: at, nodes: map[string]tally{}}
	now := map[string]map[string]cacheme.Stats{}
	for _, process := range processes {
		name := process.ID + process.Name
		now[name] = process.Nodes
		before, known := t.last[name]
		for node, s := range process.Nodes {
			was := before[node]
			if !known || s.Gets() <= was.Gets() || s.Served() < was.Served() {
				continue
			}
			n := p.nodes[node]
			p.nodes[node] = tally{n.reads + s.Gets() - was.Gets(), n.served + s.Served() - was.Served()}
		}
	}
	t.last = now
	if t.points = append(t.points, p); len(t.points) > t.most {
		t.points = append(t.points[:0:0], t.points[1:]...)
	}
}

// of are the points of one node, or, without a name, of all.
func (t *timeline) of(node string) (times []time.Time, tallies []tally) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.points {
		sum := p.nodes[node]
		if node == "" {
			for _, n := range p.nodes {
				sum.reads, sum.served = sum.reads+n.reads, sum.served+n.served
			}
		}
		times, tallies = append(times, p.at), append(tallies, sum)
	}
	return times, tallies
}

// watching is how long after somebody looked the fleet is still asked for samples; nobody is looked after for ever.
const watching = 15 * time.Minute

// sample starts what notes the counters every so often, and returns what ends it.
func (h *Handler) sample() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(h.o.Every)
		defer tick.Stop()
		h.note(ctx)
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				h.note(ctx)
			}
		}
	}()
	return func() { cancel(); <-done }
}

// note takes one sample: of the fleet while somebody looks, and else of this process, which costs no question to Redis.
func (h *Handler) note(ctx context.Context) {
	if last := h.looked.Load(); last > 0 && time.Since(h.born)-time.Duration(last) < watching {
		h.history.note(time.Now(), h.fleet(ctx).Processes)
		return
	}
	h.history.note(time.Now(), []cacheme.Process{h.own()})
}
