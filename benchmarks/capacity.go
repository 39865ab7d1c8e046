package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/cacheme/cacheme"
)

const capacityText = `What one Redis pays, in microseconds of its own processor time (INFO cpu), which one core has a million of each second: so what one master
carries is a million divided by this. *A write* is one Invalidate of one row, or a hold and its end as bunhooks places them around a COMMIT, by 8 goroutines, with
so many processes listening as near caches do. *A hit* reads an entry with so many dependencies, 64 goroutines sharing round trips, and with one
caller at a time. *A process* is what the server keeps for one connection that subscribes, in kilobytes. Listeners here are bare sockets on
the same machine: their own time is not in the figures.`

// capacityWrites are those of one measurement, for each round that is asked for.
const capacityWrites = 400

func capacity(ctx context.Context, s size) ([]table, error) {
	server, err := startServer(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = server.close() }()
	peer, err := openCacheme(ownRows, false)(place{addr: server.addr, prefix: capacityPrefix, source: newSource(0), hold: s.hold})
	if err != nil {
		return nil, err
	}
	defer func() { _ = peer.Close() }()
	if err := settle(ctx, []lane{{contender{name: ours}, peer}}); err != nil {
		return nil, err
	}
	cache := peer.(*viaCacheme).cache
	writes, err := capacityOfWrites(ctx, s, server, cache)
	if err != nil {
		return nil, err
	}
	hits, err := capacityOfHits(ctx, s, server, cache)
	if err != nil {
		return nil, err
	}
	near, err := connections(ctx, server, s.listeners[len(s.listeners)-1])
	return []table{writes, hits, near}, err
}

// capacityPrefix is the cache's.
const capacityPrefix = "P0:"

const (
	hears  = "SUBSCRIBE " + capacityPrefix + "meta:near\r\n"
	tracks = "HELLO 3\r\nCLIENT TRACKING ON BCAST PREFIX " + capacityPrefix + "row: PREFIX " + capacityPrefix + "table: PREFIX " + capacityPrefix +
		"class: PREFIX " + capacityPrefix + "main: PREFIX " + capacityPrefix + "tag:\r\n" + hears
)

// ways are how rows are written, and what processes that are near say to the server when they connect.
var ways = []struct {
	name, words string
	write       func(ctx context.Context, c *cacheme.Cache, row RowChanged) error
}{
	{ours, hears, invalidated},
	{ours + ", tracking besides", tracks, invalidated},
	{ours + ", around a COMMIT", hears, committed},
}

func invalidated(ctx context.Context, c *cacheme.Cache, row RowChanged) error {
	return c.Invalidate(ctx, row)
}

func committed(ctx context.Context, c *cacheme.Cache, row RowChanged) error {
	hold, err := c.Hold(ctx, row)
	if err != nil {
		return err
	}
	return hold.Commit(ctx)
}

func capacityOfWrites(ctx context.Context, s size, server *server, cache *cacheme.Cache) (table, error) {
	t := table{Title: "A write, by how many processes are near"}
	p := plot{Name: "capacity-writes", Title: "µs of Redis a write, by processes that are near", Log: true}
	for _, n := range s.listeners {
		t.Columns = append(t.Columns, column{grouping(n), 1})
		p.X = append(p.X, grouping(n))
	}
	t.Columns = append(t.Columns, column{"a process more", 2})
	for _, w := range ways {
		r, drawn := row{Name: w.name}, line{Name: w.name}
		var costs []float64
		for _, n := range s.listeners {
			progressf("  %s: %d processes", w.name, n)
			ears, err := listen(ctx, server.addr, n, w.words)
			if err != nil {
				return t, err
			}
			cost, err := server.microseconds(ctx, capacityWrites*s.rounds, func(ctx context.Context) error {
				return inParallel(8, capacityWrites*s.rounds, func(i int) error { return w.write(ctx, cache, RowChanged{ID: int64(i)}) })
			})
			ears.close()
			if err != nil {
				return t, err
			}
			costs = append(costs, cost)
			r.Cells = append(r.Cells, of(cost))
			drawn.Y = append(drawn.Y, &cost)
		}
		last := len(costs) - 1
		r.Cells = append(r.Cells, of((costs[last]-costs[0])/float64(s.listeners[last]-s.listeners[0])))
		t.Rows = append(t.Rows, r)
		p.Lines = append(p.Lines, drawn)
		t.Words = append(t.Words, fmt.Sprintf("%s: one core of Redis carries %s writes a second with nobody near, %s with %s processes.",
			w.name, grouping(int(1e6/costs[0])), grouping(int(1e6/costs[last])), grouping(s.listeners[last])))
	}
	t.Plots = []plot{p}
	return t, nil
}

// connections tells what the server keeps for a process that is near.
func connections(ctx context.Context, server *server, n int) (table, error) {
	t := table{Title: "A process that is near", Columns: []column{{"kB a connection", 1}}}
	before, err := server.info(ctx, "memory", "used_memory")
	if err != nil {
		return t, err
	}
	ears, err := listen(ctx, server.addr, n, hears)
	if err != nil {
		return t, err
	}
	defer ears.close()
	after, err := server.info(ctx, "memory", "used_memory")
	t.Rows = []row{{Name: ours, Cells: []cell{of((after - before) / float64(n) / 1000)}}}
	return t, err
}

// ears are connections that take in whatever the server says.
type ears struct {
	all     []net.Conn
	reading sync.WaitGroup
}

func (e *ears) close() {
	for _, c := range e.all {
		_ = c.Close()
	}
	e.reading.Wait()
}

func listen(ctx context.Context, addr string, n int, words string) (*ears, error) {
	e := &ears{}
	for range n {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err != nil {
			e.close()
			return nil, err
		}
		e.all = append(e.all, c)
		if _, err := io.WriteString(c, words); err != nil {
			e.close()
			return nil, err
		}
		// Its answers have been read when the last one is there: that to SUBSCRIBE.
		heard := make([]byte, 0, 1024)
		for !strings.Contains(string(heard), "meta:near") {
			n, err := c.Read(heard[len(heard):cap(heard)])
			if err != nil || len(heard)+n == cap(heard) {
				e.close()
				return nil, fmt.Errorf("a listener heard %q: %w", heard, err)
			}
			heard = heard[:len(heard)+n]
		}
		e.reading.Go(func() { _, _ = io.Copy(io.Discard, c) })
	}
	return e, nil
}

// inParallel does n things by so many goroutines and returns the first error.
func inParallel(goroutines, n int, do func(i int) error) error {
	var first firstError
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := g; i < n; i += goroutines {
				first.keep("capacity", do(i))
			}
		})
	}
	wg.Wait()
	return first.err()
}

// microseconds is what the server's processor time is for each of n things that are done.
func (s *server) microseconds(ctx context.Context, n int, do func(context.Context) error) (float64, error) {
	if err := do(ctx); err != nil { // scripts and connections are brought along
		return 0, err
	}
	before, err := s.busy(ctx)
	if err != nil {
		return 0, err
	}
	if err := do(ctx); err != nil {
		return 0, err
	}
	time.Sleep(50 * time.Millisecond) // what was written to sockets is the server's work too
	after, err := s.busy(ctx)
	return (after - before) * 1e6 / float64(n), err
}

func capacityOfHits(ctx context.Context, s size, server *server, cache *cacheme.Cache) (table, error) {
	t := table{Title: "A hit, by dependencies"}
	shared, alone := row{Name: ours + ", 64 goroutines"}, row{Name: ours}
	source := newSource(0)
	for _, n := range s.capacityDependencies {
		progressf("  %d dependencies", n)
		memo, err := cacheme.Memo(cache, cacheme.Memoized[int64, Item]{
			Meta:         cacheme.Meta{Key: fmt.Sprintf("capacity%d:<id>", n)},
			Values:       func(id int64) []any { return []any{id} },
			InvalidNodes: func(id int64) []cacheme.Invalid { return rowsOf(id, n) },
		}, source.load)
		if err != nil {
			return t, err
		}
		hit := func(i int) error { return errorOf(memo.Get(ctx, int64(i%keysOfAHit))) }
		if err := inParallel(8, keysOfAHit, hit); err != nil {
			return t, err
		}
		t.Columns = append(t.Columns, column{grouping(n), 1})
		for _, of := range []struct {
			row        *row
			goroutines int
		}{{&alone, 1}, {&shared, 64}} {
			hits := capacityWrites * s.rounds * 2
			cost, err := server.microseconds(ctx, hits, func(context.Context) error { return inParallel(of.goroutines, hits, hit) })
			if err != nil {
				return t, err
			}
			of.row.Cells = append(of.row.Cells, cell{Value: &cost})
		}
	}
	t.Rows = []row{alone, shared}
	last := shared.Cells[len(shared.Cells)-1]
	t.Words = []string{fmt.Sprintf("One core of Redis carries %s hits a second with %s, %s with %s.", grouping(int(1e6 / *shared.Cells[0].Value)),
		t.Columns[0].Name, grouping(int(1e6 / *last.Value)), t.Columns[len(t.Columns)-1].Name)}
	return t, nil
}

// rowsOf are n rows of an entry's own.
func rowsOf(id int64, n int) []cacheme.Invalid {
	all := make([]cacheme.Invalid, n)
	for i := range all {
		all[i] = RowChanged{ID: id*1000 + int64(i)}
	}
	return all
}
