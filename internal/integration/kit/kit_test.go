package kit_test

import (
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/cacheme/cacheme/internal/integration/kit"
)

func TestMain(m *testing.M) {
	if os.Getenv(orphanage) != "" {
		m.Run()
		return
	}
	goleak.VerifyTestMain(kit.Main(m))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRedis_is_gone_after_the_test(t *testing.T) {
	t.Parallel()
	var pid int
	var addr string
	t.Run("started", func(t *testing.T) {
		s := kit.Redis(t)
		pid, addr = s.PID(), s.Addr()
		must(t, s.Client().Ping(t.Context()).Err())
		must(t, syscall.Kill(pid, 0))
		s.Pause() // a stopped process must go as well
	})
	if pid == 0 {
		t.SkipNow() // the server was not installed, and the subtest has said so
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("pid %d after the test: %v, want %v", pid, err, syscall.ESRCH)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatalf("the port is still taken: %v", err)
	}
	_ = l.Close()
}

func TestRedis_restarts(t *testing.T) {
	t.Parallel()
	for _, end := range []struct {
		name string
		end  func(*kit.RedisServer)
	}{
		{"after_kill", (*kit.RedisServer).Kill},
		{"after_stop", (*kit.RedisServer).Stop},
	} {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			s := kit.Redis(t)
			c, ctx := s.Client(), t.Context()
			run := func() string { return c.InfoMap(ctx, "server").Item("Server", "run_id") }
			addr, first := s.Addr(), run()

			must(t, c.Set(ctx, "saved", "v", 0).Err())
			s.Save()
			must(t, c.Set(ctx, "lost", "v", 0).Err())
			end.end(s)
			if err := c.Ping(ctx).Err(); err == nil || s.PID() != 0 {
				t.Fatalf("PING of a server that is down = %v, pid %d", err, s.PID())
			}
			s.Start()
			if s.Addr() != addr {
				t.Errorf("address after a restart = %s, want %s", s.Addr(), addr)
			}
			if got := c.Get(ctx, "saved").Val(); got != "v" {
				t.Errorf("GET of what was saved = %q", got)
			}
			if err := c.Get(ctx, "lost").Err(); !errors.Is(err, redis.Nil) {
				t.Errorf("GET of what was not saved = %v, want %v", err, redis.Nil)
			}
			if second := run(); second == "" || second == first {
				t.Errorf("run id after a restart = %q, before %q", second, first)
			}
		})
	}
}

func TestRedis_pauses_and_continues(t *testing.T) {
	t.Parallel()
	s := kit.Redis(t)
	c := s.Client()
	must(t, c.Ping(t.Context()).Err())
	s.Pause()
	begin := time.Now()
	err := c.Ping(t.Context()).Err()
	if timeout := net.Error(nil); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("PING of a paused server = %v, want a timeout", err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("PING of a paused server gave up after %v", took)
	}
	s.Continue()
	must(t, c.Ping(t.Context()).Err())
	s.Pause()
	s.Stop() // in good order, although it was paused
	s.Start()
	must(t, c.Ping(t.Context()).Err())
}

func TestRedis_takes_configuration(t *testing.T) {
	t.Parallel()
	s := kit.Redis(t, "--maxmemory", "4mb", "--maxmemory-policy", "allkeys-lru")
	got, err := s.Client().ConfigGet(t.Context(), "maxmemory*").Result()
	must(t, err)
	if got["maxmemory"] != "4194304" || got["maxmemory-policy"] != "allkeys-lru" {
		t.Errorf("CONFIG GET maxmemory* = %v", got)
	}
	if !strings.Contains(s.Log(), "Ready to accept connections") {
		t.Errorf("Log() = %q", s.Log())
	}
}

func TestRedis_that_cannot_start_fails_the_test_and_shows_the_log(t *testing.T) {
	t.Parallel()
	kit.Require(t, "redis-server")
	v := record(t, func(v *verdict) { kit.Redis(v, "--nonesuch", "1") })
	if !v.failed || !strings.Contains(v.text, "Bad directive") {
		t.Errorf("failed = %v, with the text %q", v.failed, v.text)
	}
}

func TestRequire(t *testing.T) {
	const missing = "no-such-server"

	t.Setenv("CACHEME_REQUIRE", "")
	v := record(t, func(v *verdict) { kit.Require(v, missing) })
	if !v.skipped || v.failed || !strings.Contains(v.text, missing) || !strings.Contains(v.text, t.Name()) {
		t.Errorf("a missing binary gave %+v, want a skip that names it and the test", v)
	}

	t.Setenv("CACHEME_REQUIRE", "all")
	v = record(t, func(v *verdict) { kit.Require(v, missing) })
	if !v.failed || v.skipped || !strings.Contains(v.text, missing) {
		t.Errorf("a missing binary with CACHEME_REQUIRE=all gave %+v, want a failure that names it", v)
	}
	v = record(t, func(v *verdict) { kit.Require(v, "go") })
	if v.failed || v.skipped {
		t.Errorf("a binary that is there gave %+v", v)
	}
}
