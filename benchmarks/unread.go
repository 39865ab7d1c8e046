package main

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

const unreadText = `Writes to 10 000 different rows a second, which nobody has read or is going to read, each told to the cache as soon as it is made, a hundred
together. A cache that removes entries by key leaves nothing in Redis. cacheme writes a token for each row, since it cannot know that nobody
loads from it at this moment; tokens that nobody has live for two hold times, so that their number stops growing after
these (20 s by default) and ends with them. A lower Hold is a lower ceiling.`

// told is how many rows are told together.
const told = 100

func unread(ctx context.Context, s size) ([]table, error) {
	t := table{
		Title:   fmt.Sprintf("%s writes a second for %d s", grouping(s.writes), s.seconds),
		Columns: []column{{"written", 0}, {"keys at most", 0}, {"MB at most", 1}, {"bytes a key", 0}, {"keys in the end", 0}},
	}
	p := plot{Name: "unread", Title: "MB in Redis, by seconds"}
	for _, c := range contenders() {
		if c.name != rawCBOR && c.name != ours {
			continue // all others remove keys, as the raw client does
		}
		progressf("  %s", c.name)
		m, err := unreadOf(ctx, s, c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		keys, bytes, drawn := mostOf(m.samples)
		p.Lines = append(p.Lines, line{c.name, drawn})
		last := m.samples[len(m.samples)-1]
		each := none("–")
		if keys > 0 {
			each = of(bytes * 1e6 / keys)
		}
		t.Rows = append(t.Rows, row{Name: c.name, Cells: []cell{of(m.written), of(keys), of(bytes), each, of(max(0, last.keys))}})
		t.Words = append(t.Words, m.words(c.name, s.seconds))
	}
	for second := range max(len(p.Lines[0].Y), len(p.Lines[1].Y)) {
		p.X = append(p.X, strconv.Itoa(second+1))
	}
	t.Words = append(t.Words, better(t, 2, "In memory at most")...)
	t.Plots = []plot{p}
	return []table{t}, nil
}

type unreadMeasure struct {
	written float64
	samples []sample // one a second
}

// words tell the steady state, which is the median of the second half of the writing, and when it is gone.
func (m *unreadMeasure) words(name string, writing int) string {
	var keys, megabytes []float64
	for _, at := range m.samples[writing/2 : writing] {
		keys, megabytes = append(keys, at.keys), append(megabytes, at.megabytes)
	}
	if median(keys) <= 0 {
		return name + " leaves nothing behind."
	}
	steady := fmt.Sprintf("%s keeps %.1f MB in the second half of the writing (%s keys)", name, median(megabytes), grouping(int(median(keys))))
	for second, at := range m.samples[writing-1:] {
		if at.keys <= 0 {
			return fmt.Sprintf("%s; %d s after the last write all of it is gone, and the memory %.1f MB over what it was.", steady, second, max(0, at.megabytes))
		}
	}
	return fmt.Sprintf("%s; **it is not gone** %d s after the last write.", steady, len(m.samples)-writing)
}

type sample struct{ keys, megabytes float64 } // over what was there before

// mostOf is the most there was of each, and the megabytes as they are drawn.
func mostOf(samples []sample) (keys, megabytes float64, drawn []*float64) {
	for _, at := range samples {
		keys, megabytes = max(keys, at.keys), max(megabytes, at.megabytes)
		drawn = append(drawn, new(max(0, at.megabytes)))
	}
	return keys, megabytes, drawn
}

func unreadOf(ctx context.Context, s size, c contender) (m unreadMeasure, err error) {
	server, err := startServer(ctx)
	if err != nil {
		return m, err
	}
	defer func() { _ = server.close() }()
	lanes, done, err := open(ctx, server, []contender{c}, newSource(0), s.hold)
	if err != nil {
		return m, err
	}
	defer done()
	id := int64(1_000_000)
	tell := func() error {
		ids := make([]int64, told)
		for i := range ids {
			id++
			ids[i] = id
		}
		return lanes[0].peer.Invalidate(ctx, ids...)
	}
	if err := tell(); err != nil { // brings scripts along, and connections
		return m, err
	}
	before, err := sampled(ctx, server, sample{})
	if err != nil {
		return m, err
	}

	began, batches := time.Now(), 0
	for second := range s.seconds {
		end := began.Add(time.Duration(second+1) * time.Second)
		for time.Now().Before(end) {
			// What is due by now, and no more: the rate is given, not found.
			due := int(time.Since(began).Seconds() * float64(s.writes) / told)
			if batches >= due {
				time.Sleep(time.Millisecond)
				continue
			}
			if err := tell(); err != nil {
				return m, err
			}
			batches++
		}
		if err := m.look(ctx, server, before); err != nil {
			return m, err
		}
	}
	m.written = float64(batches * told)
	// Redis takes its time to find keys that have expired.
	for range s.seconds {
		if m.samples[len(m.samples)-1].keys <= 0 {
			break
		}
		time.Sleep(time.Second)
		if err := m.look(ctx, server, before); err != nil {
			return m, err
		}
	}
	return m, nil
}

func (m *unreadMeasure) look(ctx context.Context, server *server, before sample) error {
	now, err := sampled(ctx, server, before)
	m.samples = append(m.samples, now)
	return err
}

func sampled(ctx context.Context, server *server, before sample) (sample, error) {
	bytes, err := server.info(ctx, "memory", "used_memory")
	if err != nil {
		return sample{}, err
	}
	keys, err := server.rdb.DBSize(ctx).Result()
	return sample{float64(keys) - before.keys, bytes/1e6 - before.megabytes}, err
}
