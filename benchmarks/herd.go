package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const herdText = `Nobody has the item, its load takes 200 ms, and a thousand callers ask for it at once: in one process, and 250 in each of
four (four instances of the peer in one process of the operating system, on one Redis). Told are the loads, and how long the slowest caller
waited in terms of one load. Medians of rounds, the peers in turn.`

// herds are the shapes, by the number of instances.
var herds = []int{1, 4}

func herd(ctx context.Context, s size) ([]table, error) {
	t := table{Columns: []column{{"1 process: loads", 0}, {"slowest, × load", 2}, {"4 processes: loads", 0}, {"slowest, × load", 2}}}
	cells := map[string][][]float64{}
	var order []contender
	for shape, instances := range herds {
		who := contenders()
		if instances > 1 {
			who = having(inRedis, inFront) // what has no Redis knows of no other process
		}
		if shape == 0 {
			order = who
		}
		if err := herdOf(ctx, s, who, instances, func(name string, loads, slowest float64) {
			if cells[name] == nil {
				cells[name] = make([][]float64, 2*len(herds))
			}
			cells[name][2*shape] = append(cells[name][2*shape], loads)
			cells[name][2*shape+1] = append(cells[name][2*shape+1], slowest)
		}); err != nil {
			return nil, err
		}
	}
	for _, c := range order {
		r := row{Name: c.name, About: string(c.tier)}
		for _, figures := range cells[c.name] {
			if figures == nil {
				r.Cells = append(r.Cells, none("–"))
				continue
			}
			r.Cells = append(r.Cells, medianOf(figures))
		}
		t.Rows = append(t.Rows, r)
	}
	t.Words = append(better(t, 0, "In loads of one process,"), better(t, 1, "In how long the slowest of one process waited,")...)
	t.Words = append(t.Words, better(t, 2, "In loads of four processes,")...)
	t.Words = append(t.Words, better(t, 3, "In how long the slowest of four waited,")...)
	t.Plots = []plot{{Name: "herd", Title: "4 × 250 callers: loads", Column: 2, Log: true}}
	return []table{t}, nil
}

// herdOf measures one shape for all of them in turn.
func herdOf(ctx context.Context, s size, who []contender, instances int, tell func(name string, loads, slowest float64)) error {
	server, err := startServer(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = server.close() }()
	source := newSource(s.herdLoad)
	var fleets [][]lane
	for i := range instances {
		lanes, done, err := openUnsettled(server, who, source, s.hold)
		if err != nil {
			return err
		}
		defer done()
		if i == 0 {
			err = settle(ctx, lanes)
		}
		if err != nil {
			return err
		}
		fleets = append(fleets, lanes)
	}
	for round := range s.rounds {
		progressf("  %d × %d, round %d of %d", instances, s.herd/instances, round+1, s.rounds)
		for k := range who {
			before := source.loads.Load()
			var all []Peer
			for _, lanes := range fleets {
				all = append(all, lanes[k].peer)
			}
			slowest, err := stampede(ctx, all, s.herd/instances, int64(round))
			if err != nil {
				return fmt.Errorf("%s: %w", who[k].name, err)
			}
			tell(who[k].name, float64(source.loads.Load()-before), slowest.Seconds()/s.herdLoad.Seconds())
		}
	}
	return nil
}

// stampede has so many callers of each instance ask for one item at once, and returns how long the slowest waited.
func stampede(ctx context.Context, all []Peer, callers int, id int64) (time.Duration, error) {
	var first firstError
	var wg sync.WaitGroup
	var mu sync.Mutex
	var slowest time.Duration
	begin := make(chan struct{})
	for _, p := range all {
		for range callers {
			wg.Go(func() {
				<-begin
				began := time.Now()
				_, err := p.Get(ctx, id)
				took := time.Since(began)
				first.keep("get", err)
				mu.Lock()
				defer mu.Unlock()
				slowest = max(slowest, took)
			})
		}
	}
	close(begin)
	wg.Wait()
	return slowest, first.err()
}
