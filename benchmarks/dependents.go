package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"
)

const dependentsText = `N entries depend on one thing, and that is written. cacheme writes a token, whatever N is. gocache's tags are sets of keys, and with raw go-redis
it is done in the same way, a thousand a command; with go-redis/cache, go-zero and rockscache the caller has to know the keys. Milliseconds until the
call returns, beside one SET on the same server; where nothing is removed the two take turns, 200 times. *Old answers* are of a hundred of the
dependents, which another client asked for before, as hits, and again right after the call has returned. Of more than 100 000 dependents of cacheme all but one
are copies of its bytes, made by the server. A cell that would take minutes to fill is left out. *Constant* is called what takes at no N
more than three times one SET.`

// longestFill is how long storing the dependents may take, by what fewer of them took.
const longestFill = 4 * time.Minute

func dependents(ctx context.Context, s size) ([]table, error) {
	t := table{}
	p := plot{Name: "dependents", Title: "milliseconds to make N dependents wrong", Log: true}
	for _, n := range s.dependents {
		t.Columns = append(t.Columns, column{fmt.Sprintf("N = %s, ms", grouping(n)), 3})
		p.X, p.At = append(p.X, grouping(n)), append(p.At, math.Log(float64(n)))
	}
	t.Columns = append(t.Columns, column{"× one SET, at most", 2}, column{"commands at the largest N", 0}, column{"old answers", 0})
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
	t.Words = append(t.Words, constant(t))
	t.Plots = []plot{p}
	return []table{t}, nil
}

func dependentsOf(ctx context.Context, s size, c contender) (row, error) {
	r := row{Name: c.name, About: c.group}
	if c.name == ours {
		c.open = openCacheme(commonRows, false) // its Get is that of the group then
	}
	server, err := startServer(ctx)
	if err != nil {
		return r, err
	}
	defer func() { _ = server.close() }()
	source := newSource(0)
	lanes, done, err := open(ctx, server, []contender{c}, source, s.hold)
	if err != nil {
		return r, err
	}
	defer done()
	others, closeOthers, err := openUnsettled(server, []contender{c}, source, s.hold)
	if err != nil {
		return r, err
	}
	defer closeOthers()
	g, ok := lanes[0].peer.(grouped)
	if !ok {
		return r, fmt.Errorf("%T has no groups", lanes[0].peer)
	}
	// What is needed once, such as scripts, is brought along now.
	if err := fill(ctx, server, g, 1); err != nil {
		return r, err
	}
	if err := g.InvalidateGroup(ctx, []int64{0}); err != nil {
		return r, err
	}
	var commands cell
	var times []float64 // one SET
	old := 0
	var each time.Duration // to store one
	for _, n := range s.dependents {
		if expected := each * time.Duration(n); expected > longestFill {
			progressf("  %s, %d: left out, it would take %v to store them", c.name, n, expected.Round(time.Second))
			r.Cells = append(r.Cells, none("–"))
			continue
		}
		began := time.Now()
		m, err := groupOf(ctx, s, server, g, others[0].peer, source, n)
		if err != nil {
			return r, err
		}
		if n > 1 { // the first is not typical
			each = time.Since(began) / time.Duration(n)
		}
		progressf("  %s, %d: %.3f ms", c.name, n, median(m.took))
		r.Cells = append(r.Cells, medianOf(m.took))
		times, commands = append(times, median(m.took)/m.set), of(m.commands)
		old += m.old
	}
	r.Cells = append(r.Cells, of(slices.Max(times), times...), commands, of(float64(old)))
	return r, nil
}

// grouped measurements are of one group of one size.
type groupMeasure struct {
	took     []float64 // milliseconds
	set      float64   // those of one SET
	old      int       // answers that another client got for what it knew before, right after
	commands float64   // of the first invalidation
}

// lasting is a grouped Peer that removes nothing, so that it can tell the same again at the same price; and whose entries hold
// nothing of their keys, so that one can be copied to other keys.
type lasting interface {
	memberKey(id int64) (string, error)
}

func (c *viaCacheme) memberKey(id int64) (string, error) {
	key, err := c.cache.KeyOf(ItemInGroup{ID: id})
	return c.p.prefix + "{" + key + "}", err // as Redis has it
}

func groupOf(ctx context.Context, s size, server *server, g grouped, other Peer, source *source, n int) (m groupMeasure, err error) {
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
			if err := fill(ctx, server, g, n); err != nil {
				return m, err
			}
		}
		if round == 0 {
			if _, err := asked(ctx, other, source, ids); err != nil { // so that what is old would be known
				return m, err
			}
			if m.old, err = asked(ctx, other, source, ids); err != nil {
				return m, err
			}
			if m.old == 0 {
				return m, fmt.Errorf("of %d dependents none was a hit before", n)
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
			if m.old, err = asked(ctx, other, source, ids); err != nil {
				return m, err
			}
		}
		if n > inOneCommand && took > 5*time.Millisecond {
			break
		}
	}
	if _, ok := g.(lasting); ok {
		return m, m.alternate(ctx, server, g, ids)
	}
	return m, nil
}

// asked gets up to a hundred of the items, and returns how many of them were not loaded.
func asked(ctx context.Context, p Peer, source *source, ids []int64) (hits int, err error) {
	const most = 100
	before := source.loads.Load()
	n := 0
	for i := 0; i < len(ids); i += (len(ids) + most - 1) / most {
		if _, err := p.Get(ctx, ids[i]); err != nil {
			return 0, err
		}
		n++
	}
	return n - int(source.loads.Load()-before), nil
}

// alternate measures again what can be told again, in turns with a SET.
func (m *groupMeasure) alternate(ctx context.Context, server *server, g grouped, ids []int64) error {
	const turns = 200
	var took, set []float64
	for range turns {
		began := time.Now()
		if err := g.InvalidateGroup(ctx, ids); err != nil {
			return err
		}
		told := time.Now()
		if err := floor(ctx, server); err != nil {
			return err
		}
		took = append(took, float64(told.Sub(began).Nanoseconds())/1e6)
		set = append(set, float64(time.Since(told).Nanoseconds())/1e6)
	}
	m.took, m.set = []float64{trimmedMean(took)}, trimmedMean(set)
	return nil
}

// copiedFrom is how many dependents are stored one by one at most where they can be copied.
const copiedFrom = 100_000

// fill stores n dependents, in batches, some at a time.
func fill(ctx context.Context, server *server, g grouped, n int) error {
	if l, ok := g.(lasting); ok && n > copiedFrom {
		if err := g.FillGroup(ctx, []int64{0}); err != nil {
			return err
		}
		return copies(ctx, server, l.memberKey, n)
	}
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
		if err := floor(ctx, server); err != nil {
			return 0, err
		}
		took = append(took, float64(time.Since(began).Nanoseconds())/1e6)
	}
	return trimmedMean(took), nil
}

func floor(ctx context.Context, server *server) error {
	return server.rdb.Set(ctx, "floor", "a value of some size, as a token's", lifetime).Err()
}

// constant says whether cacheme's row is, in terms of one SET.
func constant(t table) string {
	worst, _ := t.figure(ours, len(t.Columns)-3)
	verdict := "constant"
	if worst > mostSets {
		verdict = "**not constant**"
	}
	return fmt.Sprintf("%s takes at most %.2f times one SET, whatever N is: %s.", ours, worst, verdict)
}

// mostSets is how many times one SET an invalidation may take.
const mostSets = 3

// grouping writes a number with spaces between its thousands.
func grouping(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + " " + text[i:]
	}
	return text
}
