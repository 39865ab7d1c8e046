package embedded_test

import (
	"context"
	"regexp"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/embedded"
)

var runID = regexp.MustCompile(`(?m)^run_id:[0-9a-f]{40}\r$`)

func TestInfo(t *testing.T) {
	t.Parallel()

	t.Run("has_the_sections_asked_for", func(t *testing.T) {
		t.Parallel()
		c := start(t, embedded.Options{}).Client()
		all := c.Info(t.Context()).Val()
		if !runID.MatchString(all) {
			t.Errorf("INFO has no run id:\n%s", all)
		}
		some := c.InfoMap(t.Context(), "server", "stats")
		if some.Item("Server", "run_id") == "" || some.Item("Stats", "evicted_keys") != "0" || len(some.Val()) != 2 {
			t.Errorf("INFO server stats = %v", some.Val())
		}
		if got, err := c.Info(t.Context(), "nonesuch").Result(); got != "" || err != nil {
			t.Errorf("INFO nonesuch = %q, %v, want nothing", got, err)
		}
	})

	t.Run("keeps_its_place_in_a_pipeline", func(t *testing.T) {
		t.Parallel()
		c, ctx := start(t, embedded.Options{}).Client(), t.Context()
		p := c.Pipeline()
		set := p.Set(ctx, "k", "v", 0)
		info := p.Info(ctx, "server")
		wrong := p.HGet(ctx, "k", "f")
		get := p.Get(ctx, "k")
		again := p.Info(ctx, "stats")
		_, _ = p.Exec(ctx) // the HGET fails, and must fail alone
		if set.Err() != nil || wrong.Err() == nil || get.Val() != "v" {
			t.Errorf("SET %v, HGET of a string %v, GET %q", set.Err(), wrong.Err(), get.Val())
		}
		if !runID.MatchString(info.Val()) || again.Val() == "" || again.Val() == info.Val() {
			t.Errorf("INFO server = %q, INFO stats = %q", info.Val(), again.Val())
		}
	})

	t.Run("is_answered_while_a_connection_is_set_up", func(t *testing.T) {
		t.Parallel()
		var seen string
		c := start(t, embedded.Options{}).Client(func(o *redis.Options) {
			o.OnConnect = func(ctx context.Context, conn *redis.Conn) error {
				seen = conn.Info(ctx, "server").Val()
				return nil
			}
		})
		must(t, c.Ping(t.Context()).Err())
		if !runID.MatchString(seen) {
			t.Errorf("INFO in OnConnect = %q", seen)
		}
	})

	t.Run("does_not_disturb_a_transaction", func(t *testing.T) {
		t.Parallel()
		c, ctx := start(t, embedded.Options{}).Client(), t.Context()
		var get *redis.StringCmd
		_, err := c.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.Set(ctx, "k", "v", 0)
			p.Info(ctx, "stats")
			get = p.Get(ctx, "k")
			return nil
		})
		if err != nil || get.Val() != "v" {
			t.Errorf("GET after INFO in MULTI = %q, %v", get.Val(), err)
		}
		if got := c.Info(ctx, "server").Val(); !runID.MatchString(got) {
			t.Errorf("INFO after EXEC = %q", got)
		}
	})

	t.Run("is_left_to_miniredis_on_request", func(t *testing.T) {
		t.Parallel()
		c := start(t, embedded.Options{WithoutInfo: true}).Client()
		if got, err := c.Info(t.Context(), "server").Result(); err == nil {
			t.Errorf("INFO server = %q, want an error", got)
		}
	})
}

func TestCommands(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Options{Clock: embedded.Manual})
	c, ctx := s.Client(), t.Context()
	count := func(name string, want int, f func()) {
		t.Helper()
		before := s.Commands()
		f()
		if got := s.Commands() - before; got != want {
			t.Errorf("%s counted %d commands, want %d", name, got, want)
		}
	}
	count("a first GET, which connects,", 1, func() { c.Get(ctx, "k") })
	count("a pipeline of two", 2, func() {
		_, _ = c.Pipelined(ctx, func(p redis.Pipeliner) error {
			p.Set(ctx, "k", "v", time.Minute)
			p.Info(ctx)
			return nil
		})
	})
	count("a script that calls three", 1, func() {
		must(t, c.Eval(ctx, `for i = 1, 3 do redis.call('GET', KEYS[1]) end return 1`, []string{"k"}).Err())
	})
	count("a restart", 0, func() { must(t, s.Restart()) })
	count("a GET of the next run", 1, func() { c.Get(ctx, "k") })
}
