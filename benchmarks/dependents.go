package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"
)

const dependentsText = `N entries depend on one thing, and that is written. cacheme writes a token, whatever N is. The others have nothing like it: with raw go-redis it is
done as is usual, by a set of the entries' keys that is read and whose members are removed, a thousand a command; with go-redis/cache and go-zero
the caller has to know the keys. Milliseconds until the call returns, beside one SET on the same server. A cell that would take
minutes to fill is left out.`

// longestFill is how long storing the dependents may take, by what fewer of them took.
const longestFill = 4 * time.Minute

func dependents(ctx context.Context, s size) ([]table, error) {
	t := table{}
	p := plot{Name: "dependents", Title: "milliseconds to make N dependents wrong", Log: true}
	for _, n := range s.dependents {
		t.Columns = append(t.Columns, column{fmt.Sprintf("N = %s, ms", grouping(n)), 3})
		p.X, p.At = append(p.X, grouping(n)), append(p.At, math.Log(float64(n)))
	}
	t.Columns = append(t.Columns, column{"× one SET at the largest N", 1}, column{"commands then", 0})
	for _, c := range contenders() {
		if c.group == "" {
			continue
		}
		r, err := dependentsOf(ctx, s, c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		t.Rows = append(t.Rows, r)
		drawn := line{Name: c.name}
		for i := range s.dependents {
			drawn.Y = append(drawn.Y, r.Cells[i].Value)
		}
		p.Lines = append(p.Lines, drawn)
	}
	for i := range s.dependents {
		t.Words = append(t.Words, better(t, i, "With N = "+p.X[i])...)
	}
	t.Plots = []plot{p}
	return []table{t}, nil
}

func dependentsOf(ctx context.Context, s size, c contender) (row, error) {
	r := row{Name: c.name, About: c.group}
	server, err := startServer(ctx)
	if err != nil {
		return r, err
	}
	defer func() { _ = server.close() }()
	lanes, done, err := open(ctx, server, []contender{c}, newSource(0), s.hold)
	if err != nil {
		return r, err
	}
	defer done()
	g, ok := lanes[0].peer.(grouped)
	if !ok {
		return r, fmt.Errorf("%T has no groups", lanes[0].peer)
	}
	// What is needed once, such as scripts, is brought along now.
	if err := fill(ctx, g, 1); err != nil {
		return r, err
	}
	if err := g.InvalidateGroup(ctx, []int64{0}); err != nil {
		return r, err
	}
	var ratio, commands cell
	var each time.Duration // to store one
	for _, n := range s.dependents {
		if expected := each * time.Duration(n); expected > longestFill {
			progressf("  %s, %d: left out, it would take %v to store them", c.name, n, expected.Round(time.Second))
			r.Cells = append(r.Cells, none("–"))
			continue
		}
		began := time.Now()
		m, err := groupOf(ctx, s, server, g, n)
		if err != nil {
			return r, err
		}
		if n > 1 { // the first is not typical
			each = time.Since(began) / time.Duration(n)
		}
		progressf("  %s, %d: %.3f ms", c.name, n, median(m.took))
		r.Cells = append(r.Cells, medianOf(m.took))
		ratio, commands = of(median(m.took)/m.set), of(m.commands)
	}
	r.Cells = append(r.Cells, ratio, commands)
	return r, nil
}

// grouped measurements are of one group of one size.
type groupMeasure struct {
	took     []float64 // milliseconds
	set      float64   // those of one SET
	commands float64   // of the first invalidation
}

func groupOf(ctx context.Context, s size, server *server, g grouped, n int) (m groupMeasure, err error) {
	ids := make([]int64, n)
	for i := range ids {
		ids[i] = int64(i)
	}
	if m.set, err = aSet(ctx, server); err != nil {
		return m, err
	}
	for round := range s.rounds {
		// Many are stored once, and repeated only by who has not removed them.
		if round == 0 || n <= inOneCommand {
			if err := fill(ctx, g, n); err != nil {
				return m, err
			}
		}
		before, err := server.commands(ctx)
		if err != nil {
			return m, err
		}
		began := time.Now()
		if err := g.InvalidateGroup(ctx, ids); err != nil {
			return m, err
		}
		took := time.Since(began)
		m.took = append(m.took, float64(took.Nanoseconds())/1e6)
		if round == 0 {
			after, err := server.commands(ctx)
			if err != nil {
				return m, err
			}
			m.commands = after - before
		}
		if n > inOneCommand && took > 5*time.Millisecond {
			break
		}
	}
	return m, nil
}

// fill stores n dependents, in batches, some at a time.
func fill(ctx context.Context, g grouped, n int) error {
	const atOnce = 4
	var first firstError
	var wg sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for from := 0; from < n && first.err() == nil; from += inOneCommand {
		batch := make([]int64, min(inOneCommand, n-from))
		for i := range batch {
			batch[i] = int64(from + i)
		}
		places <- struct{}{}
		wg.Go(func() {
			first.keep("fill", g.FillGroup(ctx, batch))
			<-places
		})
	}
	wg.Wait()
	return first.err()
}

// aSet is how many milliseconds one SET takes.
func aSet(ctx context.Context, server *server) (float64, error) {
	var took []float64
	for range 200 {
		began := time.Now()
		if err := server.rdb.Set(ctx, "floor", "a value of some size, as a token's", lifetime).Err(); err != nil {
			return 0, err
		}
		took = append(took, float64(time.Since(began).Nanoseconds())/1e6)
	}
	return trimmedMean(took), nil
}

// grouping writes a number with spaces between its thousands.
func grouping(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + " " + text[i:]
	}
	return text
}
