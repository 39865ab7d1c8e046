package near

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/suite"
)

// item is a row, and item its version.
type item struct {
	cacheme.Node[int64]
	ID int64 `cacheme:"field"`
}

func (item) Meta() cacheme.Meta { return cacheme.Meta{Key: "item:<id>", Near: cacheme.On} }

func (i item) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{rowOf(i.ID)} }

func rowOf(id int64) cacheme.Invalid { return cacheme.Tag("row:" + strconv.FormatInt(id, 10)) }

// chain is made of rows that only the result names.
type chain struct {
	cacheme.Node[[]int64]
	First int64 `cacheme:"field"`
}

func (chain) Meta() cacheme.Meta { return cacheme.Meta{Key: "chain:<first>", Near: cacheme.On} }

// ResultInvalidNodes are the rows behind the first: the value holds their ids and versions in turn.
func (chain) ResultInvalidNodes(links []int64) (all []cacheme.Invalid) {
	for i := 0; i < len(links); i += 2 {
		all = append(all, rowOf(links[i]))
	}
	return all
}

// page is made of an item, in a load of its own, and is not near.
type page struct {
	cacheme.Node[int64]
	ID int64 `cacheme:"field"`
}

func (page) Meta() cacheme.Meta { return cacheme.Meta{Key: "page:<id>"} }

// list is a value that callers can change.
type list struct {
	cacheme.Node[[]string]
	ID int64 `cacheme:"field"`
}

func (list) Meta() cacheme.Meta { return cacheme.Meta{Key: "list:<id>", Near: cacheme.On} }

// ownList is a list of which everybody has his own.
type ownList struct {
	cacheme.Node[[]string]
	ID int64 `cacheme:"field"`
}

func (ownList) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "own:<id>", Near: cacheme.On, Copy: true}
}

// pointer is found by its key alone.
type pointer struct {
	cacheme.Node[int64]
	ID *int64 `cacheme:"field"`
}

func (pointer) Meta() cacheme.Meta { return cacheme.Meta{Key: "pointer:<id>", Near: cacheme.On} }

// brief does not live long.
type brief struct {
	cacheme.Node[int64]
	ID int64 `cacheme:"field"`
}

func (brief) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "brief:<id>", Near: cacheme.On, TTL: time.Second}
}

// maybe is not there for odd ids.
type maybe struct {
	cacheme.Node[int64]
	ID int64 `cacheme:"field"`
}

func (maybe) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "maybe:<id>", Near: cacheme.On, Negative: time.Minute}
}

// world is a source of rows and some processes that cache it.
type world struct {
	t         testing.TB
	prefix    string
	processes []*process
	rows      sync.Map // id to *atomic.Int64, the version
	loads     atomic.Int64
}

// process is a cache with a client, and connections, of its own.
type process struct {
	*cacheme.Cache
	w      *world
	rdb    redis.UniversalClient
	wire   wire
	events sync.Map // of some kinds: EventKind to the last cacheme.Event
	items  *cacheme.Bound[item, int64]
}

// broken is a rule that is out, and a way to the server for the first process. The zero value leaves all in.
type broken struct {
	rules   guard.Set
	rewrite func(name, source string) string
	first   func(*redis.Options)
}

func newWorld(t testing.TB, server suite.Server, processes int, o cacheme.Options, b broken) *world {
	t.Helper()
	w := &world{t: t, prefix: suite.Prefix()}
	o.Prefix = w.prefix
	if o.Near.Lag == 0 {
		o.Near.Lag = lag
	}
	for i := range processes {
		p := &process{w: w}
		ways := []func(*redis.Options){suite.PatientClient, p.wire.lay}
		if i == 0 && b.first != nil {
			ways = append(ways, b.first)
		}
		p.rdb = server.Client(ways...)
		o.Observer = p.observe
		p.Cache = suite.NewCache(t, &guard.Client{UniversalClient: p.rdb, Rules: b.rules, Rewrite: b.rewrite}, suite.Patient(o),
			item{}, chain{}, page{}, list{}, ownList{}, pointer{}, brief{}, maybe{})
		var err error
		if p.items, err = cacheme.Bind(p.Cache, w.load); err != nil {
			t.Fatal(err)
		}
		w.processes = append(w.processes, p)
	}
	return w
}

func (p *process) observe(_ context.Context, e cacheme.Event) {
	switch e.Kind {
	case cacheme.EventNear, cacheme.EventNearAway, cacheme.EventChanged:
		p.events.Store(e.Kind, e)
	default:
	}
}

func (w *world) row(id int64) *atomic.Int64 {
	v, _ := w.rows.LoadOrStore(id, new(atomic.Int64))
	return v.(*atomic.Int64)
}

func (w *world) load(_ context.Context, i item) (int64, error) {
	w.loads.Add(1)
	return w.row(i.ID).Load(), nil
}

// write is a write by this process that has returned.
func (p *process) write(id int64) int64 {
	p.w.t.Helper()
	v := p.w.row(id).Add(1)
	if err := p.Invalidate(context.Background(), rowOf(id)); err != nil {
		p.w.t.Error(err)
	}
	return v
}

// get is one Get.
func (p *process) get(id int64) cacheme.Result[int64] {
	p.w.t.Helper()
	r, err := p.items.GetResult(context.Background(), item{ID: id})
	if err != nil {
		p.w.t.Error(err)
	}
	return r
}

// until waits for something that has to come.
func (w *world) until(what string, is func() bool) {
	w.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		if is() {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("in 30 s it did not come to this: %s", what)
		}
	}
}

// warm brings the item near.
func (p *process) warm(id int64) {
	p.w.t.Helper()
	p.w.until("an item is near", func() bool { return p.get(id).Tier == cacheme.TierNear })
}

// sees fails unless the process comes to see at least version v in time, and stays with it.
func (p *process) sees(id, v int64, within time.Duration) {
	p.w.t.Helper()
	if took, ok := p.turns(id, v, within); !ok {
		p.w.t.Errorf("after %v it still got %d, where %d was written", took, p.get(id).Value, v)
	}
}

// turns tells how long it took.
func (p *process) turns(id, v int64, within time.Duration) (took time.Duration, ok bool) {
	began := time.Now()
	for p.get(id).Value < v {
		if took := time.Since(began); took > within {
			return took, false
		}
		time.Sleep(50 * time.Microsecond)
	}
	took = time.Since(began)
	for range 100 {
		if p.get(id).Value < v {
			return took, false
		}
	}
	return took, true
}
