package integration_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
)

// clockFaults are the rows about clocks.
var clockFaults = []fault{
	{
		name:   "Redis's clock jumps an hour forward and back again under traffic, and an hour back and forward",
		expect: "no errors and nothing old; entries may end early, or up to an hour late; no call takes longer than a few leases",
		run:    clockJumps,
	}, {
		name:   "Redis's clock is set back an hour under the lease of a process that has died",
		expect: "others wait for a few leases, and not for the hour by which the lease now lives longer",
		run:    clockBackUnderLease,
	}, {
		name:   "Redis's clock is set back an hour under the hold of a process that has died",
		expect: "what it held is loaded at each Get, at once, and never old; it is not stored until the clock has come to the deadline again",
		run:    clockBackUnderHold,
	}, {
		name:   "Redis's clock is set an hour forward under the hold of a writer, who commits",
		expect: "the hold has lapsed, others load and store what was there before; once the write has returned nobody reads that",
		run:    clockForwardUnderHold,
	}, {
		name:   "Redis's clock is set back an hour while an old value stands in",
		expect: "no value stands in that became wrong in what is the future now",
		run:    clockBackUnderStale,
	}, {
		name:      "a process's clock is an hour off, or jumps",
		expect:    "nothing: no decision hangs on it (what the code measures it measures by the monotonic clock)",
		elsewhere: "TestRepository",
	},
}

// clockLease is short: who waits for a dead loader waits for some of them.
const clockLease = 500 * time.Millisecond

// clocked are processes on a Redis with a clock of its own, and a page whose version they read.
type clocked struct {
	t       *testing.T
	server  *kit.ClockedRedis
	prefix  string
	version atomic.Int64
}

func newClocked(t *testing.T) *clocked {
	t.Helper()
	t.Parallel()
	c := &clocked{t: t, server: kit.RedisWithClock(t), prefix: suite.Prefix()}
	c.version.Store(1)
	return c
}

func (c *clocked) process() *cacheme.Cache { return c.processOn(c.server.Client()) }

func (c *clocked) processOn(rdb redis.UniversalClient) *cacheme.Cache {
	c.t.Helper()
	return suite.NewCache(c.t, rdb, suite.Patient(cacheme.Options{Prefix: c.prefix, Hold: hold, Lease: clockLease}), page{}, pageChanged{})
}

func (c *clocked) get(ctx context.Context, by *cacheme.Cache, opts ...cacheme.CallOption) (version int64, loaded bool, err error) {
	version, err = cacheme.GetFrom(ctx, by, page{ID: 1}, func(context.Context, page) (int64, error) {
		loaded = true
		return c.version.Load(), nil
	}, opts...)
	return version, loaded, err
}

// wants fails unless a process is given the present version within some leases.
func (c *clocked) wants(by *cacheme.Cache, when string) (loaded bool) {
	c.t.Helper()
	began := time.Now()
	v, loaded, err := c.get(c.t.Context(), by)
	if err != nil || v != c.version.Load() {
		c.t.Errorf("%s: Get() = %d, %v, want %d", when, v, err, c.version.Load())
	}
	if took, limit := time.Since(began), 5*clockLease+2*time.Second; took > limit {
		c.t.Errorf("%s: Get took %v, want at most %v", when, took, limit)
	}
	return loaded
}

// loads has a process load a version in the background, and returns when its loader is at work; goOn ends that.
func (c *clocked) loads(by *cacheme.Cache, version int64) (goOn func()) {
	loading, end, gone := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = cacheme.GetFrom(context.Background(), by, page{ID: 1}, func(context.Context, page) (int64, error) {
			close(loading)
			<-end
			return version, nil
		})
	}()
	select {
	case <-loading:
	case <-gone:
		c.t.Fatal("nothing was loaded")
	}
	return sync.OnceFunc(func() { close(end); <-gone })
}

// caches waits until it is stored.
func (c *clocked) caches(by *cacheme.Cache, when string) {
	c.t.Helper()
	within(c.t, 20*time.Second, when+": it is cached", func() bool { return !c.wants(by, when) || c.t.Failed() })
}

func clockJumps(t *testing.T) {
	c := newClocked(t)
	f := newTraffic(t)
	for range 3 {
		p := c.process()
		f.reader(func(ctx context.Context) (int64, error) {
			v, _, err := c.get(ctx, p)
			return v, err
		})
	}
	p := c.process()
	f.writer(func(ctx context.Context, v int64) error {
		h, err := p.Hold(ctx, pageChanged{ID: 1})
		if err != nil {
			return err
		}
		c.version.Store(v)
		return h.Commit(ctx)
	})
	f.goesOn()
	for _, fast := range []time.Duration{time.Hour, 0, -time.Hour, 0} {
		c.server.Set(fast)
		f.goesOn()
		f.goesOn()
	}
	f.end()
	if n := f.failed.Load(); n > 0 {
		t.Errorf("%d calls failed", n)
	}
	if took, limit := time.Duration(f.slowest.Load()), 5*clockLease+2*time.Second; took > limit {
		t.Errorf("the slowest call took %v, want at most %v", took, limit)
	}
	c.caches(p, "at rest")
}

func clockBackUnderLease(t *testing.T) {
	c := newClocked(t)
	other := c.process()
	c.caches(other, "before")
	check(t, other.Invalidate(t.Context(), pageChanged{ID: 1}))
	// To all others a process whose client is closed has died.
	wire := c.server.Client()
	defer c.loads(c.processOn(wire), 0)()
	check(t, wire.Close())
	c.server.Set(-time.Hour)
	c.wants(other, "after the loader's death")
}

func clockBackUnderHold(t *testing.T) {
	c := newClocked(t)
	dead, other := c.process(), c.process()
	c.caches(other, "before")
	_, err := dead.Hold(t.Context(), pageChanged{ID: 1})
	check(t, err)
	c.version.Store(2)
	c.server.Set(-time.Hour)
	for range 5 {
		if !c.wants(other, "under the hold") {
			t.Error("it was not loaded: the writer's outcome is open")
		}
	}
	c.server.Set(0)
	time.Sleep(hold)
	c.caches(other, "after the hold")
}

func clockForwardUnderHold(t *testing.T) {
	c := newClocked(t)
	writer, other := c.process(), c.process()
	c.caches(other, "before")
	h, err := writer.Hold(t.Context(), pageChanged{ID: 1})
	check(t, err)
	c.server.Set(time.Hour)
	c.caches(other, "after the hold has lapsed")
	c.version.Store(2)
	check(t, h.Commit(t.Context()))
	c.wants(other, "after the write")
	c.caches(other, "after the write")
}

func clockBackUnderStale(t *testing.T) {
	c := newClocked(t)
	p := c.process()
	c.caches(p, "before")
	c.version.Store(2)
	check(t, p.Invalidate(t.Context(), pageChanged{ID: 1}))
	const stale = 300 * time.Millisecond
	time.Sleep(stale + 100*time.Millisecond)
	c.server.Set(-time.Hour)
	other := c.process()
	// Somebody loads, so that an old value might stand in for those who allow it.
	goOn := c.loads(p, 2)
	defer goOn()
	time.AfterFunc(200*time.Millisecond, goOn)
	v, _, err := c.get(t.Context(), other, cacheme.Stale(stale))
	if err != nil || v != 2 {
		t.Errorf("Get with Stale = %d, %v, want 2: the other has been wrong for longer", v, err)
	}
}
