package integration_test

import (
	"database/sql/driver"
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// The scenarios that write to a database, 01 to 03, 31 and 34 among them, where Redis is more than one server. Those that need no
// database, 04, 11, 23, 36 and 40 among them, are those of TestTopology, and a slot moves in TestMigration: with these, 33.
func TestScenario_of_a_database(t *testing.T) {
	t.Parallel()
	for _, c := range topologies {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := c.start(t) // for all of them: each has a prefix of its own
			writes.Scenarios(t, func(t testing.TB) writes.Database {
				file := writes.NewSQLiteFile(t)
				return writes.Database{
					Dialect: writes.SQLite, Bun: writes.SQLiteDialect, Redis: server,
					Connector: func() driver.Connector { return file },
				}
			})
		})
	}
}

// All servers are stopped under traffic and go on later. Expected: each Get is answered, the first ones after a budget and the
// others at once; and nothing that was written meanwhile is served old afterwards. Servers that are killed are TestFailover's.
func TestScenario_31_all_servers_stop_and_go_on(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) (suite.Server, []*kit.RedisServer){
		"single": func(t testing.TB) (suite.Server, []*kit.RedisServer) {
			s := kit.Redis(t)
			return s, []*kit.RedisServer{s}
		},
		"sentinel": func(t testing.TB) (suite.Server, []*kit.RedisServer) {
			g := kit.Sentinel(t, noFailover)
			return g, g.Servers()
		},
		"cluster": func(t testing.TB) (suite.Server, []*kit.RedisServer) {
			c := kit.Cluster(t, noFailover)
			return c, c.Servers()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, all := start(t)
			f := newFleet(t, 0, nil)
			a, b := f.join(server.Client()), f.join(server.Client())
			f.settle()
			f.run()
			for _, s := range all {
				s.Pause()
			}
			var slowest time.Duration
			reads := 0
			for began := time.Now(); time.Since(began) < 2*time.Second; reads++ {
				one := time.Now()
				f.read(a, 1)
				slowest = max(slowest, time.Since(one))
				if err := f.write(b, 2); err == nil {
					t.Error("a write was delivered to servers that are stopped")
				}
			}
			if f.away.Load() == 0 || reads < 20 {
				t.Errorf("Redis was found away %d times, and there were %d reads in two seconds", f.away.Load(), reads)
			}
			for _, s := range all {
				s.Continue()
			}
			began := time.Now()
			within(t, 20*time.Second, "what was kept is delivered", func() bool {
				return a.Stats().Pending+b.Stats().Pending == 0 && !a.Stats().Away && !b.Stats().Away
			})
			delivered := time.Since(began)
			f.end()
			t.Logf("%d reads while all were stopped, the slowest %v; all delivered after %v, all served after %v", reads, slowest, delivered, f.hits())
			f.isFresh()
		})
	}
}
