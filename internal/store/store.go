// Package store is the Redis side of the freshness protocol: tokens, leases, entries, and what has to be known of the
// server to trust them. It moves bytes and judges nothing but whether a reply may be believed; when an entry may be
// served is decided by its caller.
//
// Every method is one round trip on a single server (a pipeline counts as one), bounded by a budget of time even where
// the user's client has no timeouts, and skipped while the breaker is open. On Redis Cluster a pipeline fans out to
// the masters, and every script touches one slot.
package store

import (
	"context"
	"embed"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/gate"
	"github.com/cacheme/cacheme/internal/guard"
)

// Options of a Store. Prefix and Hold are required.
type Options struct {
	Prefix string        // of every key
	Hold   time.Duration // how long a writer may keep the outcome of a dependency open
	Budget time.Duration // of most reads; any other costs a timer of its own
	// Replicas is how many have to have what is written, and to follow the primary that is read from. 0: nobody asks them.
	Replicas int
	// OnReturn runs when Redis answers again, before anybody else may use it. An error keeps the breaker open.
	OnReturn func() error
	// OnBreaker is told when the breaker opens, and by which failure, and when it closes.
	OnBreaker func(open bool, why error)
}

// Store talks to one Redis: a single server, a Sentinel group or a Cluster. It is safe for concurrent use.
type Store struct {
	rdb     redis.UniversalClient
	cluster *redis.ClusterClient // rdb, if it is one
	prefix  string
	// heedsContext: the client itself ends a trip at its deadline.
	heedsContext bool
	deadlines    deadlines
	workers      workers
	rules        guard.Set
	scripts      scripts
	epoch        epochKeeper
	replicas     replicas
	clock        clockKeeper
	breaker      breaker
	wakes        wakeFeed
	nearChannel  string
	reads        gather[[]string, Values]
	begins       gather[beginnings, []Begun]
	fills        gather[[]Fill, []Filled]
	lives        lives
	places       sync.Pool     // maps of the keys of a shared read, cleared
	hold         atomic.Int64  // milliseconds; the greatest of the fleet
	slot         atomic.Uint64 // of the last record of a write
	gate         gate.Gate
}

// New returns a Store over the user's client. It adds a dial hook to the client, which stays there.
func New(rdb redis.UniversalClient, o Options) *Store {
	rdb, rules, rewrite := guard.Unwrap(rdb)
	s := &Store{rdb: rdb, prefix: o.Prefix, nearChannel: o.Prefix + "meta:near", rules: rules, scripts: compile(rewrite)}
	s.clock.base = time.Now()
	s.deadlines.budget = o.Budget
	s.workers.init()
	s.places.New = func() any { return make(map[string]int, readRoom) }
	s.heedsContext = heedsContext(rdb)
	s.cluster, _ = rdb.(*redis.ClusterClient)
	s.hold.Store(o.Hold.Milliseconds())
	s.slot.Store(rand.Uint64N(slots))
	if o.OnReturn == nil {
		o.OnReturn = func() error { return nil }
	}
	if o.OnBreaker == nil {
		o.OnBreaker = func(bool, error) {}
	}
	s.breaker.init(s, o.OnReturn, o.OnBreaker)
	s.wakes.init(rdb, o.Prefix+"wake")
	s.replicas.want, s.replicas.patience = o.Replicas, patienceOf(rdb)
	s.epoch.watch(rdb, s.cluster, rules, o.Replicas > 0)
	s.reads = gather[[]string, Values]{
		s: s, lanes: readLanes, crowd: readCrowd, room: readRoom,
		size: func(keys []string) int { return len(keys) }, one: s.read, all: s.readTogether,
	}
	s.begins = gather[beginnings, []Begun]{
		s: s, lanes: beginLanes, crowd: beginLanes, room: beginRoom,
		size: beginnings.size, one: s.begin, all: s.beginTogether,
	}
	s.fills = gather[[]Fill, []Filled]{
		s: s, lanes: fillLanes, crowd: fillLanes, room: bytesOfCall,
		size: sizeOfFills, one: s.fill, all: s.fillTogether,
	}
	return s
}

// Rules returns the rules of the protocol that a test has switched off.
func (s *Store) Rules() guard.Set { return s.rules }

// Close ends the wake feed and waits, up to the end of ctx, for round trips that are still under way. The user's
// client stays open.
func (s *Store) Close(ctx context.Context) error {
	s.breaker.close()
	s.deadlines.close()
	s.wakes.close()
	err := s.gate.Close(ctx)
	s.workers.close(err == nil)
	return err
}

// Hold returns the hold time in force: the greatest that any process of the prefix has asked for.
func (s *Store) Hold() time.Duration { return time.Duration(s.hold.Load()) * time.Millisecond }

func (s *Store) raiseHold(ms int64) {
	for {
		old := s.hold.Load()
		if ms <= old || s.hold.CompareAndSwap(old, ms) {
			return
		}
	}
}

// Keys in Redis: an entry is <prefix>{<main>} or <prefix>{<main>}><field>, its lease ends in :lease, a token is
// <prefix><kind>:<key>:invalid. The braces put an entry, its lease and all parts of a main key in one slot, and keep
// entries apart from whatever else has the prefix: no rendered key holds a brace.

// EntryKey returns the Redis key of an entry whose key is main, or main>field.
func (s *Store) EntryKey(main, field string) string {
	if field == "" {
		return s.prefix + "{" + main + "}"
	}
	return s.prefix + "{" + main + "}>" + field
}

const (
	leaseSuffix = ":lease"
	tokenSuffix = ":invalid"
)

// LeaseKey returns the Redis key of the lease of an entry.
func LeaseKey(entry string) string { return entry + leaseSuffix }

// TokenKey returns the Redis key of a dependency, <kind>:<key>.
func (s *Store) TokenKey(dependency string) string { return s.prefix + dependency + tokenSuffix }

// AppendEntry writes the key of an entry's lease, which begins with that of the entry. main appends the main key. It
// returns where the main key and the entry's key end; both begin right behind what dst held.
func (s *Store) AppendEntry(dst []byte, field string, main func(dst []byte) ([]byte, error)) (b []byte, e EntryEnds, err error) {
	b = append(append(dst, s.prefix...), '{')
	e.MainBegin = len(b)
	if b, err = main(b); err != nil {
		return dst, e, err
	}
	e.MainEnd = len(b)
	b = append(b, '}')
	if field != "" {
		b = append(append(b, '>'), field...)
	}
	e.EntryEnd = len(b)
	return append(b, leaseSuffix...), e, nil
}

// EntryEnds are places in what AppendEntry wrote.
type EntryEnds struct{ MainBegin, MainEnd, EntryEnd int }

// AppendTokenPrefix and AppendTokenSuffix write what stands before and behind a dependency in TokenKey; TokenName takes
// both off again.
func (s *Store) AppendTokenPrefix(dst []byte) []byte { return append(dst, s.prefix...) }

// AppendTokenSuffix is the counterpart of AppendTokenPrefix.
func AppendTokenSuffix(dst []byte) []byte { return append(dst, tokenSuffix...) }

// TokenName returns the dependency whose token key is key.
func (s *Store) TokenName(key string) string {
	return key[len(s.prefix) : len(key)-len(tokenSuffix)]
}

// TokenNameOf is TokenName without a Store, of a key under a prefix that may be no token's.
func TokenNameOf(prefix, key string) (dependency string, ok bool) {
	rest, found := strings.CutPrefix(key, prefix)
	dependency, ok = strings.CutSuffix(rest, tokenSuffix)
	return dependency, found && ok
}

// DisplayKey turns the Redis key of an entry into the key as its template renders it, main or main>field.
func (s *Store) DisplayKey(entry string) (key string, ok bool) {
	rest, found := strings.CutPrefix(entry, s.prefix+"{")
	main, field, closed := strings.Cut(rest, "}")
	if !found || !closed || strings.HasSuffix(field, leaseSuffix) {
		return "", false
	}
	return main + field, true
}

//go:embed lua/*.lua
var sources embed.FS

type scripts struct {
	sources                                                            []string
	begin, invalidate, hold, release, renew, wait, fill, remove, watch *redis.Script
}

func compile(rewrite func(name, source string) string) scripts {
	var all []string
	load := func(name string, shared ...string) *redis.Script {
		var text strings.Builder
		for _, file := range append(shared, name) {
			b, err := sources.ReadFile("lua/" + file + ".lua")
			if err != nil {
				panic(err) // the file is compiled in
			}
			text.Write(b)
		}
		all = append(all, rewrite(name, text.String()))
		return redis.NewScript(all[len(all)-1])
	}
	s := scripts{
		begin:      load("begin", "token", "lease"),
		invalidate: load("invalidate", "token"),
		hold:       load("hold", "token"),
		release:    load("release", "token"),
		renew:      load("renew", "lease"),
		wait:       load("wait", "lease"),
		fill:       load("fill", "lease"),
		remove:     load("remove"),
		watch:      load("watch"),
	}
	s.sources = all
	return s
}
