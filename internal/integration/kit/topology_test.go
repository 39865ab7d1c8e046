package kit_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/integration/kit"
)

// written waits until a topology takes a write again, through a client that follows it.
func written(t *testing.T, c redis.UniversalClient, key string) {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	var err error
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); <-again.C {
		if err = c.Set(t.Context(), key, "v", 0).Err(); err == nil {
			return
		}
		if cluster, ok := c.(*redis.ClusterClient); ok {
			cluster.ReloadState(t.Context())
		}
	}
	t.Fatalf("SET %s = %v", key, err)
}

func TestSentinel_fails_over_when_told_and_when_its_primary_dies(t *testing.T) {
	t.Parallel()
	g := kit.Sentinel(t, time.Second)
	c := g.Client()
	must(t, c.Set(t.Context(), "k", "v", 0).Err())
	first := g.Primary()
	g.Failover()
	second := g.Primary()
	if second == first {
		t.Fatal("the primary after a failover is the one before")
	}
	written(t, c, "k")
	second.Kill()
	if third := g.AwaitFailover(second); third == second || third.PID() == 0 {
		t.Errorf("the primary after a kill is %s, which is dead", third.Addr())
	}
	written(t, c, "k")
}

func TestCluster_finds_masters_fails_over_and_migrates(t *testing.T) {
	t.Parallel()
	cl := kit.Cluster(t, time.Second)
	if n := len(cl.Masters()); n != 3 {
		t.Fatalf("%d masters, want 3", n)
	}
	c := cl.Client()
	for _, key := range []string{"a", "b", "c", "{a}2"} {
		written(t, c, key)
	}

	from := cl.Master("a")
	to := cl.Masters()[0]
	if to == from {
		to = cl.Masters()[1]
	}
	steps := 0
	cl.Migrate("a", to, func() { steps++; written(t, c, "{a}3") })
	if cl.Master("a") != to || steps < 4 { // two keys at least, and before and after
		t.Errorf("after a migration in %d steps %s has the slot, want %s", steps, cl.Master("a").Addr(), to.Addr())
	}
	if got := c.Get(t.Context(), "{a}2").Val(); got != "v" {
		t.Errorf("GET of what was moved = %q", got)
	}

	cl.Failover(to)
	if cl.Master("a") == to {
		t.Error("the old master still has its slots after a failover")
	}
	written(t, c, "a")
	dead := cl.Master("a")
	dead.Kill()
	cl.AwaitFailover(dead)
	written(t, c, "a")
	dead.Start()
	if cl.Master("a") == dead {
		t.Error("who comes back takes its slots back")
	}
}

func TestTopologies_are_flushed(t *testing.T) {
	t.Parallel()
	g, cl := kit.Sentinel(t, time.Minute), kit.Cluster(t, time.Minute)
	for _, c := range []redis.UniversalClient{g.Client(), cl.Client()} {
		must(t, c.Set(t.Context(), "a", "v", 0).Err())
		must(t, c.Set(t.Context(), "b", "v", 0).Err())
	}
	g.Flush(t)
	cl.Flush(t)
	for _, c := range []redis.UniversalClient{g.Client(), cl.Client()} {
		if n := c.DBSize(t.Context()).Val(); n != 0 {
			t.Errorf("%d keys after a flush", n)
		}
	}
}
