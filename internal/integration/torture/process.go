package torture

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/suite/tap"
	"github.com/cacheme/cacheme/rowcache"
)

// The settings of the caches of a run, other than an application's only where a run would otherwise wait long for what is
// to be seen.
const (
	prefix    = "T:"
	holdTime  = time.Second
	leaseTime = time.Second
	budget    = 250 * time.Millisecond
)

// writerRest is how long a writer rests between two writes: a service is read more often than it is changed, and where all
// is always wrong nothing is cached.
const writerRest = 20 * time.Millisecond

// Order is what a process is to do.
type Order struct {
	Number   int // no other process of the run has it, nor had
	Seed     uint64
	Database Database
	Redis    Way
	Readers  int
	Writers  int
	// Rate is how many Gets and writes it makes in a second at most; 0: as many as it can.
	Rate int
	// Reads and Deeds are the names of those that it chooses from; nil: all.
	Reads, Deeds []string
	Restless     bool // writers do not rest between two writes
}

// Broken is a rule that is out; its zero value leaves all in.
type Broken struct {
	Rules   guard.Set
	Rewrite func(name, source string) string
}

// process is one of the service: a database handle of its own, a cache of its own. Several of them in one OS process
// share nothing either.
type process struct {
	Order
	clock
	lot     lot
	loads   loadsRun
	strokes atomic.Int64
	tell    func(Record)

	db       *bun.DB
	rdb      redis.UniversalClient
	cache    *cacheme.Cache
	rowcache *rowcache.Cache
	rows     *rowcache.Rows[Thing]

	one        *cacheme.Bound[One, Seen]
	lazy       *cacheme.Bound[Lazy, Seen]
	close      *cacheme.Bound[Close, Seen]
	labelled   *cacheme.Bound[Labelled, Seen]
	shelf      *cacheme.Bound[Shelf, Seen]
	holders    *cacheme.Bound[Holders, Seen]
	everything *cacheme.Bound[Everything, Seen]
	page       *cacheme.Bound[Page, Seen]
	noted      *cacheme.Bound[Noted, Seen]
	exact      *cacheme.Bound[Exact, Seen]
	classed    *cacheme.Bound[Classed, Seen]

	health *health
}

// newProcess opens one. tell is called from many goroutines.
func newProcess(o Order, b Broken, tell func(Record)) (p *process, err error) {
	p = &process{Order: o, clock: newClock(), lot: lot{dice: rand.New(rand.NewPCG(o.Seed, uint64(o.Number)))}}
	p.health = &health{clock: p.clock, writing: map[*write]bool{}}
	p.tell = func(r Record) {
		r.Process = o.Number
		tell(r)
	}
	if p.rdb, err = o.Redis.client(); err != nil {
		return nil, err
	}
	p.rdb.AddHook(&tap.Redis{Around: p.trip})
	rdb := p.rdb
	if b.Rules != 0 || b.Rewrite != nil {
		rdb = &guard.Client{UniversalClient: p.rdb, Rules: b.Rules, Rewrite: b.Rewrite}
	}
	p.cache, err = cacheme.New(rdb, cacheme.Options{
		Prefix: prefix, TTL: life, Hold: holdTime, Lease: leaseTime, Budget: budget, WriteBudget: 4 * budget,
		Near: cacheme.NearOptions{Lag: nearLag}, Observer: p.health.observe,
	})
	if err != nil {
		return nil, err
	}
	if err := p.cache.Register(declarations()...); err != nil {
		return nil, err
	}
	var connector driver.Connector = &tap.Connector{Connector: o.Database.connector(), Around: p.call}
	connector = bunhooks.WrapConnector(&guard.Connector{Connector: connector, Rules: b.Rules})
	// It warns of what a run does on purpose.
	quiet := bunhooks.WithLogger(slog.New(slog.DiscardHandler))
	if p.db, err = bunhooks.Install(o.Database.open(connector), p.cache, quiet); err != nil {
		return nil, err
	}
	if p.rowcache, err = rowcache.New(p.cache, p.db, rowcache.Options{TTL: life}); err != nil {
		return nil, err
	}
	if p.rows, err = rowcache.For[Thing](p.rowcache, rowcache.Model{Criteria: [][]string{{"label"}}}); err != nil {
		return nil, err
	}
	return p, p.bind()
}

func (p *process) bind() error {
	return errors.Join(
		bindTo(&p.one, p, func(ctx context.Context, n One) (Seen, error) { return loadRow[Thing](ctx, p, p.db, thingIs, n.ID) }),
		bindTo(&p.lazy, p, func(ctx context.Context, n Lazy) (Seen, error) { return loadRow[Thing](ctx, p, p.db, thingIs, n.ID) }),
		bindTo(&p.close, p, func(ctx context.Context, n Close) (Seen, error) { return loadRow[Thing](ctx, p, p.db, thingIs, n.ID) }),
		bindTo(&p.noted, p, func(ctx context.Context, n Noted) (Seen, error) { return loadRow[Note](ctx, p, p.db, noteIs, n.ID) }),
		bindTo(&p.exact, p, func(ctx context.Context, n Exact) (Seen, error) { return loadRow[Bare](ctx, p, p.db, bareIs, n.ID) }),
		bindTo(&p.classed, p, func(ctx context.Context, n Classed) (Seen, error) {
			return loadRow[Bare](ctx, p, p.db, bareIs, n.ID)
		}),
		bindTo(&p.labelled, p, p.loadLabelled),
		bindTo(&p.shelf, p, p.loadShelf),
		bindTo(&p.holders, p, p.loadHolders),
		bindTo(&p.everything, p, p.loadEverything),
		bindTo(&p.page, p, p.loadPage),
	)
}

func bindTo[N cacheme.NodeOf[Seen]](b **cacheme.Bound[N, Seen], p *process, load func(context.Context, N) (Seen, error)) (err error) {
	*b, err = cacheme.Bind(p.cache, load)
	return err
}

// trip notes that a hold is placed, and is slow at the end of one.
func (p *process) trip(ctx context.Context, t tap.Trip, send func(...redis.Cmder) error) error {
	if t.Purpose == tap.Release || t.Purpose == tap.Invalidate {
		p.pause(atEnd)
	}
	err := send(t.Cmds...)
	if w, ok := ctx.Value(underway{}).(*write); ok && t.Purpose == tap.Hold && err == nil {
		p.tell(Record{Held: &Held{Stamp: w.stamp, At: p.now()}})
	}
	return err
}

// call is slow at a COMMIT.
func (p *process) call(_ context.Context, c tap.Call, do func() error) error {
	if c.Commits() {
		p.pause(atCommit)
	}
	return do()
}

// text has the placeholders of the database's own driver.
func (p *process) text(query string) string {
	if p.Database.Kind != Postgres {
		return query
	}
	parts := strings.Split(query, "?")
	for i := range parts[:len(parts)-1] {
		parts[i] += "$" + strconv.Itoa(i+1)
	}
	return strings.Join(parts, "")
}

// run reads and writes until ctx ends.
func (p *process) run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { p.watch(ctx) })
	workers := p.Readers + p.Writers
	kinds, deeds := only(kinds, p.Reads), only(deeds, p.Deeds)
	for i := range workers {
		dice := rand.New(rand.NewPCG(p.Seed, uint64(p.Number)<<8+uint64(i)))
		all.Go(func() {
			turn := newTurns(p.Rate, workers)
			for turn.next(ctx) {
				if i < p.Readers {
					k := choose(dice, kinds)
					p.read(context.WithoutCancel(ctx), k, draw(dice, int64(k.ids)), dice)
				} else {
					p.write(context.WithoutCancel(ctx), choose(dice, deeds), dice)
					if !p.Restless {
						time.Sleep(time.Duration(dice.Int64N(int64(2 * writerRest))))
					}
				}
			}
		})
	}
	all.Wait()
}

// end closes everything, and tells what could not be delivered.
func (p *process) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s := State{Ended: true, Loads: p.loads.count()}
	err := p.cache.Close(ctx)
	if undelivered, ok := errors.AsType[*cacheme.UndeliveredError](err); ok {
		s.Lost, err = undelivered.Pending, nil
	}
	s.At = p.now()
	p.tell(Record{State: &s})
	if err := errors.Join(err, p.db.Close(), p.rdb.Close()); err != nil {
		return fmt.Errorf("end process %d: %w", p.Number, err)
	}
	return nil
}
