// Package cachetest gives a test a cache of its own, on a Redis in memory whose time the test moves:
//
//	func TestShelf(t *testing.T) {
//		cache := cachetest.New(t, Shelf{}, BookChanged{})
//		cachetest.RequireInvalidates(t, cache, func() { store.Rename(ctx, 100, "Emma") },
//			cachetest.EntryOf(Shelf{User: 7}, store.LoadShelf))
//		cache.Advance(11 * time.Minute) // past the TTL, at once
//		cachetest.RequireFresh(t, cache, Shelf{User: 7}, store.LoadShelf)
//		if n := cache.LoadsOf(Shelf{User: 7}); n != 2 { ... }
//	}
//
// Down, Slow, LoseReplies and others are a Redis that misbehaves, and Explore runs readers and writers of a node in many
// orders. docs/testing.md shows each in a few lines.
//
// There is nothing to install, nothing sleeps, and nothing outlives the test. Each cache has its own server, so tests
// run in parallel.
//
// Not promised: what miniredis, which is behind it, does not have, such as eviction and Redis Cluster.
package cachetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/embedded"
	"github.com/cacheme/cacheme/internal/store"
)

// Cache is a cache of one test. It embeds the *cacheme.Cache that GetFrom, Bind and Memo take.
type Cache struct {
	*cacheme.Cache
	t      testing.TB
	server *embedded.Server
	rdb    *redis.Client
	admin  *redis.Client // the kit's own, which no fault concerns
	flow   *flow
	faults *faults
	seen   *seen
	hold   time.Duration
	record string // Redis key of the record of losses

	options      cacheme.Options
	declarations []cacheme.Declaration
}

const (
	// patience is the budget for Redis's work: on a busy machine the default would turn a hit into a load.
	patience = 10 * time.Second

	// retries are enough to find every connection of a pool that a restart has cut, and cost nothing otherwise.
	retries = 1000

	// answers is how long the replies of one pipeline may take together: one that is sent again because a busy machine was
	// slow is executed by the server beside the first.
	answers = 5 * time.Minute

	// closing bounds how long a test waits, when it ends, for loads that it left under way.
	closing = 10 * time.Second
)

// New returns a cache with default options and the given declarations on an empty server. What is wrong with the
// declarations ends the test. The cache is closed when the test ends.
func New(t testing.TB, declarations ...cacheme.Declaration) *Cache {
	t.Helper()
	return NewWith(t, cacheme.Options{}, declarations...)
}

// NewWith is New with options. Budget and WriteBudget default to 10 s here, so that no test depends on the machine's
// speed.
func NewWith(t testing.TB, o cacheme.Options, declarations ...cacheme.Declaration) *Cache {
	t.Helper()
	if o.Budget == 0 {
		o.Budget = patience
	}
	if o.WriteBudget == 0 {
		o.WriteBudget = patience
	}
	server, err := embedded.Start(embedded.Options{Clock: embedded.Manual})
	if err != nil {
		t.Fatalf("cachetest: %v", err)
	}
	t.Cleanup(server.Close)
	c := start(t, server, newFlow(server), o, declarations)
	c.settle()
	return c
}

// Peer returns another process of the fleet: a cache with the options and declarations of c on the same Redis, over
// a client of its own. What is cached or made wrong by one the other finds in Redis; faults of one are not the other's.
// It is closed when the test ends.
func (c *Cache) Peer() *Cache {
	c.t.Helper()
	p := start(c.t, c.server, c.flow, c.options, c.declarations)
	p.meet()
	return p
}

// start makes a cache on a server, and has it closed when the test ends.
func start(t testing.TB, server *embedded.Server, f *flow, o cacheme.Options, declarations []cacheme.Declaration) *Cache {
	t.Helper()
	patient := func(o *redis.Options) { o.MaxRetries, o.ReadTimeout = retries, answers }
	rdb := server.Client(patient)
	c := &Cache{
		t: t, server: server, rdb: rdb, admin: server.Client(patient), flow: f, faults: newFaults(), seen: newSeen(t, o.Observer),
		hold: o.Hold, record: o.Prefix + recordKey, options: o, declarations: declarations,
	}
	if o.Hold == 0 {
		c.hold = defaultHold
	}
	if o.Prefix == "" {
		c.record = defaultPrefix + c.record
	}
	o.Near.Watch = true
	if w, ok := t.(*World); ok {
		// What is near may be behind for as long as word of a write takes, which is no mistake of anybody's.
		o.Near.Off = true
		rdb.AddHook(trips{w: w, prefix: strings.TrimSuffix(c.record, recordKey), scripts: store.ScriptNames()})
	}
	rdb.AddHook(c.faults)
	rdb.AddHook(c.flow)
	o.Observer = c.seen.observe
	var err error
	if c.Cache, err = cacheme.New(rdb, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closing)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			t.Errorf("cachetest: close: %v", err)
		}
	})
	if err := c.Register(declarations...); err != nil {
		t.Fatal(err)
	}
	f.join(c)
	return c
}

// ofKit marks what the kit itself asks through the cache: it is no step of an exploration.
type ofKit struct{}

func kitContext() context.Context { return context.WithValue(context.Background(), ofKit{}, true) }

func isKit(ctx context.Context) bool { return ctx.Value(ofKit{}) != nil }

// recordLife is how long the record of losses lives after the last look at it.
const recordLife = 24 * time.Hour

// The defaults of cacheme.Options.
const (
	defaultHold   = 10 * time.Second
	defaultPrefix = "CM:"
	recordKey     = "meta:watch" // behind the prefix
	// recordsOfWrites begins the keys under which writes tell of themselves.
	recordsOfWrites = "meta:write:"
)

// Redis returns the client of the cache's server. It is closed when the test ends.
func (c *Cache) Redis() *redis.Client { return c.rdb }

// SetDefault makes the cache the default one, which cacheme.Get and the other package functions use, until t ends; then
// the former one is the default again. All tests of a process share the default, so t must not be parallel: SetDefault
// panics there, as t.Setenv does, and a later t.Parallel panics too.
func (c *Cache) SetDefault(t testing.TB) {
	t.Helper()
	t.Setenv("CACHETEST_DEFAULT", t.Name())
	former := cacheme.DefaultCache()
	cacheme.SetDefault(c.Cache)
	t.Cleanup(func() { cacheme.SetDefault(former) })
}

// FlushAll removes everything from the server. Half a minute passes, after which it is as trustworthy as a new one: see
// Advance for what else that does.
func (c *Cache) FlushAll() {
	c.t.Helper()
	// A cache begins the record of losses anew when it next misses it, which may be long after the half minute.
	record, err := c.admin.Get(context.Background(), c.record).Result()
	c.server.FlushAll()
	if err == nil {
		err = c.admin.Set(context.Background(), c.record, record, recordLife).Err()
	}
	if err != nil {
		c.t.Fatalf("cachetest: flush: %v", err)
	}
	c.settle()
}

// Restart restarts the server with its data: connections break, and nothing that was cached before is trusted. Half a
// minute passes, as with FlushAll.
func (c *Cache) Restart() {
	c.t.Helper()
	if err := c.server.Restart(); err != nil {
		c.t.Fatalf("cachetest: restart: %v", err)
	}
	c.settle()
}

// settle lets the server grow old enough. What is cached in the first moments of a server is kept for one hold time
// only, because nobody knows what was lost before; a test that moves the time would see that as entries that end early.
func (c *Cache) settle() {
	c.t.Helper()
	c.meet()
	c.Advance(3 * c.hold)
}

// meet makes the cache look at the server: it reads the run, begins or finds the record of losses, and learns the time.
// A hold that is taken back leaves nothing behind and counts as nothing.
func (c *Cache) meet() {
	c.t.Helper()
	if c.faults.any() || c.Stats().Away {
		return // it will, when Redis is back
	}
	ctx := kitContext()
	hold, err := c.Hold(ctx, cacheme.Tag("cachetest:clock"))
	if err == nil {
		err = hold.Rollback(ctx)
	}
	if err != nil && !errors.Is(err, cacheme.ErrClosed) {
		c.t.Fatalf("cachetest: %v", err)
	}
}
