package integration_test

import (
	"sync"
	"testing"

	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/store/storetest"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/console"
	"github.com/cacheme/cacheme/internal/suite/cost"
	"github.com/cacheme/cacheme/internal/suite/freshness"
	"github.com/cacheme/cacheme/internal/suite/herd"
	"github.com/cacheme/cacheme/internal/suite/hostile"
	"github.com/cacheme/cacheme/internal/suite/near"
	"github.com/cacheme/cacheme/internal/suite/outage"
	"github.com/cacheme/cacheme/internal/suite/scenarios"
)

// topology is a way to run Redis on more than one server. A single server has the tests under the suites' own names.
type topology struct {
	name  string
	start func(testing.TB) several
}

// several is a Redis on more than one server.
type several interface {
	suite.Server
	Flush(testing.TB)
}

var topologies = []topology{
	{"sentinel", func(t testing.TB) several { return kit.Sentinel(t, noFailover) }},
	{"cluster", func(t testing.TB) several { return kit.Cluster(t, noFailover) }},
}

// TestTopology holds the same cache to the same suites where Redis is more than one server.
func TestTopology(t *testing.T) {
	t.Parallel()
	for _, c := range topologies {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			open := lend(t, c.start)
			for _, s := range []suiteRun{
				{"scenario", scenarios.Run},
				{"near", near.Run},
				{"console", console.Run},
			} {
				t.Run(s.name, func(t *testing.T) {
					t.Parallel()
					s.run(t, open)
				})
			}
		})
	}
}

// TestTopology_alone runs the suites that take minutes, or measure time and memory, one after the other: in full runs only.
func TestTopology_alone(t *testing.T) {
	if !suite.Torture() {
		t.Skip("not run: only in make torture")
	}
	for _, c := range topologies {
		t.Run(c.name, func(t *testing.T) {
			open := lend(t, c.start)
			for _, s := range []suiteRun{{"freshness", freshness.Run}, {"cost", cost.Run}, {"hostile", hostile.Run}, {"herd", herd.Run}, {"outage", outage.Run}} {
				t.Run(s.name, func(t *testing.T) { s.run(t, open) })
			}
			t.Run("store", func(t *testing.T) {
				storetest.Run(t, func(t testing.TB) storetest.Server { return open(t) })
			})
		})
	}
}

// suiteRun is one suite.
type suiteRun struct {
	name string
	run  func(*testing.T, suite.Open)
}

// lend gives each test a set of servers for itself alone, empty. They last as long as t and go from test to test: a set
// takes seconds to start. There are never more than run at once.
func lend(t *testing.T, start func(testing.TB) several) suite.Open {
	t.Helper()
	var mu sync.Mutex
	var free []several
	return func(user testing.TB) suite.Server {
		user.Helper()
		mu.Lock()
		defer mu.Unlock()
		if len(free) == 0 {
			free = append(free, start(t))
		}
		server := free[0]
		free = free[1:]
		user.Cleanup(func() {
			mu.Lock()
			defer mu.Unlock()
			free = append(free, server)
		})
		server.Flush(user)
		return server
	}
}
