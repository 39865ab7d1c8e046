// Package storetest is the conformance suite of the Redis side of the protocol: every rule that a script or a round
// trip of internal/store has to keep, one subtest a sentence, against any Redis. Broken shows that the suite would
// notice if a rule were gone.
package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/embedded"
	"github.com/cacheme/cacheme/internal/guard"
)

// Server is one running Redis.
type Server interface {
	Client(with ...func(*redis.Options)) redis.UniversalClient // closed when the server is
}

// Open starts a Redis of the test's own, which ends with the test.
type Open func(t testing.TB) Server

// Mover is a Server whose clock a test moves by hand. On any other the suite waits for time to pass.
type Mover interface {
	Pass(d time.Duration) // moves TIME and all TTLs forward, or back if d is negative
}

// Restarter is a Server that can end its run and begin another one on the same data.
type Restarter interface{ Restart() error }

// group is the checks of one subject.
type group struct {
	name   string
	checks []check
}

// check is one rule, told as a sentence.
type check struct {
	name  string
	needs need
	run   func(w *world)
}

// need is what a check asks of its server.
type need int

const (
	anything     need = iota
	ownServer         // nobody else's keys, scripts or epoch
	movedClock        // a Mover
	ownClock          // a clock that runs by itself
	restarts          // a Restarter
	realMemory        // MEMORY USAGE as Redis itself counts it
	oneServer         // what was lost can be told: no cluster
	oneOwnServer      // both
)

func groups() []group {
	return []group{
		touching(), invalidating(), holding(), marking(), lapsing(), leasing(), filling(), waking(), readingLate(),
		epochs(), losing(), garbage(), keeping(), scanning(), breaking(),
	}
}

// Run holds a Redis to every rule.
func Run(t *testing.T, open Open) {
	// Most checks are apart by their prefix. A clock that is moved by hand moves for everybody.
	shared := open(t)
	_, moved := shared.(Mover)
	for _, g := range groups() {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range g.checks {
				if !c.needs.met(shared) {
					continue
				}
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					server := shared
					if moved || c.needs != anything && c.needs != oneServer {
						server = open(t)
					}
					c.run(newWorld(t, server, 0, nil))
				})
			}
		})
	}
}

// Blind holds a Redis without INFO to what the suite asks of one.
func Blind(t *testing.T, open Open) {
	for _, c := range blindness() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(newWorld(t, open(t), 0, nil))
		})
	}
}

func (n need) met(server Server) bool {
	switch _, inside := server.(embedded.Universal); n {
	case movedClock:
		_, ok := server.(Mover)
		return ok
	case ownClock:
		_, ok := server.(Mover)
		return !ok
	case restarts:
		_, ok := server.(Restarter)
		return ok
	case oneServer, oneOwnServer:
		rdb := server.Client()
		defer func() { _ = rdb.Close() }() // nothing is left to lose
		_, spread := rdb.(*redis.ClusterClient)
		return !spread
	case realMemory:
		_, moved := server.(Mover)
		return !inside && !moved
	}
	return true
}

// find returns the check of that name.
func find(t testing.TB, name string) check {
	t.Helper()
	for _, g := range groups() {
		if i := slices.IndexFunc(g.checks, func(c check) bool { return c.name == name }); i >= 0 {
			return g.checks[i]
		}
	}
	t.Fatalf("the suite has no check %q", name)
	return check{}
}

// without runs a check against a store that lacks something, and returns how it failed; empty: it did not.
func without(t *testing.T, server Server, c check, rules guard.Set, rewrite func(name, source string) string) string {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.run(newWorld(r, server, rules, rewrite))
	}()
	<-done
	return r.text()
}
