// Package scenarios tells the acceptance scenarios of a bookstore that need no database: list pages, slow loaders,
// herds, expiry, callbacks, tags, patterns, planted entries, tenants. Each test bears the number of its scenario, or, in
// the second part, of the ancestors' behaviour that it keeps. Writes are told to the cache by hand here; where bun sees
// them by itself is the matter of other suites.
package scenarios

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// Run tells all of them.
func Run(t *testing.T, open suite.Open) {
	for _, s := range []struct {
		name string
		tell func(*testing.T, suite.Open)
	}{
		{"04 list page", listPage},
		{"11 slow loader", slowLoader},
		{"14 cold visitors", coldVisitors},
		{"16 loader error", loaderError},
		{"17 stale", staleServing},
		{"19 TTL", expiry},
		{"21 skip", skip},
		{"22 hit and miss", hitAndMiss},
		{"23 tags", tags},
		{"24 patterns", patterns},
		{"26 node", nodes},
		{"27 from instances", fromInstances},
		{"36 planted entries", plantedEntries},
		{"36 mixed fleet", mixedFleet},
		{"40 tenants", tenants},
		{"B5 parts of one thing", parts},
		{"B12 same arguments same key", sameArguments},
		{"B13 invalid nodes of an entry", invalidNodes},
		{"B18 TTL and invalidation", ttlAndInvalidation},
		{"B22 log", logLine},
		{"B26 waiting", waiting},
		{"B27 expired stands in", expiredStandsIn},
		{"B28 removing", removing},
		{"B29 invalidating a class", invalidatingAClass},
		{"B31 fields", fields},
		{"B32 meta", metaOfANode},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.tell(t, open)
		})
	}
}

// soon bounds what has to happen, on however busy a machine.
const soon = 20 * time.Second

// a holds the cache of one process, and what tests ask of it.
type process struct {
	*cacheme.Cache
	t   testing.TB
	rdb redis.UniversalClient
}

// start starts a process of the bookstore on a server.
func start(t testing.TB, server suite.Server, o cacheme.Options, more ...cacheme.Declaration) *process {
	t.Helper()
	rdb := server.Client(suite.PatientClient)
	p := &process{t: t, rdb: rdb, Cache: suite.NewCache(t, rdb, suite.Patient(o), everything()...)}
	if err := p.Register(more...); err != nil {
		t.Fatal(err)
	}
	return p
}

// invalidate makes wrong what depends on the nodes.
func (p *process) invalidate(invalids ...cacheme.Invalid) {
	p.t.Helper()
	if err := p.Invalidate(context.Background(), invalids...); err != nil {
		p.t.Fatalf("Invalidate(%v) = %v", invalids, err)
	}
}

// get is a Get that has to succeed.
func get[N cacheme.NodeOf[V], V any](p *process, node N, load func(context.Context, N) (V, error), opts ...cacheme.CallOption) V {
	p.t.Helper()
	return result(p, node, load, opts...).Value
}

func result[N cacheme.NodeOf[V], V any](p *process, node N, load func(context.Context, N) (V, error), opts ...cacheme.CallOption) cacheme.Result[V] {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	r, err := resultIn(ctx, p, node, load, opts...)
	if err != nil {
		p.t.Fatalf("Get(%+v) = %v", node, err)
	}
	return r
}

func resultIn[N cacheme.NodeOf[V], V any](ctx context.Context, p *process, node N, load func(context.Context, N) (V, error), opts ...cacheme.CallOption) (cacheme.Result[V], error) {
	b, err := cacheme.Bind(p.Cache, load)
	if err != nil {
		return cacheme.Result[V]{}, err
	}
	return b.GetResult(ctx, node, opts...)
}

// warm gets until the value comes from the cache: an entry that depends on its result may need two loads.
func warm[N cacheme.NodeOf[V], V any](p *process, node N, load func(context.Context, N) (V, error)) {
	p.t.Helper()
	for range 4 {
		if result(p, node, load).Tier == cacheme.TierRedis {
			return
		}
	}
	p.t.Fatalf("%+v does not become an entry", node)
}

// peek looks into the cache without loading.
func peek[N cacheme.NodeOf[V], V any](p *process, node N) (cacheme.Result[V], error) {
	b, err := cacheme.Bind(p.Cache, func(context.Context, N) (v V, err error) { return v, errors.New("peek loads") })
	if err != nil {
		return cacheme.Result[V]{}, err
	}
	return b.Peek(context.Background(), node)
}

// await waits until something holds that another goroutine, or Redis's time, brings about.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(soon)
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("%s: not within %v", what, soon)
		case <-again.C:
		}
	}
}

// want compares what was got with what was meant.
func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// stored returns the keys in Redis that match a pattern.
func stored(p *process, pattern string) []string {
	p.t.Helper()
	keys, err := suite.Keys(context.Background(), p.rdb, pattern)
	if err != nil {
		p.t.Fatalf("KEYS %s: %v", pattern, err)
	}
	return keys
}

// exist returns how many of some keys are in Redis.
func exist(p *process, keys ...string) int {
	p.t.Helper()
	n, err := suite.Exist(context.Background(), p.rdb, keys...)
	if err != nil {
		p.t.Fatalf("EXISTS %v: %v", keys, err)
	}
	return n
}
