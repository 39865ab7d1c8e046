package kit

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// RedisCluster is a Redis Cluster of three masters with a replica each.
type RedisCluster struct {
	servers
	t   testing.TB
	ids map[*RedisServer]string
}

// clusterSlots is how many a cluster has.
const clusterSlots = 16384

// Cluster starts a cluster that is stopped when the test ends. after is for how long a master must be silent for its
// replica to take over, see [Sentinel]; a server that is started again goes by one second.
func Cluster(t testing.TB, after time.Duration) *RedisCluster {
	t.Helper()
	const masters, all = 3, 6
	c := &RedisCluster{t: t, ids: map[*RedisServer]string{}}
	for i := range all {
		s, bus := clusterNode(t)
		c.servers = append(c.servers, s)
		s.direct(t, "join the cluster", func(ctx context.Context, r *redis.Client) error {
			id, err := r.Do(ctx, "CLUSTER", "MYID").Text()
			if err != nil {
				return err
			}
			c.ids[s] = id
			// Each its own, so that no two have to find out who gives way.
			if err := r.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err(); err != nil {
				return err
			}
			if i >= masters {
				return nil
			}
			return r.ClusterAddSlotsRange(ctx, i*clusterSlots/masters, (i+1)*clusterSlots/masters-1).Err()
		})
		c.servers[0].direct(t, "meet another one", func(ctx context.Context, r *redis.Client) error {
			return r.Do(ctx, "CLUSTER", "MEET", "127.0.0.1", s.d.port, bus).Err()
		})
	}
	for i, s := range c.servers {
		await(t, "everybody knows everybody", func(ctx context.Context) error {
			if n := s.info(ctx, "cluster", "cluster_known_nodes"); n != strconv.Itoa(all) {
				return fmt.Errorf("%w: %s nodes", errNotYet, n)
			}
			return nil
		})
		if i >= masters {
			// A replica needs to have heard of its master's slots.
			c.await(s, "a replica takes its master", func(ctx context.Context, r *redis.Client) error {
				return r.ClusterReplicate(ctx, c.ids[c.servers[i-masters]]).Err()
			})
		}
	}
	for i, s := range c.servers {
		await(t, "the cluster is complete", func(ctx context.Context) error {
			if state := s.info(ctx, "cluster", "cluster_state"); state != "ok" {
				return fmt.Errorf("%w: %q", errNotYet, state)
			}
			if i < masters {
				return nil
			}
			return s.follows(ctx, c.servers[i-masters])
		})
		c.await(s, "everybody knows every replica", func(ctx context.Context, r *redis.Client) error {
			shards, err := slotsOf(ctx, r)
			for _, shard := range shards {
				if err == nil && len(shard.Nodes) != 2 {
					err = errNotYet
				}
			}
			return err
		})
	}
	for _, s := range c.servers {
		s.direct(t, "be patient", func(ctx context.Context, r *redis.Client) error {
			return r.ConfigSet(ctx, "cluster-node-timeout", strconv.FormatInt(after.Milliseconds(), 10)).Err()
		})
	}
	return c
}

func clusterNode(t testing.TB) (s *RedisServer, bus int) {
	t.Helper()
	// Its second port: Redis would take the first and 10 000, which may be an outgoing connection's.
	bus, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return Redis(t,
		"--cluster-enabled", "yes",
		"--cluster-port", strconv.Itoa(bus),
		// Who suspects early asks often, and hears of the others early.
		"--cluster-node-timeout", "1000",
		// A replica that has received nothing yet is not shown to clients.
		"--repl-ping-replica-period", "1",
		// However long it was without its master: there is no other replica to wait for.
		"--cluster-replica-validity-factor", "0",
	), bus
}

// Client returns a client of the cluster with the settings of [RedisServer.Client].
func (c *RedisCluster) Client(with ...func(*redis.Options)) redis.UniversalClient {
	r := redis.NewClusterClient(c.Options(with...))
	c.t.Cleanup(func() { _ = r.Close() }) // the test may have closed it
	return r
}

// Options are those of Client.
func (c *RedisCluster) Options(with ...func(*redis.Options)) *redis.ClusterOptions {
	o := universal(with...)
	for _, s := range c.servers {
		o.Addrs = append(o.Addrs, s.Addr())
	}
	return o.Cluster()
}

// Masters returns the servers that have slots, as one that is up sees it, in no order.
func (c *RedisCluster) Masters() (masters []*RedisServer) {
	c.t.Helper()
	seen := map[*RedisServer]bool{}
	for _, shard := range c.slots() {
		if s := c.At(shard.Nodes[0].Addr); s != nil && !seen[s] {
			seen[s] = true
			masters = append(masters, s)
		}
	}
	return masters
}

// Master returns the server that has the key.
func (c *RedisCluster) Master(key string) *RedisServer {
	c.t.Helper()
	slot := c.slotOf(key)
	for _, shard := range c.slots() {
		if shard.Start <= slot && slot <= shard.End {
			return c.At(shard.Nodes[0].Addr)
		}
	}
	c.t.Fatalf("nobody has the slot %d of %q", slot, key)
	return nil
}

// slotsOf asks a server who has which slots.
func slotsOf(ctx context.Context, r *redis.Client) ([]redis.ClusterSlot, error) {
	return r.ClusterSlots(ctx).Result() //nolint:staticcheck // CLUSTER SHARDS tells the same in more words
}

func (c *RedisCluster) slots() (shards []redis.ClusterSlot) {
	c.t.Helper()
	c.up().direct(c.t, "list the slots", func(ctx context.Context, r *redis.Client) (err error) {
		shards, err = slotsOf(ctx, r)
		return err
	})
	return shards
}

func (c *RedisCluster) slotOf(key string) (slot int) {
	c.t.Helper()
	c.up().direct(c.t, "find the slot", func(ctx context.Context, r *redis.Client) error {
		n, err := r.ClusterKeySlot(ctx, key).Result()
		slot = int(n)
		return err
	})
	return slot
}

// up returns a server that answers.
func (c *RedisCluster) up() *RedisServer {
	c.t.Helper()
	for _, s := range c.servers {
		if s.PID() != 0 && s.info(context.Background(), "cluster", "cluster_state") != "" {
			return s
		}
	}
	c.t.Fatal("no server of the cluster answers")
	return nil
}

// Failover has the replica of a master take its place in good order, and waits until the whole cluster knows.
func (c *RedisCluster) Failover(master *RedisServer) {
	c.t.Helper()
	replica := c.Replica(master)
	c.await(replica, "a failover begins", func(ctx context.Context, r *redis.Client) error { return r.ClusterFailover(ctx).Err() })
	c.AwaitFailover(master)
	await(c.t, "the old master follows the new one", func(ctx context.Context) error { return master.follows(ctx, replica) })
}

// Replica returns a server that follows the master.
func (c *RedisCluster) Replica(master *RedisServer) *RedisServer {
	c.t.Helper()
	for _, s := range c.servers {
		if s.PID() != 0 && s.info(context.Background(), "replication", "master_port") == strconv.Itoa(master.d.port) {
			return s
		}
	}
	c.t.Fatalf("nobody follows %s", master.Addr())
	return nil
}

// AwaitFailover waits until another server has the slots of old, and everybody who answers knows.
func (c *RedisCluster) AwaitFailover(old *RedisServer) {
	c.t.Helper()
	for _, s := range c.servers {
		if s.PID() == 0 || s == old {
			continue
		}
		c.await(s, "somebody else has the slots", func(ctx context.Context, r *redis.Client) error {
			shards, err := slotsOf(ctx, r)
			for _, shard := range shards {
				if err == nil && shard.Nodes[0].Addr == old.Addr() {
					err = errNotYet
				}
			}
			if err == nil && s.info(ctx, "cluster", "cluster_state") != "ok" {
				err = errNotYet
			}
			return err
		})
	}
}

// Migrate moves the slot of a key, with all that is in it, to another master, key by key as redis-cli does. between
// runs before the first key, after each, and before the slot is given over.
func (c *RedisCluster) Migrate(key string, to *RedisServer, between func()) {
	c.t.Helper()
	slot, from := c.slotOf(key), c.Master(key)
	set := func(on *RedisServer, args ...any) {
		c.t.Helper()
		on.direct(c.t, "move a slot", func(ctx context.Context, r *redis.Client) error {
			return r.Do(ctx, append([]any{"CLUSTER", "SETSLOT", slot}, args...)...).Err()
		})
	}
	set(to, "IMPORTING", c.ids[from])
	set(from, "MIGRATING", c.ids[to])
	between()
	from.direct(c.t, "move the keys of a slot", func(ctx context.Context, r *redis.Client) error {
		for {
			keys, err := r.ClusterGetKeysInSlot(ctx, slot, 10).Result()
			if err != nil || len(keys) == 0 {
				return err
			}
			for _, k := range keys {
				err := r.Migrate(ctx, "127.0.0.1", strconv.Itoa(to.d.port), k, 0, time.Second).Err()
				if err != nil && !strings.Contains(err.Error(), "NOKEY") { // it has expired
					return err
				}
				between()
			}
		}
	})
	between()
	for _, s := range append([]*RedisServer{to, from}, c.Masters()...) {
		set(s, "NODE", c.ids[to])
	}
}

// await asks one server until there is no error.
func (c *RedisCluster) await(s *RedisServer, what string, ask func(context.Context, *redis.Client) error) {
	c.t.Helper()
	await(c.t, what, func(ctx context.Context) error { return s.try(ctx, ask) })
}
