// Package kit starts real servers for the integration suites and breaks them on purpose: kill, pause, restart on the
// same data, and a proxy that refuses, delays or swallows.
//
// [Redis], [NewPostgresServer] and [NewMariaDBServer] give a test a server of its own. A database server takes a second
// to start, so [Postgres] and [MariaDB] give a test a fresh database on a server that the whole test binary shares; that
// one is started by its first user and stopped by [Main].
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
	const name = "redis-server"
	path := require(t, name)
	return &RedisServer{serve(t, &daemon{
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
	})}
}

// Client returns a client with the settings recommended for a cache, closed when the test ends: 250 ms for dialling,
// reading and writing, no retries, and contexts that bound I/O. Each function may change them.
func (s *RedisServer) Client(with ...func(*redis.Options)) *redis.Client {
	return Client(s.t, s.Addr(), with...)
}

// Client is [RedisServer.Client] for any address, such as a [Proxy]'s.
func Client(t testing.TB, addr string, with ...func(*redis.Options)) *redis.Client {
	t.Helper()
	const patience = 250 * time.Millisecond
	o := &redis.Options{
		Addr:                  addr,
		DialTimeout:           patience,
		ReadTimeout:           patience,
		WriteTimeout:          patience,
		MaxRetries:            -1,
		DialerRetries:         1,
		ContextTimeoutEnabled: true,
	}
	for _, f := range with {
		f(o)
	}
	c := redis.NewClient(o)
	t.Cleanup(func() { _ = c.Close() }) // the test may have closed it
	return c
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
