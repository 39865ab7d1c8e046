package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

const memoryText = `Bytes of Redis's memory for each of 50 000 entries (used_memory, with the key, the TTL and what the allocator adds), whose values are 200 to
1300 bytes long. *Over raw* is what they take more than a plain SET of the same bytes under the same codec. Entries of cacheme
carry the names and tokens of their dependencies; the tokens themselves are keys that entries share, and so are told apart: for entries that depend
on the same three rows they are next to nothing, for entries with three rows of their own there are three for each.`

// memoryOf are those whose entries are measured; clients that differ only in how they read have the same ones.
func memoryOf() (some []contender) {
	for _, c := range having(inRedis) {
		switch c.name {
		case rawCBOR, rawMsgpack, rawJSON, "go-redis/cache", "go-zero cache", "rockscache", "gocache":
			some = append(some, c)
		case ours:
			c.name, c.about = ours, "three rows that all share"
			c.open = openCacheme(commonRows, false)
			some = append(some, c)
			c.name, c.about = ours+", rows of its own", "three rows of its own"
			c.open = openCacheme(ownRows, false)
			some = append(some, c)
		}
	}
	return some
}

// What an entry with three dependencies may take over a raw one, and what a token may take.
const (
	mostOverRaw = 150
	mostOfToken = 200
)

// limited says whether a figure is within its limit.
func limited(v, most float64) string {
	if v > most {
		return fmt.Sprintf("**more than the %.0f** that it may", most)
	}
	return fmt.Sprintf("within the %.0f that it may", most)
}

func memory(ctx context.Context, s size) ([]table, error) {
	t := table{
		Title:   fmt.Sprintf("%s entries", grouping(s.entries)),
		Columns: []column{{"bytes an entry", 0}, {"over raw", 0}, {"keys an entry", 2}},
	}
	bytes := map[string]float64{}
	keys := map[string]float64{}
	for _, c := range memoryOf() {
		progressf("  %s", c.name)
		took, made, err := memoryOfOne(ctx, s, c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		bytes[c.name], keys[c.name] = took, made
		t.Rows = append(t.Rows, row{Name: c.name, About: c.about, Cells: []cell{of(took), of(max(0, took-bytes[c.floor])), of(made)}})
	}
	t.Words = better(t, 1, "In bytes over raw")
	own := ours + ", rows of its own"
	over, _ := t.figure(ours, 1)
	t.Words = append(t.Words, fmt.Sprintf("An entry of cacheme with three dependencies takes %.0f bytes over raw, %s.", over, limited(over, mostOverRaw)))
	if tokens := keys[own] - keys[ours]; tokens > 0 {
		each := (bytes[own] - bytes[ours]) / tokens
		t.Words = append(t.Words, fmt.Sprintf("A token takes %.0f bytes, %s.", each, limited(each, mostOfToken)))
	}
	t.Plots = []plot{{Name: "memory", Title: "bytes an entry, over a raw SET in the same codec", Column: 1}}
	return []table{t}, nil
}

// memoryOfOne returns the bytes and the keys of one entry. No client is connected when they are counted, since Redis counts
// the buffers of connections too.
func memoryOfOne(ctx context.Context, s size, c contender) (bytes, keys float64, err error) {
	server, err := startServer(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = server.close() }()
	before, err := server.info(ctx, "memory", "used_memory")
	if err != nil {
		return 0, 0, err
	}
	source := newSource(0)
	source.size = func(id int64) int { return 100 + int(id*37%1000) } // the allocator's steps even out
	lanes, done, err := open(ctx, server, []contender{c}, source, s.hold)
	if err != nil {
		return 0, 0, err
	}
	err = getAll(ctx, lanes[0], s.entries)
	done()
	if err != nil {
		return 0, 0, err
	}
	after, err := server.info(ctx, "memory", "used_memory")
	if err != nil {
		return 0, 0, err
	}
	size, err := server.rdb.DBSize(ctx).Result()
	return (after - before) / float64(s.entries), float64(size) / float64(s.entries), err
}

// getAll gets the items from 1 to n.
func getAll(ctx context.Context, l lane, n int) error {
	const atOnce = 16
	var first firstError
	var next atomic.Int64
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for id := next.Add(1); id <= int64(n) && ctx.Err() == nil; id = next.Add(1) {
				first.keep(l.name, errorOf(l.peer.Get(ctx, id)))
			}
		})
	}
	wg.Wait()
	return first.err()
}
