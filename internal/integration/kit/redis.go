// Package kit starts real servers for the integration suites and breaks them on purpose: kill, pause, restart on the
// same data, and a proxy that refuses, delays, swallows or tears.
//
// [Redis], [Sentinel], [Cluster], [NewPostgresServer] and [NewMariaDBServer] give a test servers of its own. A database
// server takes a second to start, so [Postgres] and [MariaDB] give a test a fresh database on a server that the whole test
// binary shares; that one is started by its first user and stopped by [Main].
//
// Everything runs on free loopback ports with its data in a temporary folder, is stopped when the test or the binary
// ends, and on Linux dies with the test process however that one ends. What is not installed is skipped, see [Require].
// Functions that take no error back fail the test; like t.Fatal they are called from the test's own goroutine.
// It needs a Unix.
package kit

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// RedisServer is one redis-server of a test.
type RedisServer struct {
	Server
}

// Redis starts a redis-server that is stopped when the test ends. Each arg is a piece of extra configuration as on its
// command line: Redis(t, "--maxmemory", "4mb"). It saves nothing by itself, see [RedisServer.Save], unless the args
// say so. Without redis-server installed the test is skipped, see [Require].
func Redis(t testing.TB, args ...string) *RedisServer {
	t.Helper()
	return serveRedis(t, newRedis(t, args))
}

// serveRedis starts a server that everybody has to have left when the test ends.
func serveRedis(t testing.TB, d *daemon) *RedisServer {
	t.Helper()
	s := &RedisServer{serve(t, d)}
	t.Cleanup(s.isLeft)
	return s
}

// Replica starts a server that follows this one. It need not have heard of it yet when this returns.
func (s *RedisServer) Replica(t testing.TB, args ...string) *RedisServer {
	t.Helper()
	return Redis(t, append([]string{"--replicaof", "127.0.0.1 " + strconv.Itoa(s.d.port)}, args...)...)
}

// Leads makes another server follow this one from now on.
func (s *RedisServer) Leads(other *RedisServer) {
	s.t.Helper()
	other.direct(s.t, "follow another one", func(ctx context.Context, c *redis.Client) error {
		return c.ReplicaOf(ctx, "127.0.0.1", strconv.Itoa(s.d.port)).Err()
	})
}

// newRedis is a server that is yet to be started.
func newRedis(t testing.TB, args []string) *daemon {
	t.Helper()
	const name = "redis-server"
	path := require(t, name)
	return &daemon{
		name: name,
		dir:  t.TempDir(),
		quit: syscall.SIGTERM,
		drop: syscall.SIGKILL,
		ping: ping,
		command: func(d *daemon) []string {
			return append([]string{
				path,
				"--port", strconv.Itoa(d.port),
				"--bind", "127.0.0.1",
				"--dir", d.dir,
				"--save", "",
				"--appendonly", "no",
				// A replica that a suite attaches shall not wait for others.
				"--repl-diskless-sync-delay", "0",
			}, args...)
		},
	}
}

// isLeft fails the test if somebody is still connected when all who used the server have closed their clients. A server
// that does not answer at the end of its test is not asked.
func (s *RedisServer) isLeft() {
	s.t.Helper()
	const soon = 5 * time.Second // a server hears of an end a little later
	var left []string
	for end := time.Now().Add(soon); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		var err error
		if left, err = s.strangers(); err != nil || len(left) == 0 {
			return
		}
	}
	s.t.Errorf("connections to %s that nobody has closed:\n%s", s.Addr(), strings.Join(left, "\n"))
}

// strangers are the connections of clients; those of other servers and of sentinels last as long as they, or for a while.
func (s *RedisServer) strangers() (all []string, err error) {
	if s.d.run == nil {
		return nil, errNotYet
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err = s.try(ctx, func(ctx context.Context, c *redis.Client) error {
		one := c.Conn()
		defer func() { _ = one.Close() }()
		own, err := one.ClientID(ctx).Result()
		if err != nil {
			return err
		}
		list, err := one.ClientList(ctx).Result()
		for line := range strings.Lines(list) {
			server := strings.Contains(line, " flags=S") || strings.Contains(line, " flags=M") || strings.Contains(line, " name=sentinel-") ||
				strings.Contains(line, " cmd=restore-asking ") // MIGRATE's own, kept for its next
			if !server && !strings.HasPrefix(line, fmt.Sprintf("id=%d ", own)) {
				all = append(all, strings.TrimSpace(line))
			}
		}
		return err
	})
	return all, err
}

// Client returns a client with the settings recommended for a cache, closed when the test ends: 250 ms for dialling,
// reading and writing, no retries, and contexts that bound I/O. Each function may change them.
func (s *RedisServer) Client(with ...func(*redis.Options)) redis.UniversalClient {
	return Client(s.t, s.Addr(), with...)
}

// Client is [RedisServer.Client] for any address, such as a [Proxy]'s.
func Client(t testing.TB, addr string, with ...func(*redis.Options)) *redis.Client {
	t.Helper()
	c := redis.NewClient(recommended(addr, with...))
	t.Cleanup(func() { _ = c.Close() }) // the test may have closed it
	return c
}

// Admin is a client for what a test itself does to a server and asks of it: it waits for as long as a busy machine takes.
func Admin(t testing.TB, addr string, with ...func(*redis.Options)) *redis.Client {
	t.Helper()
	return Client(t, addr, append([]func(*redis.Options){patient}, with...)...)
}

func patient(o *redis.Options) {
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = patience, patience, patience
}

func recommended(addr string, with ...func(*redis.Options)) *redis.Options {
	const usual = 250 * time.Millisecond
	o := &redis.Options{
		Addr:                  addr,
		DialTimeout:           usual,
		ReadTimeout:           usual,
		WriteTimeout:          usual,
		MaxRetries:            -1,
		DialerRetries:         1,
		ContextTimeoutEnabled: true,
	}
	for _, f := range with {
		f(o)
	}
	return o
}

// universal are those settings for several servers, or sentinels, whose addresses are yet to be given.
func universal(with ...func(*redis.Options)) *redis.UniversalOptions {
	o := recommended("", with...)
	return &redis.UniversalOptions{
		Dialer: o.Dialer, Protocol: o.Protocol, Username: o.Username, Password: o.Password,
		MaxRetries: o.MaxRetries, MinRetryBackoff: o.MinRetryBackoff, MaxRetryBackoff: o.MaxRetryBackoff,
		DialTimeout: o.DialTimeout, DialerRetries: o.DialerRetries, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
		ContextTimeoutEnabled: o.ContextTimeoutEnabled, PoolSize: o.PoolSize, PipelinePoolSize: o.PipelinePoolSize,
	}
}

// Save writes the snapshot with which a later Start begins.
func (s *RedisServer) Save() {
	s.t.Helper()
	c := redis.NewClient(&redis.Options{Addr: s.Addr()})
	defer c.Close()
	s.check("save", c.Save(context.Background()).Err())
}

// ping asks for a PONG.
func ping(addr string) error {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := fmt.Fprint(c, "PING\r\n"); err != nil {
		return err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && line != "+PONG\r\n" {
		return fmt.Errorf("PING = %q", line) // LOADING, or somebody else's server
	}
	return err
}
