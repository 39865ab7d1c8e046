package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// server is a redis-server of a workload's own, on a free port of the loopback; it saves nothing.
type server struct {
	addr string
	rdb  *redis.Client // for looking at the server, and for nothing that is measured
	dir  string
	cmd  *exec.Cmd
	out  *bytes.Buffer
	seen float64 // how often this type itself has asked INFO, since resetStats
}

// startServer starts redis-server and waits until it answers.
func startServer(ctx context.Context) (*server, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("redis-server is needed and not installed: %w", err)
	}
	// Between finding a free port and listening on it somebody else may take it.
	for range 5 {
		var s *server
		if s, err = startServerAt(ctx, path); err == nil {
			return s, nil
		}
	}
	return nil, err
}

func startServerAt(ctx context.Context, path string) (*server, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "cacheme-benchmarks-")
	if err != nil {
		return nil, err
	}
	s := &server{addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), dir: dir, out: &bytes.Buffer{}}
	if err := s.begin(path); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.rdb = newClient(s.addr)
	if err := s.ready(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// begin starts the process. It is not bound to a context: whoever uses the server ends first, then the server.
func (s *server) begin(path string) error {
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		return err
	}
	s.cmd = exec.Command(path, "--port", port, "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--appendonly", "no") //nolint:noctx // as said
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.out
	return s.cmd.Start()
}

// restart kills the server, and has it back after that time, empty, where it was.
func (s *server) restart(ctx context.Context, after time.Duration) error {
	if err := s.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = s.cmd.Wait() // it was killed
	if err := sleep(ctx, after); err != nil {
		return err
	}
	if err := s.begin(s.cmd.Path); err != nil {
		return err
	}
	return s.ready(ctx)
}

// sleep waits, unless the context ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ready waits until the server answers. It listens before that, and go-redis writes lines about dials that fail.
func (s *server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.addr)
		if err == nil {
			_ = c.Close()
			if err = s.rdb.Ping(ctx).Err(); err == nil {
				return nil
			}
		}
		if ctx.Err() != nil {
			return fmt.Errorf("redis-server at %s does not answer: %w\n%s", s.addr, err, s.out)
		}
		time.Sleep(5 * time.Millisecond) // nothing tells when a server is ready
	}
}

func freePort(ctx context.Context) (int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

func (s *server) close() error {
	_ = s.rdb.Close()
	err := s.cmd.Process.Kill()
	_ = s.cmd.Wait() // it was killed
	return errors.Join(err, os.RemoveAll(s.dir))
}

// info returns one number of INFO, such as used_memory.
func (s *server) info(ctx context.Context, section, field string) (float64, error) {
	text, err := s.field(ctx, section, field)
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(text, 64)
}

func (s *server) field(ctx context.Context, section, field string) (string, error) {
	s.seen++
	text, err := s.rdb.Info(ctx, section).Result()
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.TrimSpace(value), nil
		}
	}
	return "", fmt.Errorf("INFO %s has no %s", section, field)
}

// resetStats begins the counting of commands anew.
func (s *server) resetStats(ctx context.Context) error {
	s.seen = 0
	return s.rdb.ConfigResetStat(ctx).Err()
}

// commands counts the commands that the server has carried out for caches: those inside of scripts too, those of a
// connection's beginning and of looking at the server not. (INFO may be a cache's.)
func (s *server) commands(ctx context.Context) (float64, error) {
	text, err := s.rdb.Info(ctx, "commandstats").Result()
	if err != nil {
		return 0, err
	}
	sum := -s.seen
	s.seen++
	for line := range strings.Lines(text) {
		name, stats, ok := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":calls=")
		if !ok || isAside(name) {
			continue
		}
		calls, _, _ := strings.Cut(stats, ",")
		n, err := strconv.ParseFloat(calls, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

func isAside(command string) bool {
	main, _, _ := strings.Cut(command, "|")
	switch main {
	case "config", "hello", "client", "ping", "command", "dbsize":
		return true
	}
	return false
}

// busy is how many seconds of a processor the server has used since it began.
func (s *server) busy(ctx context.Context) (float64, error) {
	user, err := s.info(ctx, "cpu", "used_cpu_user")
	if err != nil {
		return 0, err
	}
	system, err := s.info(ctx, "cpu", "used_cpu_sys")
	return user + system, err
}
