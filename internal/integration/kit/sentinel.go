package kit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// SentinelGroup is a primary with two replicas, and three sentinels that watch it.
type SentinelGroup struct {
	servers
	t        testing.TB
	watchers []Server
}

// watched is the name under which sentinels know the group.
const watched = "main"

// Sentinel starts a group that is stopped when the test ends. after is for how long the primary must be silent for the
// sentinels to replace it: a second for a test that kills it, many for one that shall not see a failover because the
// machine was busy. Each arg is a piece of extra configuration of the servers, as for [Redis].
func Sentinel(t testing.TB, after time.Duration, args ...string) *SentinelGroup {
	t.Helper()
	g := &SentinelGroup{t: t}
	primary := Redis(t, args...)
	g.servers = servers{primary}
	host, port := "127.0.0.1", strconv.Itoa(primary.d.port)
	for range 2 {
		replica := primary.Replica(t, args...)
		g.servers = append(g.servers, replica)
		// Sentinels ask the primary for its replicas now, and then only every ten seconds.
		await(t, "a replica has what the primary has", func(ctx context.Context) error { return replica.follows(ctx, primary) })
	}
	for range 3 {
		g.watchers = append(g.watchers, startSentinel(t, host, port, after))
	}
	for i := range g.watchers {
		g.ask(i, "the sentinels know each other and the replicas", func(ctx context.Context, s *redis.SentinelClient) error {
			seen, err := s.Master(ctx, watched).Result()
			if err == nil && (seen["num-slaves"] != "2" || seen["num-other-sentinels"] != "2") {
				err = fmt.Errorf("%w: %s replicas, %s others", errNotYet, seen["num-slaves"], seen["num-other-sentinels"])
			}
			return err
		})
	}
	return g
}

func startSentinel(t testing.TB, host, port string, after time.Duration) Server {
	const name = "redis-server"
	path := require(t, name)
	return serve(t, &daemon{
		name: "redis-sentinel",
		dir:  t.TempDir(),
		quit: syscall.SIGTERM,
		drop: syscall.SIGKILL,
		ping: ping,
		command: func(d *daemon) []string {
			// A sentinel keeps what it learns in its configuration file, so that is written once.
			file := filepath.Join(d.dir, "sentinel-"+strconv.Itoa(d.port)+".conf")
			if _, err := os.Stat(file); err != nil {
				text := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\n", d.port, d.dir) +
					fmt.Sprintf("sentinel monitor %s %s %s 2\n", watched, host, port) +
					fmt.Sprintf("sentinel down-after-milliseconds %s %d\n", watched, after.Milliseconds()) +
					fmt.Sprintf("sentinel failover-timeout %s 5000\nsentinel parallel-syncs %s 2\n", watched, watched)
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Errorf("the sentinel's configuration: %v", err)
				}
			}
			return []string{path, file, "--sentinel"}
		},
	})
}

// Client returns a client that asks the sentinels for the primary, with the settings of [RedisServer.Client].
func (g *SentinelGroup) Client(with ...func(*redis.Options)) redis.UniversalClient {
	c := redis.NewFailoverClient(g.Options(with...))
	g.t.Cleanup(func() { _ = c.Close() }) // the test may have closed it
	return c
}

// Options are those of Client.
func (g *SentinelGroup) Options(with ...func(*redis.Options)) *redis.FailoverOptions {
	o := universal(with...)
	o.MasterName = watched
	for _, w := range g.watchers {
		o.Addrs = append(o.Addrs, w.Addr())
	}
	return o.Failover()
}

// Primary returns the server that the sentinels call so.
func (g *SentinelGroup) Primary() *RedisServer {
	g.t.Helper()
	var primary *RedisServer
	g.ask(0, "there is a primary", func(ctx context.Context, s *redis.SentinelClient) error {
		addr, err := s.GetMasterAddrByName(ctx, watched).Result()
		if err != nil {
			return err
		}
		if primary = g.At(addr[0] + ":" + addr[1]); primary == nil {
			return fmt.Errorf("it is said to be %v", addr)
		}
		return nil
	})
	return primary
}

// Failover has the sentinels make a replica the primary, as an operator does, and waits for it. For ten seconds more
// the old one takes it that it is the primary, until a sentinel tells it.
func (g *SentinelGroup) Failover() {
	g.t.Helper()
	old := g.Primary()
	g.ask(0, "a failover begins", func(ctx context.Context, s *redis.SentinelClient) error {
		return s.Failover(ctx, watched).Err()
	})
	g.AwaitFailover(old)
}

// AwaitFailover waits until another server than old is the primary, for all sentinels and for itself.
func (g *SentinelGroup) AwaitFailover(old *RedisServer) (primary *RedisServer) {
	g.t.Helper()
	for i := range g.watchers {
		g.ask(i, "there is another primary", func(ctx context.Context, s *redis.SentinelClient) error {
			addr, err := s.GetMasterAddrByName(ctx, watched).Result()
			if err != nil {
				return err
			}
			primary = g.At(addr[0] + ":" + addr[1])
			if primary == nil || primary == old || primary.info(ctx, "replication", "role") != "master" {
				return errNotYet
			}
			return nil
		})
	}
	return primary
}

// follows tells why a server is no replica of the primary that has its data; nil: it is.
func (s *RedisServer) follows(ctx context.Context, primary *RedisServer) error {
	if port := s.info(ctx, "replication", "master_port"); port != strconv.Itoa(primary.d.port) {
		return fmt.Errorf("%w: it follows %q", errNotYet, port)
	}
	if link := s.info(ctx, "replication", "master_link_status"); link != "up" {
		return fmt.Errorf("%w: its link is %q", errNotYet, link)
	}
	return nil
}

func (g *SentinelGroup) ask(i int, what string, f func(context.Context, *redis.SentinelClient) error) {
	g.t.Helper()
	s := redis.NewSentinelClient(&redis.Options{Addr: g.watchers[i].Addr(), MaxRetries: -1})
	defer func() { _ = s.Close() }() // nothing is left to lose
	await(g.t, what, func(ctx context.Context) error { return f(ctx, s) })
}
