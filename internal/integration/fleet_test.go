package integration_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

type pageRow struct {
	ID int64 `bun:"id,pk"`
}

type pageChanged struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}

func (pageChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*pageRow)(nil)} }

// page is a node whose value is the version of its row.
type page struct {
	cacheme.Node[int64]
	ID int64 `cacheme:"field"`
}

func (page) Meta() cacheme.Meta { return cacheme.Meta{Key: "page:<id>", TTL: 10 * time.Minute} }

func (p page) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{pageChanged{ID: p.ID}} }

// shown is how many there are: enough for all masters of a cluster.
const shown = 60

// hold is the hold time of a fleet.
const hold = time.Second

// noFailover is how long a server of a suite that wants none may be silent.
const noFailover = time.Minute

// fleet is some processes with one database, that read and write while something is done to their Redis.
type fleet struct {
	t       *testing.T
	prefix  string
	options cacheme.Options // of those who join
	caches  []*cacheme.Cache

	versions, promised []atomic.Int64                    // of each page
	written            []atomic.Int64                    // when the promised version was written, for what is too old
	own                map[*cacheme.Cache][]atomic.Int64 // what a process wrote, and has to see itself whatever others do
	reads, old         atomic.Int64
	longest            atomic.Int64 // for how long something old was served
	away               atomic.Int64 // how often a process has found Redis away
	stop               chan struct{}
	running            sync.WaitGroup
}

func newFleet(t *testing.T, processes int, client func() redis.UniversalClient) *fleet {
	t.Helper()
	return newFleetOf(t, shown, processes, cacheme.Options{Budget: 200 * time.Millisecond, WriteBudget: time.Second, Hold: hold}, client)
}

func newFleetOf(t *testing.T, pages int64, processes int, o cacheme.Options, client func() redis.UniversalClient) *fleet {
	t.Helper()
	o.Prefix = suite.Prefix()
	f := &fleet{
		t: t, prefix: o.Prefix, options: o, own: map[*cacheme.Cache][]atomic.Int64{}, stop: make(chan struct{}),
		versions: make([]atomic.Int64, pages), promised: make([]atomic.Int64, pages), written: make([]atomic.Int64, pages),
	}
	for id := range f.versions {
		f.versions[id].Store(int64(id) << versionBits)
	}
	for range processes {
		f.join(client())
	}
	return f
}

// versionBits are those of a version; in those above it is which page's it is, so that a value that came to another shows.
const versionBits = 32

// join starts a process with the defaults of an application.
func (f *fleet) join(rdb redis.UniversalClient) *cacheme.Cache {
	f.t.Helper()
	o := f.options
	o.Observer = func(_ context.Context, e cacheme.Event) {
		if e.Kind == cacheme.EventAway {
			f.away.Add(1)
		}
	}
	c := suite.NewCache(f.t, rdb, o, page{}, pageChanged{})
	f.caches = append(f.caches, c)
	f.own[c] = make([]atomic.Int64, len(f.versions))
	return c
}

// read gets a page and notes whether it was older than what had been promised before.
func (f *fleet) read(c *cacheme.Cache, id int64) (hit bool) {
	floor, since := max(f.promised[id].Load(), f.own[c][id].Load()), f.written[id].Load()
	hit = true
	v, err := cacheme.GetFrom(context.Background(), c, page{ID: id}, func(context.Context, page) (int64, error) {
		hit = false
		return f.versions[id].Load(), nil
	})
	if err != nil {
		f.t.Errorf("Get(%d) = %v: the database was there all the time", id, err)
	}
	if err == nil && v>>versionBits != id {
		f.t.Errorf("Get(%d) = a version of page %d", id, v>>versionBits)
	}
	f.reads.Add(1)
	if v < floor {
		f.old.Add(1)
		raise(&f.longest, time.Now().UnixNano()-since)
	}
	return hit
}

// write changes a page. It promises nothing to others where the invalidation is only kept.
func (f *fleet) write(c *cacheme.Cache, id int64) error {
	return f.commit(c, id, func(ctx context.Context) error { return c.Invalidate(ctx, pageChanged{ID: id}) })
}

func (f *fleet) commit(c *cacheme.Cache, id int64, tell func(context.Context) error) error {
	v := f.versions[id].Add(1)
	err := tell(context.Background())
	raise(&f.own[c][id], v)
	for last := f.promised[id].Load(); err == nil && v > last; last = f.promised[id].Load() {
		f.written[id].Store(time.Now().UnixNano())
		if f.promised[id].CompareAndSwap(last, v) {
			break
		}
	}
	return err
}

// raise makes a number at least as great.
func raise(n *atomic.Int64, to int64) {
	for last := n.Load(); to > last && !n.CompareAndSwap(last, to); last = n.Load() {
	}
}

// run has every process read and write until the end.
func (f *fleet) run() {
	for n, c := range f.caches {
		f.running.Go(func() {
			for i := int64(n); ; i++ {
				select {
				case <-f.stop:
					return
				case <-time.After(time.Millisecond): // the machine is others' too
				}
				f.read(c, i*7%shown)
				if i%10 == 0 {
					_ = f.write(c, i*3%shown) // an error by its nature, while Redis is away
				}
			}
		})
	}
}

func (f *fleet) end() {
	close(f.stop)
	f.running.Wait()
}

// settle makes entries that live: those of cold keys are kept for one hold time only.
func (f *fleet) settle() {
	f.t.Helper()
	f.hits()
	time.Sleep(hold + hold/5)
	f.hits()
}

// hits waits until every process is served every page from Redis again, and returns how long that took.
func (f *fleet) hits() time.Duration {
	f.t.Helper()
	began := time.Now()
	for n, c := range f.caches {
		for id := range int64(len(f.versions)) {
			for !f.read(c, id) {
				if time.Since(began) > 40*time.Second {
					f.t.Fatalf("after %v process %d is not served page %d", time.Since(began), n, id)
				}
			}
		}
	}
	return time.Since(began)
}
