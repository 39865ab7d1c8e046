// Package outage holds the promise that the cache is never the outage: with a Redis that refuses, swallows or answers
// after a second, reads come from the loader in time, writes go on and are delivered later, and everything finds back
// by itself. It is run with a client as recommended and with one as go-redis makes it by default, whose timeouts are
// seconds and which does not heed a context.
package outage

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

// Run runs the suite on a Redis. If the Server that open returns is a [Wire] as well, that is what gets broken;
// otherwise the suite puts one of its own into the dialer of the clients.
func Run(t *testing.T, open suite.Open) {
	// Alone: it counts the goroutines of the process.
	t.Run("the end", func(t *testing.T) { recovers(t, open) })
	t.Run("a deadline of the caller", func(t *testing.T) { deadlines(t, open) })
	t.Run("writes that fail while reads do not", func(t *testing.T) { writesFail(t, open) })
	// Beside each other: of their time they use little, and wait for a Redis that does not answer.
	t.Run("a read", func(t *testing.T) {
		t.Parallel()
		reads(t, open)
	})
	t.Run("a write", func(t *testing.T) {
		t.Parallel()
		writes(t, open)
	})
}

// Wire is the way to a Redis, which breaks on command.
type Wire interface {
	ByWire(*redis.Options) // has a client take this way, which it otherwise does not
	Refuse()               // connections are cut, new ones refused
	BlackHole()            // nothing arrives in either direction, and nobody is told
	Delay(d time.Duration) // replies arrive later
	Heal() error
}

// broken is one way in which Redis is away.
type broken struct {
	name string
	by   func(Wire)
}

var ways = []broken{
	{"refused", Wire.Refuse},
	{"black-holed", Wire.BlackHole},
	{"1 s slow", func(w Wire) { w.Delay(time.Second) }},
}

// settings are how a client may be made.
var settings = []struct {
	name string
	set  func(*redis.Options)
}{
	{"recommended", func(o *redis.Options) {
		*o = redis.Options{
			Addr: o.Addr, Dialer: o.Dialer, ContextTimeoutEnabled: true, MaxRetries: -1,
			ReadTimeout: 250 * time.Millisecond, WriteTimeout: 250 * time.Millisecond,
		}
	}},
	{"default", func(o *redis.Options) { *o = redis.Options{Addr: o.Addr, Dialer: o.Dialer} }},
}

// each runs a test for each way to be away and each client: one after the other, unless the test is parallel, since most measure.
func each(t *testing.T, open suite.Open, test func(t *testing.T, w *world, way broken)) {
	for _, way := range ways {
		for _, setting := range settings {
			t.Run(way.name+", "+setting.name+" client", func(t *testing.T) {
				test(t, newWorld(t, open, setting.set), way)
			})
		}
	}
}

type shopRow struct {
	ID int64 `bun:"id,pk"`
}

// Price is what the suite caches.
type Price struct {
	cacheme.Node[int64]
	Shop int64 `cacheme:"field"`
}

// Meta is the declaration.
func (Price) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "shop:<shop>:price", TTL: 10 * time.Minute}
}

// InvalidNodes names the shop's row.
func (p Price) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{ShopChanged{ID: p.Shop}} }

// Found is the same with a dependency that is known only by its result.
type Found struct {
	cacheme.Node[int64]
	Shop int64 `cacheme:"field"`
}

// Meta is the declaration.
func (Found) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "shop:<shop>:found", TTL: 10 * time.Minute}
}

// ResultInvalidNodes names the shop's row.
func (f Found) ResultInvalidNodes(int64) []cacheme.Invalid {
	return []cacheme.Invalid{ShopChanged{ID: f.Shop}}
}

// Lasting is the same with a value that may stand in.
type Lasting struct {
	cacheme.Node[int64]
	Shop int64 `cacheme:"field"`
}

// Meta is the declaration.
func (Lasting) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "shop:<shop>:lasting", TTL: 10 * time.Minute, Stale: 10 * time.Minute, StaleIfError: 10 * time.Minute}
}

// InvalidNodes names the shop's row.
func (l Lasting) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{ShopChanged{ID: l.Shop}} }

// ShopChanged is one row.
type ShopChanged struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (ShopChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*shopRow)(nil)} }

// world is a Redis, the way to it, a database of one number, and the caches of some processes.
type world struct {
	t      testing.TB
	server suite.Server
	wire   Wire
	set    func(*redis.Options)
	prefix string
	row    atomic.Int64 // what the database holds
	cold   atomic.Int64 // the last shop that nobody had asked for
	events events
}

func newWorld(t testing.TB, open suite.Open, set func(*redis.Options)) *world {
	t.Helper()
	w := &world{t: t, server: open(t), set: set, prefix: suite.Prefix()}
	w.row.Store(1)
	w.cold.Store(100)
	wire, ok := w.server.(Wire)
	if !ok {
		wire = newWire(t)
	}
	w.wire = wire
	return w
}

// client returns a client whose way to Redis breaks.
func (w *world) client(with ...func(*redis.Options)) redis.UniversalClient {
	return w.server.Client(append([]func(*redis.Options){w.wire.ByWire, w.set}, with...)...)
}

func declarations() []cacheme.Declaration {
	return []cacheme.Declaration{Price{}, Found{}, Lasting{}, ShopChanged{}}
}

// cache returns a cache on a client of w, with the budgets of o or the defaults. Its end is the test's business: in
// these tests Close has something to tell.
func (w *world) cache(rdb redis.UniversalClient, o cacheme.Options) *cacheme.Cache {
	w.t.Helper()
	o.Prefix, o.Observer = w.prefix, w.events.see
	c, err := cacheme.New(rdb, o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		_ = w.wire.Heal() // so that what was abandoned on the way ends
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_ = c.Close(ctx) // the tests that expect something of it call it themselves
	})
	if err := c.Register(declarations()...); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// read is the loader.
func (w *world) read(context.Context, Price) (int64, error) { return w.row.Load(), nil }

func (w *world) get(c *cacheme.Cache) int64 {
	w.t.Helper()
	v, err := cacheme.GetFrom(context.Background(), c, Price{Shop: 1}, w.read)
	if err != nil {
		w.t.Fatalf("Get() = %v, want the loader's answer", err)
	}
	return v
}

// eventually waits for a condition that background work brings about.
func (w *world) eventually(what string, holds func() bool) {
	w.t.Helper()
	deadline := time.After(30 * time.Second)
	for !holds() {
		select {
		case <-deadline:
			w.t.Fatalf("within 30 s it did not happen that %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// warm makes a cache that has a connection and an entry.
func (w *world) warm(o cacheme.Options) *cacheme.Cache {
	w.t.Helper()
	c := w.cache(w.client(), o)
	w.eventually("the first value is cached", func() bool {
		w.get(c)
		return c.Stats().Hits > 0
	})
	return c
}

// events remembers what a cache told.
type events struct {
	mu   sync.Mutex
	seen []cacheme.Event
}

func (e *events) see(_ context.Context, event cacheme.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen = append(e.seen, event)
}

func (e *events) count(kind cacheme.EventKind) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, event := range e.seen {
		if event.Kind == kind {
			n++
		}
	}
	return n
}

// order returns the events of some kinds, in their order.
func (e *events) order(kinds ...cacheme.EventKind) (out []cacheme.EventKind) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, event := range e.seen {
		for _, kind := range kinds {
			if event.Kind == kind {
				out = append(out, kind)
			}
		}
	}
	return out
}

// within measures something up to five times, until it keeps within its limit: what another program does on the machine
// in one moment is not the cache's doing.
func within(t testing.TB, what string, measure func() (took, limit time.Duration)) {
	t.Helper()
	var took, limit time.Duration
	for range 5 {
		if took, limit = measure(); took <= limit+slack() || t.Failed() {
			return
		}
	}
	t.Errorf("%s took %v, five times in a row more than %v and %v for the machine", what, took, limit, slack())
}

// slack is what a busy machine may add to a time that the cache promises.
func slack() time.Duration {
	if raceDetector {
		return 500 * time.Millisecond
	}
	return 25 * time.Millisecond
}
