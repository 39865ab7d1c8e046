package integration_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/store"
	"github.com/cacheme/cacheme/internal/suite"
)

// suspicion is after how long a silent server of these tests is replaced.
const suspicion = time.Second

// A master is killed under traffic. Expected: every Get is answered, none with a value that was older than promised,
// since another run of Redis is another epoch; and all is served from Redis again within seconds, although the client
// of a cluster goes on dialling the dead node.
func TestFailover_of_a_master_that_is_killed_serves_nothing_old(t *testing.T) {
	t.Parallel()
	t.Run("sentinel", func(t *testing.T) {
		t.Parallel()
		g := kit.Sentinel(t, suspicion)
		killed(t, func() redis.UniversalClient { return g.Client() }, func(string) {
			dead := g.Primary()
			dead.Kill()
			g.AwaitFailover(dead)
		})
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		c := kit.Cluster(t, suspicion)
		killed(t, func() redis.UniversalClient { return c.Client() }, func(prefix string) {
			dead := c.Master(prefix + "{page:1}")
			dead.Kill()
			c.AwaitFailover(dead)
		})
	})
}

func killed(t *testing.T, client func() redis.UniversalClient, kill func(prefix string)) {
	t.Helper()
	f := newFleet(t, 3, client)
	f.hits()
	f.run()
	began := time.Now()
	kill(f.prefix)
	took := time.Since(began)
	time.Sleep(time.Second) // traffic on the new master
	f.end()
	back := f.hits()
	t.Logf("replaced after %v, everything served again %v later; %d reads", took, back, f.reads.Load())
	f.isFresh()
	if limit := 15 * time.Second; back > limit {
		t.Errorf("everything was served again after %v, want at most %v", back, limit)
	}
}

// A slot moves under traffic, the keys of one page and of its row among them. Expected: nothing old, and the cache stays
// warm: no master is another one. While an entry is here and its lease there, scripts on both are refused (TRYAGAIN), which is no
// reason to leave all other slots alone.
func TestMigration_of_slots_during_traffic_serves_nothing_old(t *testing.T) {
	t.Parallel()
	c := kit.Cluster(t, suspicion)
	f := newFleet(t, 3, func() redis.UniversalClient { return c.Client() })
	f.hits()
	f.run()
	for _, key := range []string{f.prefix + "{page:1}", f.prefix + "row:page_rows:1:invalid", f.prefix + "{page:2}"} {
		from := c.Master(key)
		for _, to := range c.Masters() {
			if to != from {
				c.Migrate(key, to, func() {
					// What is asked for now has its entry on one side and its lease on none.
					_ = f.write(f.caches[0], 1)
					for range 10 {
						f.read(f.caches[1], 1)
					}
				})
				break
			}
		}
	}
	f.end()
	if n := f.away.Load(); n != 0 {
		t.Errorf("Redis was taken for away %d times while a slot moved", n)
	}
	t.Logf("everything served again after %v; %d reads", f.hits(), f.reads.Load())
	f.isFresh()
}

// A master of a cluster loses an invalidation that it had acknowledged, since its replica had not received it, and is
// killed. Expected: the replica's old token and old entry are of another epoch, also where the client was connected to
// the replica before.
func TestFailover_that_loses_an_invalidation_starts_cold(t *testing.T) {
	isNeeded(t, guard.EpochKnowsMasters, losesInvalidation)
}

// isNeeded holds that nothing old is served by a rule, and that something is without it.
func isNeeded(t *testing.T, rule guard.Rule, servesOld func(*testing.T, guard.Set) bool) {
	t.Helper()
	t.Parallel()
	t.Run("by the rule", func(t *testing.T) {
		t.Parallel()
		if servesOld(t, 0) {
			t.Error("what is old was served")
		}
	})
	t.Run("without it", func(t *testing.T) {
		t.Parallel()
		if !servesOld(t, guard.Without(rule)) {
			t.Error("without the rule nothing old was served: nothing was shown")
		}
	})
}

// losesInvalidation reports whether something old was served.
func losesInvalidation(t *testing.T, rules guard.Set) bool {
	t.Helper()
	cl := kit.Cluster(t, suspicion)
	rdb := cl.Client(func(o *redis.Options) { o.MaxRetries = 3 })
	f := newFleet(t, 1, func() redis.UniversalClient { return &guard.Client{UniversalClient: rdb, Rules: rules} })
	cluster, _ := rdb.(*redis.ClusterClient)
	f.hits()
	// Pipelines have connections of their own, and the map of slots is asked for on others.
	check(t, cluster.ForEachShard(t.Context(), func(ctx context.Context, node *redis.Client) error {
		_, err := node.Pipelined(ctx, func(pipe redis.Pipeliner) error { return pipe.Ping(ctx).Err() })
		return errors.Join(err, node.Ping(ctx).Err())
	}))
	f.settle()

	key, err := f.caches[0].KeyOf(pageChanged{ID: 1})
	check(t, err)
	token := f.prefix + "row:" + key + ":invalid"
	before, dead := rdb.Get(t.Context(), token).Val(), cl.Master(token)
	loseLink(t, dead, func() { check(t, f.write(f.caches[0], 1)) })
	cl.AwaitFailover(dead)
	if after := kit.Admin(t, cl.Master(token).Addr()).Get(t.Context(), token).Val(); after != before {
		t.Fatalf("the new master has the token %q, want the one before the write, %q", after, before)
	}
	cluster.ReloadState(t.Context())
	time.Sleep(300 * time.Millisecond) // for the client, which reloads in the background
	f.read(f.caches[0], 1)
	return f.old.Load() > 0
}

// loseLink does something on a server whose replica does not hear of it, and kills the server.
func loseLink(t *testing.T, dead *kit.RedisServer, do func()) {
	t.Helper()
	rdb := kit.Admin(t, dead.Addr())
	check(t, rdb.Do(t.Context(), "ACL", "SETUSER", "default", "-psync", "-sync").Err()) // it would be back at once
	check(t, rdb.Do(t.Context(), "CLIENT", "KILL", "TYPE", "replica").Err())
	do()
	dead.Kill()
}

// A primary is replaced, follows the new one, and comes into office again, all in one run of its process. What it had
// acknowledged at the end of its first time is lost. Expected: its second time is another epoch.
func TestFailover_and_back_is_another_epoch(t *testing.T) {
	isNeeded(t, guard.EpochHoldsReplication, failsBack)
}

// failsBack reports whether something old was served.
func failsBack(t *testing.T, rules guard.Set) bool {
	t.Helper()
	a := kit.Redis(t)
	b := a.Replica(t)
	onA, onB := kit.Admin(t, a.Addr()), kit.Admin(t, b.Addr())
	f := newFleet(t, 1, func() redis.UniversalClient { return &guard.Client{UniversalClient: a.Client(), Rules: rules} })
	f.settle()
	check(t, onA.Do(t.Context(), "WAIT", 1, 200).Err())
	check(t, onB.ReplicaOf(t.Context(), "NO", "ONE").Err())
	check(t, f.write(f.caches[0], 1)) // only a has it

	b.Leads(a)
	within(t, 30*time.Second, "a follows b", func() bool {
		return onA.InfoMap(t.Context(), "replication").Item("Replication", "master_link_status") == "up"
	})
	check(t, onA.ReplicaOf(t.Context(), "NO", "ONE").Err())
	check(t, onA.Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err()) // as a sentinel does
	f.read(f.caches[0], 1)
	return f.old.Load() > 0
}

// An operator has the sentinels replace a primary that lives. Expected, and the end of P1 that docs/promises.md tells of:
// who still reaches the old primary is served what it holds, until a sentinel makes it a replica, which refuses him: that
// takes ten seconds. Where the caches wait for replicas, it is a second.
func TestFailover_leaves_a_window_to_those_who_still_reach_the_old_primary(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		waits int
		limit time.Duration
	}{{"nobody waits", 0, 15 * time.Second}, {"one replica of two", 1, bound}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := kit.Sentinel(t, 5*time.Second)
			f := newFleet(t, 0, nil)
			f.options.WaitReplicas = c.waits
			rdb := g.Client()
			follower, first := f.join(rdb), g.Primary()
			behind := f.join(kit.Client(t, first.Addr())) // hears nothing of sentinels
			f.settle()
			g.Failover()
			began := time.Now()
			// Clients are told by a sentinel, which does that when all replicas follow the new primary. Until then they write where
			// everybody reads.
			_, port, _ := strings.Cut(g.Primary().Addr(), ":")
			within(t, 20*time.Second, "the client goes to the new primary", func() bool {
				return rdb.ConfigGet(t.Context(), "port").Val()["port"] == port
			})
			moved := time.Since(began)
			// Its first calls fail with the connections that it had.
			within(t, 20*time.Second, "somebody can write at the new primary", func() bool { return f.write(follower, 1) == nil })
			f.read(follower, 1)
			f.isFresh()
			for last := time.Now(); time.Since(last) < 2*time.Second; time.Sleep(20 * time.Millisecond) {
				if f.read(behind, 1) {
					last = time.Now()
				}
				if time.Since(began) > 30*time.Second {
					t.Fatal("the old primary is still served from")
				}
			}
			old := time.Duration(f.longest.Load())
			t.Logf("the client moved after %v; who still reached the old primary was served what is old for %v", moved, old)
			if old > c.limit {
				t.Errorf("old for %v, want at most %v", old, c.limit)
			}
			if c.waits == 0 && old < 2*time.Second {
				t.Errorf("old for %v only: docs/promises.md tells of ten seconds", old)
			}
		})
	}
}

// A client that leads to a replica is told so, by the event of the first failure, and its Gets load.
func TestReplica_is_refused(t *testing.T) {
	t.Parallel()
	g := kit.Sentinel(t, suspicion)
	o := g.Options()
	o.ReplicaOnly = true
	rdb := redis.NewFailoverClient(o)
	t.Cleanup(func() { _ = rdb.Close() })
	told := make(chan error, 1)
	c := suite.NewCache(t, rdb, cacheme.Options{Prefix: suite.Prefix(), Budget: time.Second, Observer: func(_ context.Context, e cacheme.Event) {
		if e.Kind == cacheme.EventAway {
			told <- e.Err
		}
	}}, page{}, pageChanged{})
	for i := range int64(4) {
		v, err := cacheme.GetFrom(t.Context(), c, page{ID: 1}, func(context.Context, page) (int64, error) { return i, nil })
		if err != nil || v != i {
			t.Errorf("Get() = %d, %v from a replica, want what was loaded: %d", v, err, i)
		}
	}
	select {
	case err := <-told:
		if !errors.Is(err, store.ErrReplica) {
			t.Errorf("the event's error = %v, want %v", err, store.ErrReplica)
		}
	case <-time.After(10 * time.Second):
		t.Error("nobody was told")
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
