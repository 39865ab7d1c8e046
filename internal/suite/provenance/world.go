package provenance

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// processes write and read in one fleet.
const processes = 3

// world is a fleet, and what the checker knows.
type world struct {
	t     *testing.T
	fleet []*process
	dice  *rand.Rand
	last  map[string]made // by dependency: the last write that made it wrong

	writes, statements, named int
	unnamed, wrong            []string
}

func newWorld(t *testing.T, open writes.Open, rewrite func(name, source string) string) *world {
	t.Helper()
	w := &world{t: t, last: map[string]made{}}
	prefix := suite.Prefix()
	var server suite.Server
	for range processes {
		d := open(t)
		if server == nil {
			server = d.Redis
		}
		rdb := server.Client(func(o *redis.Options) { o.ReadTimeout, o.WriteTimeout = many, many })
		w.fleet = append(w.fleet, newProcess(t, d, rdb, prefix, rewrite))
	}
	return w
}

// history is a story of some thirty steps, after which nothing is open.
func (w *world) history(number, seed uint64) {
	w.dice = rand.New(rand.NewPCG(seed, number))
	for range 30 {
		p := w.fleet[w.dice.IntN(len(w.fleet))]
		must(w.t, w.step(w.t.Context(), p))
		w.check(w.t.Context())
	}
	for _, p := range w.fleet {
		for !p.idle() {
			must(w.t, w.bringOn(w.t.Context(), p))
			w.check(w.t.Context())
		}
	}
}

func (w *world) one(n int64) int64 { return w.dice.Int64N(n) + 1 }

func (w *world) chance(percent int) bool { return w.dice.IntN(100) < percent }

// step does one thing in a process.
func (w *world) step(ctx context.Context, p *process) error {
	if w.chance(30) {
		return w.load(ctx, p)
	}
	switch {
	case p.commit != nil || p.hold != nil:
		if w.chance(60) {
			return nil // somebody else's turn
		}
		return w.bringOn(ctx, p)
	case p.open != nil:
		switch {
		case w.chance(65):
			return w.write(ctx, p)
		case w.chance(30) && len(p.open.levels) < 3:
			return p.begin(ctx)
		}
		return w.bringOn(ctx, p)
	}
	switch roll := w.dice.IntN(100); {
	case roll < 45:
		return p.begin(ctx)
	case roll < 65:
		return w.alone(ctx, p)
	case roll < 80:
		return w.byHand(ctx, p)
	}
	return w.holdByHand(ctx, p)
}

// bringOn takes what is open in a process one step nearer to its end.
func (w *world) bringOn(ctx context.Context, p *process) error {
	switch {
	case p.hold != nil:
		hold, held := p.hold, p.held
		p.hold, p.held = nil, nil
		if w.chance(50) {
			return hold.Rollback(ctx)
		}
		w.happened(held)
		return hold.Commit(ctx)
	case p.commit != nil:
		// Of a statement alone SQLite's hook knows that it is undone; of a transaction nobody does.
		made, err := p.finish(p.commit.alone && p.dialect == writes.SQLite && w.chance(40))
		w.happened(made)
		return err
	case len(p.open.levels) > 1:
		return p.leave(w.chance(60))
	case w.chance(25):
		x := p.open
		p.open = nil
		return x.tx.Rollback()
	}
	x := p.open
	p.open = nil
	c := &commit{made: x.top().made, shelves: x.top().shelves}
	if err := p.send(c, x.tx.Commit); err != nil {
		return err
	}
	if p.commit == nil {
		p.shelves = c.shelves // it wrote nothing
		return nil
	}
	if w.chance(40) {
		made, err := p.finish(false)
		w.happened(made)
		return err
	}
	return nil
}

func (w *world) choose(known map[int64]int64, id int64) statement {
	if _, there := known[id]; !there {
		return insertion()
	}
	all := statements()
	if w.chance(5) {
		return all[len(all)-1]
	}
	return all[w.dice.IntN(len(all)-1)]
}

// write runs a statement in the open transaction.
func (w *world) write(ctx context.Context, p *process) error {
	top := p.open.top()
	id, shelf := w.one(items), w.one(shelves)
	m, err := w.choose(top.shelves, id).does(ctx, top.tx, top.shelves, id, shelf)
	top.made = append(top.made, m)
	w.statements++
	return err
}

// alone runs a statement without a transaction, up to its COMMIT or to its end.
func (w *world) alone(ctx context.Context, p *process) error {
	id, shelf := w.one(items), w.one(shelves)
	s := w.choose(p.shelves, id)
	c := &commit{shelves: maps.Clone(p.shelves), alone: true}
	w.statements++
	err := p.send(c, func() (err error) {
		var m made
		m, err = s.does(ctx, p.db, c.shelves, id, shelf)
		c.made = []made{m}
		return err
	})
	if err != nil || p.commit == nil {
		if err == nil {
			p.shelves = c.shelves
			w.happened(c.made)
		}
		return err
	}
	if w.chance(50) {
		made, err := p.finish(false)
		w.happened(made)
		return err
	}
	return nil
}

// byHand invalidates what nobody saw being written.
func (w *world) byHand(ctx context.Context, p *process) error {
	id := w.one(items)
	m := made{operation: "Invalidate", wrong: []string{fmt.Sprintf("row:item:%d", id), "rows:items"}}
	var err error
	m.line, err = at(here())(nil, p.cache.Invalidate(ctx, ItemChanged{ID: id}))
	w.happened([]made{m})
	return err
}

// holdByHand holds what two statements of another library write.
func (w *world) holdByHand(ctx context.Context, p *process) error {
	id, shelf := w.one(items), w.one(shelves)
	p.held = []made{
		{operation: "import", table: "items", line: "erp/import.go:1", wrong: []string{fmt.Sprintf("row:item:%d", id), "rows:items"}},
		{operation: "import", table: "items", line: "erp/import.go:2", wrong: []string{fmt.Sprintf("row:item:shelf:%d", shelf), "rows:items"}},
	}
	by := func(m made) cacheme.Invalid {
		return cacheme.By(cacheme.Write{Operation: m.operation, Table: m.table, Caller: m.line})
	}
	var err error
	p.hold, err = p.cache.Hold(ctx, by(p.held[0]), ItemChanged{ID: id}, by(p.held[1]), ItemsOn{Shelf: shelf})
	return err
}

// happened is told what was committed, in the order of its statements. Where one of them wrote the table as a whole, it is
// that which is told, and no rows.
func (w *world) happened(all []made) {
	whole := slices.ContainsFunc(all, func(m made) bool { return m.whole })
	for _, m := range all {
		if whole && !m.whole && m.line != "" && m.operation != "import" && m.operation != "Invalidate" {
			continue
		}
		for _, name := range m.wrong {
			w.last[name] = m
		}
	}
	w.writes++
}

// load loads a page by any process of the fleet.
func (w *world) load(ctx context.Context, p *process) error {
	loads := func(id int64) int64 { return id }
	var err error
	switch w.dice.IntN(3) {
	case 0:
		_, err = cacheme.GetFrom(ctx, p.cache, ItemPage{ID: w.one(items)}, func(_ context.Context, n ItemPage) (int64, error) { return loads(n.ID), nil })
	case 1:
		item := w.one(items)
		_, err = cacheme.GetFrom(ctx, p.cache, ShelfPage{Shelf: w.one(shelves)}, func(context.Context, ShelfPage) (int64, error) { return item, nil })
	default:
		_, err = cacheme.GetFrom(ctx, p.cache, Stock{}, func(context.Context, Stock) (int64, error) { return items, nil })
	}
	return err
}
