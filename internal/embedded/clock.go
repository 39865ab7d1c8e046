package embedded

import (
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// Clock says what moves a Server's TIME and TTLs.
type Clock int

const (
	// Real follows time.Now. TTLs pass in steps of 100 ms: a key may expire up to 100 ms before its time, never
	// after it by more than that.
	Real Clock = iota

	// Manual stands still, at the time of Start, until Advance moves it.
	Manual
)

// tick is the step in which TTLs pass on a real clock. Each step walks all keys (about 4 ms at 20 000 of them), which
// is why it is not shorter, and why miniredis's own ClockTTL, which walks them at every command, is not used here.
const tick = 100 * time.Millisecond

// clock moves the time of one miniredis.
type clock struct {
	kind Clock
	mini *miniredis.Miniredis

	mu  sync.Mutex
	now time.Time // Manual only

	quit    chan struct{}
	stopped sync.WaitGroup
	once    sync.Once
}

func newClock(kind Clock, m *miniredis.Miniredis) (*clock, error) {
	c := &clock{kind: kind, mini: m, quit: make(chan struct{})}
	switch kind {
	case Real:
		c.stopped.Go(c.follow)
	case Manual:
		// Redis tells microseconds, so Now tells no more than that.
		c.now = time.Now().Truncate(time.Microsecond)
		m.SetTime(c.now)
		// With a clock that stands still ClockTTL walks the keys once per Advance, and it moves TIME and TTLs in one
		// step; SetTime with FastForward would let a command in between see one without the other.
		m.ClockTTL(true)
	default:
		return nil, fmt.Errorf("embedded: unknown clock %d", kind)
	}
	return c, nil
}

func (c *clock) follow() {
	t := time.NewTicker(tick)
	defer t.Stop()
	last := time.Now()
	for {
		select {
		case <-c.quit:
			return
		case <-t.C:
			now := time.Now()
			c.mini.FastForward(now.Sub(last))
			last = now
		}
	}
}

func (c *clock) stop() {
	c.once.Do(func() { close(c.quit) })
	c.stopped.Wait()
}

// Now returns the server's time, as TIME would tell it.
func (s *Server) Now() time.Time {
	if s.clock.kind == Real {
		return time.Now()
	}
	s.clock.mu.Lock()
	defer s.clock.mu.Unlock()
	return s.clock.now
}

// Advance moves TIME, in scripts too, and all TTLs by d in one step. A negative d sets the clock back, as an
// operator might, and leaves TTLs alone. It panics unless the clock is Manual: a real clock cannot be moved.
func (s *Server) Advance(d time.Duration) {
	if s.clock.kind != Manual {
		panic("embedded: Advance of a server whose clock is not Manual")
	}
	s.clock.mu.Lock()
	defer s.clock.mu.Unlock()
	s.clock.now = s.clock.now.Add(d)
	s.mini.SetTime(s.clock.now)
}
