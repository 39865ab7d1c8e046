package cachetest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/embedded"
)

// Advance lets d pass at once, for the server and for the cache: entries expire, leases and holds end. Apart from that
// the server's time goes on with the machine's. Keep in mind that an entry's TTL is shortened by up to a tenth, and that
// a load under way loses its lease, and so is not stored, when more than Options.Lease passes. A negative d fails the
// test.
func (c *Cache) Advance(d time.Duration) {
	c.t.Helper()
	if d < 0 {
		c.t.Fatalf("cachetest: Advance(%v): time goes forwards; give a positive duration", d)
	}
	// The record of losses lives a day after the last look at it; without it everything that is cached next is kept for
	// one hold time only. A fleet that runs for days looks now and then, a test that skips them does not.
	if err := c.admin.Persist(context.Background(), c.record).Err(); err != nil {
		c.t.Fatalf("cachetest: %v", err)
	}
	c.flow.skip(d)
	if err := c.admin.Expire(context.Background(), c.record, recordLife).Err(); err != nil {
		c.t.Fatalf("cachetest: %v", err)
	}
	for _, process := range c.flow.processes() {
		process.meet()
	}
}

// flow makes the server's time go on with the machine's: before each command it is set to what it is by then. A time
// that stood still would look to the cache like a clock that was set back while it loaded, and a value whose result
// depends on something would not be stored.
type flow struct {
	server *embedded.Server
	mu     sync.Mutex
	last   time.Time
	fleet  []*Cache // all processes on the server, each of which keeps a clock of its own
}

func newFlow(s *embedded.Server) *flow { return &flow{server: s, last: time.Now()} }

func (f *flow) join(c *Cache) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fleet = append(f.fleet, c)
}

func (f *flow) processes() []*Cache {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.fleet)
}

// skip lets d pass beside what has passed since the last command.
func (f *flow) skip(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	f.server.Advance(now.Sub(f.last) + d)
	f.last = now
}

func (f *flow) DialHook(next redis.DialHook) redis.DialHook { return next }

func (f *flow) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		f.skip(0)
		return next(ctx, cmd)
	}
}

func (f *flow) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		f.skip(0)
		return next(ctx, cmds)
	}
}
