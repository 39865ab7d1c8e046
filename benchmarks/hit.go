package main

import (
	"context"
	"fmt"
)

// keysOfAHit is how many items are asked for in turn.
const keysOfAHit = 1024

const remoteHitText = `1024 entries that are there and fresh are read in turn. An entry of cacheme depends on three rows of one
table, so that a hit checks five tokens (the table's and the class's too); none of the peers checks anything. With 1
goroutine the peers take turns call by call, and trimmed means are compared; with 64 each peer runs for a while and then the next,
in rounds. Ratios are those of one round to the raw client in the same round: to the one with cacheme's codec, and to the one with the
peer's own.`

const nearHitText = `The same 1024 entries, by peers that keep them in the process. Those in front of Redis learn of writes elsewhere
(go-redis and rueidis client-side caching: by the server) or do not (TinyLFU: at the end of its TTL). otter and sturdyc have no Redis behind them
and tell nobody; otter's own get is the floor. A call here is 200 gets. Client-side caches and TinyLFU keep bytes and decode them at each hit; cacheme's
near cache keeps decoded values, each beside the three rows, the table and the class that it depends on, as above.`

func remoteHits(ctx context.Context, s size) ([]table, error) {
	return compareHits(ctx, s, having(inRedis), rawCBOR, 1, "remote-hit")
}

// A get from the process takes as long as reading the clock, so that a call is many of them.
const getsOfACall = 200

func nearHits(ctx context.Context, s size) ([]table, error) {
	s.calls /= 4
	s.gets *= 5
	return compareHits(ctx, s, having(inFront, inProcess), "otter", getsOfACall, "near-hit")
}

func compareHits(ctx context.Context, s size, who []contender, floor string, getsOfACall int, name string) ([]table, error) {
	server, err := startServer(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = server.close() }()
	source := newSource(0)
	lanes, done, err := open(ctx, server, who, source, s.hold)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := warm(ctx, lanes, source); err != nil {
		return nil, err
	}
	before := source.loads.Load()
	alone, crowd := rounds{}, rounds{}
	for round := range s.rounds {
		progressf("  round %d of %d", round+1, s.rounds)
		took, err := alternated(ctx, lanes, s.calls, getsOfACall)
		if err != nil {
			return nil, err
		}
		for k := range lanes {
			alone.add(lanes[k].name, trimmedMean(took[k]))
			l := lanes[(round+k)%len(lanes)]
			ns, err := together(ctx, l, s.goroutines, s.gets)
			if err != nil {
				return nil, err
			}
			crowd.add(l.name, ns)
		}
	}
	t, err := hitTable(ctx, s, lanes, alone, crowd, floor)
	if err != nil {
		return nil, err
	}
	if misses := source.loads.Load() - before; misses > 0 {
		t.Words = append(t.Words, fmt.Sprintf("%d gets of all were no hits.", misses))
	}
	logarithmic := name == "near-hit" // orders of magnitude lie between them
	t.Plots = []plot{
		{Name: name + "-1", Title: "1 goroutine, × " + floor, Column: 1, Log: logarithmic},
		{Name: name + "-64", Title: fmt.Sprintf("%d goroutines, × %s", s.goroutines, floor), Column: 3, Log: logarithmic},
	}
	t.Words = append(t.Words, better(t, 1, "With 1 goroutine")...)
	t.Words = append(t.Words, better(t, 3, fmt.Sprintf("With %d goroutines", s.goroutines))...)
	return []table{t}, nil
}

// warm reads every item until nobody has to load any more.
func warm(ctx context.Context, lanes []lane, source *source) error {
	for _, l := range lanes {
		for pass := 0; ; pass++ {
			before := source.loads.Load()
			for id := range int64(keysOfAHit) {
				if _, err := l.peer.Get(ctx, id); err != nil {
					return fmt.Errorf("%s: %w", l.name, err)
				}
			}
			if source.loads.Load() == before {
				break
			}
			if pass == 10 {
				return fmt.Errorf("%s still loads when it is asked for the tenth time", l.name)
			}
		}
	}
	return nil
}

// rounds are the figures of each lane, one a round.
type rounds map[string][]float64

func (r rounds) add(name string, v float64) { r[name] = append(r[name], v) }

// over is the median of one lane's ratios to another, round by round.
func (r rounds) over(name, floor string) cell {
	if floor == "" {
		return none("")
	}
	var ratios []float64
	for i, v := range r[name] {
		ratios = append(ratios, v/r[floor][i])
	}
	return medianOf(ratios)
}

// micro is the median in microseconds.
func (r rounds) micro(name string) cell {
	var all []float64
	for _, v := range r[name] {
		all = append(all, v/1000)
	}
	return medianOf(all)
}

func hitTable(ctx context.Context, s size, lanes []lane, alone, crowd rounds, floor string) (table, error) {
	together := fmt.Sprintf("%d g", s.goroutines)
	t := table{Columns: []column{
		{"1 g, µs", 2},
		{"1 g, × floor", 2},
		{together + ", µs a get", 2},
		{together + ", × floor", 2},
		{"allocations", 0},
	}}
	remote := floor == rawCBOR
	if remote {
		t.Columns = append(t.Columns, column{"1 g, × raw in its codec", 2}, column{together + ", × raw in its codec", 2})
	}
	for _, l := range lanes {
		objects, err := allocations(ctx, l, s.calls)
		if err != nil {
			return t, err
		}
		r := row{Name: l.name, About: l.codec, Cells: []cell{
			alone.micro(l.name), alone.over(l.name, floor), crowd.micro(l.name), crowd.over(l.name, floor), of(objects),
		}}
		if remote {
			r.Cells = append(r.Cells, alone.over(l.name, l.floor), crowd.over(l.name, l.floor))
		} else {
			r.About = string(l.tier)
		}
		t.Rows = append(t.Rows, r)
	}
	return t, nil
}
