package main

import (
	"context"
	"fmt"
	"math/rand"
	"sync"
	"sync/atomic"
	"time"
)

const zipfText = `200 000 requests by 1000 and by 10 000 callers at once for keys of a zipf distribution, into an empty cache, with loads of 100 ms.
One process, each peer on a Redis of its own. *Loads* are told in terms of the distinct keys (1.00: no key was loaded twice), *commands* are those
that the server has carried out (INFO commandstats, those inside of scripts too) in terms of the requests, *Redis's CPU* is what they took. Nothing can be faster than the
loads themselves: distinct keys × 100 ms / callers.`

// What makes about 56 000 distinct keys of 200 000 requests.
const (
	zipfSkew  = 1.01
	zipfStart = 1
	zipfSeed  = 1
)

func zipf(ctx context.Context, s size) ([]table, error) {
	source := rand.New(rand.NewSource(zipfSeed))
	draw := rand.NewZipf(source, zipfSkew, zipfStart, uint64(s.universe-1))
	asked := make([]int64, s.requests)
	distinct := map[int64]bool{}
	for i := range asked {
		asked[i] = int64(draw.Uint64())
		distinct[asked[i]] = true
	}
	var tables []table
	for _, callers := range s.callers {
		bound := s.zipfLoad.Seconds() * float64(len(distinct)) / float64(callers)
		t := table{
			Title: fmt.Sprintf("%s callers: %s requests for %s distinct keys, at least %.1f s",
				grouping(callers), grouping(s.requests), grouping(len(distinct)), bound),
			Columns: []column{{"seconds", 2}, {"loads / distinct", 3}, {"commands a request", 2}, {"Redis's CPU, s", 2}, {"errors", 0}},
		}
		var trouble []string
		for _, c := range contenders() {
			if c.name == rawMsgpack || c.name == rawJSON {
				continue // the codec is not what matters here
			}
			var seconds, loads, commands, busy, errors []float64
			for range s.rounds {
				day, err := aDay(ctx, s, c, asked, callers)
				if err != nil {
					return nil, err
				}
				seconds = append(seconds, day.took.Seconds())
				loads = append(loads, day.loads/float64(len(distinct)))
				commands = append(commands, day.commands/float64(s.requests))
				busy = append(busy, day.busy)
				errors = append(errors, day.errors)
				if day.trouble != "" {
					trouble = append(trouble, c.name+": "+day.trouble+".")
				}
			}
			t.Rows = append(t.Rows, row{Name: c.name, About: string(c.tier), Cells: []cell{
				medianOf(seconds), medianOf(loads), medianOf(commands), medianOf(busy), medianOf(errors),
			}})
		}
		t.Words = append(better(t, 0, "In time"), better(t, 1, "In loads")...)
		t.Words = append(t.Words, better(t, 2, "In Redis commands")...)
		t.Words = append(t.Words, better(t, 3, "In Redis's own time")...)
		t.Words = append(t.Words, trouble...)
		t.Plots = []plot{
			{Name: fmt.Sprintf("zipf-%d-time", callers), Title: fmt.Sprintf("%d callers: seconds", callers), Column: 0},
			{Name: fmt.Sprintf("zipf-%d-commands", callers), Title: fmt.Sprintf("%d callers: Redis commands a request", callers), Column: 2},
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// day is what one run of the requests took.
type day struct {
	took                          time.Duration
	loads, commands, busy, errors float64
	trouble                       string
}

func aDay(ctx context.Context, s size, c contender, asked []int64, callers int) (day, error) {
	server, err := startServer(ctx)
	if err != nil {
		return day{}, err
	}
	defer func() { _ = server.close() }()
	source := newSource(s.zipfLoad)
	lanes, done, err := open(ctx, server, []contender{c}, source, s.hold)
	if err != nil {
		return day{}, err
	}
	defer done()
	if err := server.resetStats(ctx); err != nil {
		return day{}, err
	}
	busyBefore, err := server.busy(ctx)
	if err != nil {
		return day{}, err
	}
	loadsBefore := source.loads.Load()

	var next atomic.Int64
	var failed firstError
	var wg sync.WaitGroup
	began := time.Now()
	for range callers {
		wg.Go(func() {
			for {
				n := next.Add(1) - 1
				if n >= int64(len(asked)) {
					return
				}
				_, err := lanes[0].peer.Get(ctx, asked[n])
				failed.keep(c.name, err)
			}
		})
	}
	wg.Wait()
	d := day{took: time.Since(began), loads: float64(source.loads.Load() - loadsBefore), errors: float64(failed.count)}
	if d.commands, err = server.commands(ctx); err != nil {
		return day{}, err
	}
	if d.busy, err = server.busy(ctx); err != nil {
		return day{}, err
	}
	d.busy -= busyBefore
	if p, ok := lanes[0].peer.(candid); ok {
		d.trouble = p.Trouble()
	}
	if err := failed.err(); err != nil {
		progressf("  %s: %v, and %d more like it", c.name, err, failed.count-1)
	}
	progressf("  %d callers, %s: %.1f s, %.0f loads", callers, c.name, d.took.Seconds(), d.loads)
	return d, ctx.Err()
}
