package torture

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/integration/kit"
)

// The topologies of a Redis.
const (
	Single   = "single"
	Sentinel = "sentinel"
	Cluster  = "cluster"
)

// suspicion is for how long a server must be silent to be replaced: longer than a busy machine lets one wait.
const suspicion = 4 * time.Second

// place is the Redis of a run, with a proxy in front of each server for each process.
type place struct {
	t        testing.TB
	topology string
	servers  []*kit.RedisServer
	sentinel *kit.SentinelGroup
	cluster  *kit.RedisCluster
	base     Way
	proxies  [][]*kit.Proxy // by slot of a process
}

func newPlace(t testing.TB, topology string, slots int) *place {
	t.Helper()
	p := &place{t: t, topology: topology}
	switch topology {
	case Single:
		p.servers = []*kit.RedisServer{kit.Redis(t)}
		p.base.Addrs = []string{p.servers[0].Addr()}
	case Sentinel:
		p.sentinel = kit.Sentinel(t, suspicion)
		p.servers = p.sentinel.Servers()
		o := p.sentinel.Options()
		p.base.Addrs, p.base.Master = o.SentinelAddrs, o.MasterName
	case Cluster:
		p.cluster = kit.Cluster(t, suspicion)
		p.servers = p.cluster.Servers()
		p.base.Addrs, p.base.Cluster = p.cluster.Options().Addrs, true
	default:
		t.Fatalf("no topology is called %q: single, sentinel or cluster", topology)
	}
	for range slots {
		var all []*kit.Proxy
		for _, s := range p.servers {
			all = append(all, kit.NewProxy(t, s.Addr()))
		}
		p.proxies = append(p.proxies, all)
	}
	return p
}

// way is how the process in a slot comes to Redis.
func (p *place) way(slot int) Way {
	w := p.base
	w.Through = map[string]string{}
	for i, s := range p.servers {
		w.Through[s.Addr()] = p.proxies[slot][i].Addr()
	}
	return w
}

// masters are the servers that are written to.
func (p *place) masters() []*kit.RedisServer {
	switch p.topology {
	case Sentinel:
		return []*kit.RedisServer{p.sentinel.Primary()}
	case Cluster:
		return p.cluster.Masters()
	default:
		return p.servers
	}
}

// on does something on one server.
func (p *place) on(s *kit.RedisServer, what string, do func(ctx context.Context, c *redis.Client) error) {
	p.t.Helper()
	const patience = 20 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := redis.NewClient(&redis.Options{Addr: s.Addr(), DialTimeout: patience, ReadTimeout: patience, WriteTimeout: patience})
	defer c.Close()
	if err := do(ctx, c); err != nil {
		p.t.Errorf("%s at %s: %v", what, s.Addr(), err)
	}
}

// awaitReplica waits until a server follows another one, and has what that has.
func (p *place) awaitReplica(s *kit.RedisServer) {
	p.t.Helper()
	p.on(s, "become a replica", func(ctx context.Context, c *redis.Client) error {
		for {
			info, err := c.InfoMap(ctx, "replication").Result()
			if err == nil && info["Replication"]["role"] == "slave" && info["Replication"]["master_link_status"] == "up" {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
}
