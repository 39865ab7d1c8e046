package integration_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
)

// Processes that speak RESP2 and RESP3 are one fleet, on each topology.
func TestProtocols_are_one_fleet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		start func(testing.TB) suite.Server
	}{
		{"single", func(t testing.TB) suite.Server { return kit.Redis(t) }},
		{"sentinel", func(t testing.TB) suite.Server { return kit.Sentinel(t, noFailover) }},
		{"cluster", func(t testing.TB) suite.Server { return kit.Cluster(t, noFailover) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := c.start(t)
			f := newFleet(t, 0, nil)
			for protocol := 2; protocol <= 3; protocol++ {
				rdb := server.Client(func(o *redis.Options) { o.Protocol = protocol })
				if spoken := fmt.Sprint(rdb.Do(t.Context(), "HELLO").Val()); protocol == 3 != (len(spoken) > 3 && spoken[:3] == "map") {
					t.Errorf("a client of protocol %d is answered %s", protocol, spoken)
				}
				f.join(rdb)
			}
			f.settle()
			f.run()
			time.Sleep(500 * time.Millisecond)
			f.end()
			f.hits()
			f.isFresh()
		})
	}
}
