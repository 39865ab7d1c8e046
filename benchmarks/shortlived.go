package main

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

const shortLivedText = `Entries that live for 20 s, each with three rows of its own, so that a million keys are made, as fast as it goes; nobody reads them again. Told is
Redis's used_memory over what it was before, at the most and when the last key is gone; where storing takes longer than the entries live, not all are
there at once. Tokens outlive their entries by the 30 s that a load may take. The raw client has as many keys, all of them entries. What is left in
the end is Redis's own: tables and buffers that it has not given back yet.`

const shortLife = 20 * time.Second

func shortLived(ctx context.Context, s size) ([]table, error) {
	t := table{
		Title:   fmt.Sprintf("%s keys", grouping(s.shortLived)),
		Columns: []column{{"keys at most", 0}, {"MB at most", 1}, {"MB in the end", 2}, {"% of the most", 1}, {"keys in the end", 0}, {"seconds to the end", 0}},
	}
	p := plot{Name: "short-lived", Title: "MB in Redis, by seconds"}
	longest := 0
	for _, c := range contenders() {
		entries := s.shortLived
		switch c.name {
		case ours:
			entries /= 4 // each with three tokens
		case rawCBOR:
		default:
			continue // all others store one key an entry, as the raw client does
		}
		progressf("  %s", c.name)
		samples, err := shortLivedOf(ctx, s, c, entries)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		keys, bytes, drawn := mostOf(samples)
		p.Lines = append(p.Lines, line{c.name, drawn})
		longest = max(longest, len(samples))
		last := samples[len(samples)-1]
		left := max(0, last.megabytes)
		t.Rows = append(t.Rows, row{Name: c.name, Cells: []cell{
			of(keys), of(bytes), of(left), of(100 * left / bytes), of(max(0, last.keys)), of(float64(len(samples))),
		}})
		verdict := "the baseline is left behind"
		if last.keys > 0 || left > bytes/20 {
			verdict = "**the baseline is not left behind**"
		}
		t.Words = append(t.Words, fmt.Sprintf("%s: from %.1f MB to %.2f MB over what was there before: %s.", c.name, bytes, left, verdict))
	}
	for second := range longest {
		p.X = append(p.X, strconv.Itoa(second+1))
	}
	t.Plots = []plot{p}
	return []table{t}, nil
}

// shortLivedOf looks each second, while entries are stored and until all have expired.
func shortLivedOf(ctx context.Context, s size, c contender, entries int) (samples []sample, err error) {
	server, err := startServer(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = server.close() }()
	life := shortLife
	if s.hold > 0 {
		life = s.hold // a test has no time
	}
	source := newSource(0)
	source.size = func(int64) int { return 10 }
	peer, err := c.open(place{addr: server.addr, prefix: "P0:", source: source, hold: s.hold, ttl: life})
	if err != nil {
		return nil, err
	}
	defer func() { _ = peer.Close() }()
	lanes := []lane{{c, peer}}
	if err := settle(ctx, lanes); err != nil {
		return nil, err
	}
	before, err := sampled(ctx, server, sample{})
	if err != nil {
		return nil, err
	}
	stored := make(chan error, 1)
	go func() { stored <- getAll(ctx, lanes[0], entries) }()
	done := false
	for until := time.Now(); time.Now().Before(until) || !done; {
		select {
		case err := <-stored:
			if err != nil {
				return nil, err
			}
			done, until = true, time.Now().Add(life+s.lingers)
			stored = nil
		case <-time.After(time.Second):
		}
		at, err := sampled(ctx, server, before)
		if err != nil {
			return nil, err
		}
		samples = append(samples, at)
		if done && at.keys <= 0 {
			break
		}
	}
	return samples, nil
}
