package cachetest

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
)

// Down takes Redis away until Up: connections are cut, and new ones refused. Nothing is lost of what Redis holds.
// Advance, FlushAll and Restart work all the same.
func (c *Cache) Down() { c.faults.change(func(f *faults) { f.down = true }) }

// Silent makes the network swallow everything until Up: nothing is refused, and nothing answered. A round trip then
// takes as long as its caller waits; Options.Budget is 10 s here unless the test sets it. What is still waited for when
// Redis is Up arrives late. Subscriptions still hear what others publish.
func (c *Cache) Silent() { c.faults.change(func(f *faults) { f.silent = true }) }

// Slow makes each reply take d longer, until Up. The time is the machine's: it counts against Options.Budget. Inside
// testing/synctest it costs nothing. A negative d fails the test.
func (c *Cache) Slow(d time.Duration) {
	c.t.Helper()
	if d < 0 {
		c.t.Fatalf("cachetest: Slow(%v): no reply comes before it was asked for; give a positive duration", d)
	}
	c.faults.change(func(f *faults) { f.slow = d })
}

// LoseCommands cuts the connection under each of the next n round trips before Redis has the command. A pipeline is one
// round trip. The cache is told what a client without retries tells it, which is the one that cacheme.New recommends.
// A negative n fails the test.
func (c *Cache) LoseCommands(n int) {
	c.t.Helper()
	if n < 0 {
		c.t.Fatalf("cachetest: LoseCommands(%d): give how many round trips are to be lost", n)
	}
	c.faults.change(func(f *faults) { f.commands = n })
}

// LoseReplies is LoseCommands after Redis has executed the command: the caller cannot know.
func (c *Cache) LoseReplies(n int) {
	c.t.Helper()
	if n < 0 {
		c.t.Fatalf("cachetest: LoseReplies(%d): give how many round trips are to be lost", n)
	}
	c.faults.change(func(f *faults) { f.replies = n })
}

// Lossy cuts the connection under a share of all round trips, between 0 and 1, until Up: half of them before Redis has
// the command, half after it was executed. Which ones is drawn from seed, in the order of the round trips. Another
// share fails the test.
func (c *Cache) Lossy(share float64, seed uint64) {
	c.t.Helper()
	if !(share >= 0 && share <= 1) { // NaN is neither
		c.t.Fatalf("cachetest: Lossy(%v): give a share of the round trips, from 0 to 1", share)
	}
	c.faults.change(func(f *faults) { f.share, f.random = share, rand.New(rand.NewPCG(seed, 0)) })
}

// Up ends every fault, and returns when the cache uses Redis again and has delivered what it kept. The cache looks every
// quarter of a second, so that this may take as long.
func (c *Cache) Up() {
	c.t.Helper()
	c.faults.change(func(f *faults) { f.fault = fault{} })
	if _, err := c.Hold(kitContext()); errors.Is(err, cacheme.ErrClosed) {
		return
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		better := c.seen.betterment()
		if s := c.Stats(); !s.Away && s.Pending == 0 {
			return
		}
		select {
		case <-better:
		case <-late.C:
			c.t.Fatalf("cachetest: Up: the cache does not use Redis again after %v: %+v", patience, c.Stats())
		}
	}
}

// fault is what is wrong between one client and Redis. The zero value is nothing.
type fault struct {
	down, silent      bool
	slow              time.Duration
	commands, replies int // how many are still to be lost
	share             float64
	random            *rand.Rand
}

// faults stand between one client and Redis, above its retries: those would hide a loss.
type faults struct {
	mu sync.Mutex
	fault
	changed chan struct{} // closed, and replaced, at every change
	lines   map[*line]struct{}
}

func newFaults() *faults {
	return &faults{changed: make(chan struct{}), lines: map[*line]struct{}{}}
}

func (f *faults) change(how func(*faults)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how(f)
	if f.down {
		for l := range f.lines {
			_ = l.Conn.Close()
		}
		clear(f.lines)
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *faults) any() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fault != fault{}
}

// fate is what becomes of one round trip.
type fate struct {
	command, reply bool // is lost
	slow           time.Duration
}

var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}

// reach waits while the network is silent, and draws what becomes of the round trip. It fails where Redis is down.
func (f *faults) reach(ctx context.Context) (fate, error) {
	for {
		f.mu.Lock()
		silent, changed := f.silent, f.changed
		if f.down {
			f.mu.Unlock()
			return fate{}, errRefused
		}
		if !silent {
			defer f.mu.Unlock()
			return f.draw(), nil
		}
		f.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return fate{}, ctx.Err()
		}
	}
}

func (f *faults) draw() fate {
	drawn := fate{slow: f.slow}
	switch {
	case f.commands > 0:
		f.commands--
		drawn.command = true
	case f.replies > 0:
		f.replies--
		drawn.reply = true
	case f.share > 0 && f.random.Float64() < f.share:
		drawn.command = f.random.IntN(2) == 0
		drawn.reply = !drawn.command
	}
	return drawn
}

// trip is one round trip through the faults.
func (f *faults) trip(ctx context.Context, cmds []redis.Cmder, send func() error) error {
	fail := func(err error) error {
		for _, cmd := range cmds {
			cmd.SetErr(err)
		}
		return err
	}
	drawn, err := f.reach(ctx)
	switch {
	case err != nil:
		return fail(err)
	case drawn.command:
		return fail(io.EOF)
	}
	err = send()
	if drawn.reply {
		return fail(io.EOF)
	}
	if drawn.slow > 0 {
		arrives := time.NewTimer(drawn.slow)
		defer arrives.Stop()
		select {
		case <-arrives.C:
		case <-ctx.Done():
			return fail(ctx.Err())
		}
	}
	return err
}

func (f *faults) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return f.trip(ctx, []redis.Cmder{cmd}, func() error { return next(ctx, cmd) })
	}
}

func (f *faults) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return f.trip(ctx, cmds, func() error { return next(ctx, cmds) })
	}
}

// DialHook also lets a subscription, whose messages pass no other hook, feel that Redis is down.
func (f *faults) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		f.mu.Lock()
		down := f.down
		f.mu.Unlock()
		if down {
			return nil, errRefused
		}
		conn, err := next(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		l := &line{Conn: conn, faults: f}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.lines[l] = struct{}{}
		return l, nil
	}
}

// line is one connection.
type line struct {
	net.Conn
	faults *faults
}

func (l *line) Close() error {
	l.faults.mu.Lock()
	delete(l.faults.lines, l)
	l.faults.mu.Unlock()
	return l.Conn.Close()
}
