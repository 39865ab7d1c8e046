package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/cacheme/cacheme/internal/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, o embedded.Options) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(o)
	if err != nil {
		t.Fatalf("Start(%+v) = %v", o, err)
	}
	t.Cleanup(s.Close)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestStart_refuses_an_unknown_clock(t *testing.T) {
	t.Parallel()
	if s, err := embedded.Start(embedded.Options{Clock: 7}); err == nil {
		s.Close()
		t.Fatal("Start with clock 7 succeeded")
	}
}

func TestClient(t *testing.T) {
	t.Parallel()

	t.Run("a_pipeline_of_a_megabyte_passes", func(t *testing.T) {
		t.Parallel()
		c := start(t, embedded.Options{}).Client()
		big := strings.Repeat("x", 10_000)
		replies, err := c.Pipelined(t.Context(), func(p redis.Pipeliner) error {
			for i := range 100 {
				p.Set(t.Context(), fmt.Sprint("key", i), big, 0)
				p.Get(t.Context(), fmt.Sprint("key", i))
			}
			return nil
		})
		must(t, err)
		for _, r := range replies {
			if get, ok := r.(*redis.StringCmd); ok && get.Val() != big {
				t.Fatalf("%v has %d bytes, want %d", get.Args(), len(get.Val()), len(big))
			}
		}
	})

	t.Run("a_subscriber_that_reads_nothing_stops_nobody", func(t *testing.T) {
		t.Parallel()
		c := start(t, embedded.Options{}).Client()
		idle := c.Subscribe(t.Context(), "news")
		defer idle.Close()
		_, err := idle.Receive(t.Context())
		must(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		for range 100 {
			n, err := c.Publish(ctx, "news", strings.Repeat("x", 1000)).Result()
			must(t, err)
			if n != 1 {
				t.Fatalf("PUBLISH reached %d subscribers, want 1", n)
			}
		}
	})

	t.Run("a_context_bounds_a_blocked_command", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := start(t, embedded.Options{Clock: embedded.Manual})
			c := s.Client(func(o *redis.Options) { o.MaxRetries = -1 })
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			begin := time.Now()
			err := c.BLPop(ctx, time.Minute, "empty").Err()
			if err == nil || time.Since(begin) != time.Second {
				t.Fatalf("BLPOP under a deadline of 1s gave %v after %v", err, time.Since(begin))
			}
		})
	})

	t.Run("after_Close_a_client_fails_and_the_server_stays_closed", func(t *testing.T) {
		t.Parallel()
		s := start(t, embedded.Options{})
		before, extra := s.Client(), s.Client()
		must(t, extra.Close())
		s.Close()
		s.Close()
		for name, c := range map[string]*redis.Client{"earlier": before, "later": s.Client()} {
			if err := c.Ping(t.Context()).Err(); !errors.Is(err, redis.ErrClosed) {
				t.Errorf("PING over the %s client after Close = %v, want %v", name, err, redis.ErrClosed)
			}
		}
		if err := s.Restart(); !errors.Is(err, embedded.ErrClosed) {
			t.Errorf("Restart after Close = %v, want %v", err, embedded.ErrClosed)
		}
	})
}

func TestListenTCP(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Options{ListenTCP: true})
	c := redis.NewClient(&redis.Options{Addr: s.Addr()})
	defer c.Close()
	must(t, c.Set(t.Context(), "k", "v", 0).Err())
	if got, err := s.Client().Get(t.Context(), "k").Result(); err != nil || got != "v" {
		t.Errorf("GET over the in-memory client = %q, %v", got, err)
	}
	first := c.InfoMap(t.Context(), "server").Item("Server", "run_id")
	must(t, s.Restart())
	second := c.InfoMap(t.Context(), "server").Item("Server", "run_id")
	if first == "" || second == "" || first == second {
		t.Errorf("run ids over the socket before and after Restart: %q, %q", first, second)
	}
	if got := start(t, embedded.Options{}).Addr(); got != "" {
		t.Errorf("Addr without ListenTCP = %q", got)
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, embedded.Options{})
		c := s.Client()
		run := func() string {
			m := c.InfoMap(t.Context(), "server")
			must(t, m.Err())
			return m.Item("Server", "run_id")
		}
		must(t, c.Set(t.Context(), "k", "v", time.Hour).Err())
		first := run()

		blocked := make(chan error)
		other := s.Client(func(o *redis.Options) { o.MaxRetries = -1 })
		go func() { blocked <- other.BLPop(context.Background(), 0, "list").Err() }()
		synctest.Wait() // BLPOP waits in the server now
		must(t, s.Restart())
		if err := <-blocked; err == nil || errors.Is(err, redis.Nil) {
			t.Errorf("a command blocked over a restart = %v, want its connection cut", err)
		}

		if second := run(); second == first {
			t.Errorf("run id after Restart is still %q", second)
		}
		if got, err := c.Get(t.Context(), "k").Result(); err != nil || got != "v" {
			t.Errorf("GET after Restart = %q, %v, want the value kept", got, err)
		}
		// A blocking command must block again, though the old run's were cancelled.
		go func() { blocked <- other.BLPop(context.Background(), 0, "list").Err() }()
		synctest.Wait()
		select {
		case err := <-blocked:
			t.Fatalf("BLPOP in the new run = %v at once", err)
		default:
		}
		must(t, c.RPush(t.Context(), "list", "x").Err())
		must(t, <-blocked)
	})
}

func TestRestart_while_others_ask_for_INFO(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Options{})
	var asking sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		c := s.Client()
		asking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_ = c.Info(context.Background(), "server").Err()
				}
			}
		})
	}
	for range 50 {
		must(t, s.Restart())
	}
	close(stop)
	asking.Wait()
}

func TestFlushAll_removes_every_key_and_keeps_the_run(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Options{})
	c, other := s.Client(), s.Client(func(o *redis.Options) { o.DB = 3 })
	must(t, c.Set(t.Context(), "k", "v", 0).Err())
	must(t, other.Set(t.Context(), "k", "v", 0).Err())
	before := c.InfoMap(t.Context()).Item("Server", "run_id")
	s.FlushAll()
	for db, c := range []*redis.Client{0: c, 3: other} {
		if c == nil {
			continue
		}
		if n := c.DBSize(t.Context()).Val(); n != 0 {
			t.Errorf("database %d has %d keys after FlushAll", db, n)
		}
	}
	if after := c.InfoMap(t.Context()).Item("Server", "run_id"); after != before {
		t.Errorf("run id after FlushAll = %q, want %q", after, before)
	}
}

func TestClose_from_many_goroutines(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Options{ListenTCP: true})
	c := redis.NewClient(&redis.Options{Addr: s.Addr(), MaxRetries: -1, DialerRetries: 1})
	defer c.Close()
	must(t, c.Ping(t.Context()).Err())
	var closing sync.WaitGroup
	for range 4 {
		closing.Go(s.Close)
	}
	closing.Wait()
	if err := c.Ping(t.Context()).Err(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("PING over the socket after Close = %v, want a refused connection", err)
	}
}
