// Package kit starts real servers for the integration suites and breaks them on purpose: kill, pause, restart on the
// same data, and a proxy that refuses, delays or swallows.
//
// Everything runs on free loopback ports with its data in the test's temporary folder, is stopped when the test ends,
// and on Linux dies with the test process however that one ends. What is not installed is skipped, see [Require].
// Functions that take no error back fail the test; like t.Fatal they are called from the test's own goroutine.
// It needs a Unix.
package kit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// RedisServer is one redis-server of a test. It keeps its port and its data folder over Kill, Stop and Start.
type RedisServer struct {
	t    testing.TB
	args []string
	port int
	dir  string
	run  *process // nil while the server is down
}

// Redis starts a redis-server that is stopped when the test ends. Each arg is a piece of extra configuration as on its
// command line: Redis(t, "--maxmemory", "4mb"). It saves nothing by itself, see [RedisServer.Save], unless the args
// say so. Without redis-server installed the test is skipped, see [Require].
func Redis(t testing.TB, args ...string) *RedisServer {
	t.Helper()
	Require(t, "redis-server")
	s := &RedisServer{t: t, args: args, dir: t.TempDir()}
	t.Cleanup(func() {
		if s.run == nil {
			return
		}
		if err := s.run.kill(); err != nil {
			t.Errorf("redis-server: %v", err)
		}
	})

	// Between looking for a free port and listening on it somebody else may take it.
	var err error
	for range 5 {
		if s.port, err = freePort(); err != nil {
			break
		}
		if err = s.launch(); err == nil {
			return s
		}
	}
	t.Fatalf("start redis-server: %v\n%s", err, s.Log())
	return nil
}

// Addr returns host and port.
func (s *RedisServer) Addr() string { return loopback(s.port) }

// PID returns the process id, 0 while the server is down.
func (s *RedisServer) PID() int {
	if s.run == nil {
		return 0
	}
	return s.run.pid
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

// Kill ends the server as kill -9 does. Start brings it back on the same port with what was saved.
func (s *RedisServer) Kill() {
	s.t.Helper()
	s.stop((*process).kill)
}

// Stop ends the server in good order. Start brings it back on the same port with what was saved.
func (s *RedisServer) Stop() {
	s.t.Helper()
	s.stop((*process).terminate)
}

func (s *RedisServer) stop(how func(*process) error) {
	s.t.Helper()
	if s.run == nil {
		return
	}
	err := how(s.run)
	if !s.run.alive() {
		s.run = nil
	}
	s.check("stop", err)
}

// Start starts a server that is down again, on the same port and data folder, and waits until it has loaded.
func (s *RedisServer) Start() {
	s.t.Helper()
	if s.run != nil {
		s.t.Fatalf("Start of a redis-server that runs")
	}
	if err := s.launch(); err != nil {
		s.t.Fatalf("start redis-server again: %v\n%s", err, s.Log())
	}
}

// Pause stops the server in its tracks: connections stay open, nothing is answered. Continue ends that.
func (s *RedisServer) Pause() {
	s.t.Helper()
	s.signal("pause", syscall.SIGSTOP)
}

// Continue lets a paused server go on.
func (s *RedisServer) Continue() {
	s.t.Helper()
	s.signal("continue", syscall.SIGCONT)
}

func (s *RedisServer) signal(what string, sig syscall.Signal) {
	s.t.Helper()
	if s.run == nil {
		s.t.Fatalf("%s of a redis-server that is down", what)
	}
	s.check(what, s.run.signal(sig))
}

// Save writes the snapshot with which a later Start begins.
func (s *RedisServer) Save() {
	s.t.Helper()
	c := redis.NewClient(&redis.Options{Addr: s.Addr()})
	defer c.Close()
	s.check("save", c.Save(context.Background()).Err())
}

// Log returns what the server has written since the first start.
func (s *RedisServer) Log() string {
	text, err := os.ReadFile(s.log())
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	return string(text)
}

func (s *RedisServer) log() string { return filepath.Join(s.dir, "redis.log") }

func (s *RedisServer) check(what string, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s redis-server at %s: %v", what, s.Addr(), err)
	}
}

func (s *RedisServer) launch() error {
	args := append([]string{
		"--port", strconv.Itoa(s.port),
		"--bind", "127.0.0.1",
		"--dir", s.dir,
		"--save", "",
		"--appendonly", "no",
		// A replica that a suite attaches shall not wait for others.
		"--repl-diskless-sync-delay", "0",
	}, s.args...)
	p, err := launch(s.log(), "redis-server", args...)
	if err != nil {
		return err
	}
	if err := ready(p, s.Addr()); err != nil {
		return errors.Join(err, p.kill())
	}
	s.run = p
	return nil
}

// ready waits until the server answers PING. Nothing tells when it will, so it asks every few milliseconds.
func ready(p *process, addr string) error {
	deadline := time.After(10 * time.Second)
	ask := time.NewTicker(2 * time.Millisecond)
	defer ask.Stop()
	for {
		select {
		case <-p.exited:
			return errors.New("it ended at once")
		case <-deadline:
			return errors.New("no PONG within 10s")
		case <-ask.C:
			if ping(addr) == nil {
				return nil
			}
		}
	}
}

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
