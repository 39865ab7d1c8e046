package cacheme

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/flight"
	"github.com/cacheme/cacheme/internal/gate"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/store"
)

// Cache holds the entries of one prefix in one Redis. Make one with New; it is safe for concurrent use.
type Cache struct {
	options   Options
	store     *store.Store
	rules     guard.Set
	registry  *registry
	flights   *flight.Group[sight, beginning, *outcome]
	lists     resultLists
	own       ownWrites
	journal   *journal
	counters  counters
	loads     gate.Gate // flights and what else runs in the background
	disabled  atomic.Bool
	closed    atomic.Bool
	told      atomic.Bool // that the server is blind
	refiller  *refiller
	refresher *refresher
	verifier  *verifier // nil: nothing is verified
	near      *nearCache
	refusals  refusals
	process   string
	marked    markClock
	publisher publisher
	others    *published // of Attach: what another program declares
	closing   chan struct{}
	close     sync.Once
}

// New returns a Cache on the user's client: a *redis.Client (also for Sentinel) or a *redis.ClusterClient. The client
// stays the user's, who closes it after the Cache; New adds a dial hook to it, by which a restart of Redis is noticed.
// Nothing is sent to Redis yet.
//
// Recommended for the client: ContextTimeoutEnabled, ReadTimeout and WriteTimeout of 250 ms, MaxRetries -1. A Cache
// keeps its budgets without them, but each of its trips then costs a change of goroutine (about half as much again as a
// hit), and what it abandons holds a connection until the client's own timeout. A ClusterClient must not have been used
// before: nodes that it knows already would not be watched for restarts.
//
// A Cache pipelines by itself: callers who come while a few of its trips are on the wire share the next one. A
// *redis.AutoPipeliner works too, and makes a caller who is alone slower: it bounds nothing by a context, and hands each
// command to another goroutine.
func New(rdb redis.UniversalClient, o Options) (*Cache, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if rdb == nil {
		return nil, &UsageError{Node: "cacheme.New", Reason: "got no Redis client; give it a *redis.Client or *redis.ClusterClient"}
	}
	if _, ring := rdb.(*redis.Ring); ring {
		return nil, &UsageError{Node: "cacheme.New", Reason: "got a *redis.Ring, whose servers know nothing of each other; use a *redis.ClusterClient"}
	}
	if why := unfit(rdb); why != "" {
		return nil, &UsageError{Node: "cacheme.New", Reason: why}
	}
	c := &Cache{options: o, registry: newRegistry(), flights: flight.New[sight, beginning, *outcome](), closing: make(chan struct{})}
	c.disabled.Store(o.Disabled)
	c.lists = newResultLists()
	c.refusals = newRefusals()
	c.process = processName()
	c.publisher = newPublisher()
	c.journal = newJournal(c)
	c.refiller = newRefiller(c)
	c.refresher = newRefresher(c)
	c.verifier = newVerifier(c)
	c.store = store.New(rdb, store.Options{
		Prefix:    o.Prefix,
		Hold:      o.Hold,
		Budget:    o.Budget,
		Replicas:  o.WaitReplicas,
		OnReturn:  c.journal.deliverAll,
		OnBreaker: c.onBreaker,
	})
	c.rules = c.store.Rules()
	c.near = newNear(c)
	c.flights.Patience = o.Budget
	c.flights.ShareEarlierTrips = c.rules.Off(guard.TripSentAfterArrival)
	return c, nil
}

func (c *Cache) onBreaker(open bool, why error) {
	kind := EventBack
	if open {
		kind = EventAway
	}
	c.tell(context.Background(), Event{Kind: kind, Err: why})
}

// Disable stops reads and fills: Get calls its loader, and loads under way are not stored. Invalidations go on, so that
// Enable finds nothing old.
func (c *Cache) Disable() { c.disabled.Store(true) }

// Enable ends Disable.
func (c *Cache) Enable() { c.disabled.Store(false) }

// Enabled reports whether reads and fills happen.
func (c *Cache) Enabled() bool { return !c.disabled.Load() && !c.closed.Load() }

// Close ends what the Cache does in the background. Loads under way end first, also those that ran into LoadTimeout and
// whose loader still runs, up to the end of ctx; and invalidations that are still kept are tried once more: those that
// cannot be delivered are told by an *UndeliveredError. After Close, Get calls its loader and writes return ErrClosed.
// The user's client stays open. A second Close is harmless.
func (c *Cache) Close(ctx context.Context) error {
	c.closed.Store(true)
	c.close.Do(func() { close(c.closing) })
	err := c.loads.Close(ctx)
	err = errors.Join(err, c.near.Close(ctx))
	err = errors.Join(err, c.journal.close(ctx))
	return errors.Join(err, c.store.Close(ctx))
}

// defaultCache is what the package-level functions use.
var defaultCache atomic.Pointer[Cache]

// SetDefault makes c the cache that Get and the other package-level functions use, as slog.SetDefault does for
// loggers. Call it at start-up.
func SetDefault(c *Cache) { defaultCache.Store(c) }

// DefaultCache returns the cache given to SetDefault, or nil.
func DefaultCache() *Cache { return defaultCache.Load() }

func mustHaveDefault() (*Cache, error) {
	if c := defaultCache.Load(); c != nil {
		return c, nil
	}
	return nil, &UsageError{Node: "cacheme", Reason: "has no default cache; call cacheme.SetDefault(cache) at start-up, or use GetFrom"}
}

// purse is what is left of a budget of time.
type purse struct{ left time.Duration }

// freeKeys is how many keys or scripts a budget is meant for.
const freeKeys = 100

// allow gives a thousandth of the budget for each further key or script of a trip: what is large takes longer.
func (p *purse) allow(n int, budget time.Duration) {
	if p.left > 0 && n > freeKeys {
		p.left += time.Duration(n-freeKeys) * (budget / 1000)
	}
}

// writePurse is the budget of a write to n keys.
func (c *Cache) writePurse(n int) purse {
	money := purse{c.options.WriteBudget}
	money.allow(n, c.options.WriteBudget)
	return money
}

// spendInBatches is spend for a write to keys, whose pipelines are bounded: the socket's own timeout, which a client
// may have, is for each.
func spendInBatches[T any](p *purse, keys []string, trip func(budget time.Duration, batch []string) (T, error)) ([]T, error) {
	var all []T
	for batch := range slices.Chunk(keys, deliverBatch) {
		v, err := spend(p, func(budget time.Duration) (T, error) { return trip(budget, batch) })
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// spend runs a round trip on the purse; one that is empty buys nothing.
func spend[T any](p *purse, trip func(budget time.Duration) (T, error)) (T, error) {
	if p.left <= 0 {
		var none T
		return none, store.ErrAway
	}
	began := time.Now()
	v, err := trip(p.left)
	p.left -= time.Since(began)
	return v, err
}
