package embedded_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/embedded"
)

func TestManual(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Options{Clock: embedded.Manual})
	c, ctx := s.Client(), t.Context()
	script := redis.NewScript(`local t = redis.call('TIME'); return {t[1], t[2]}`)
	agree := func() {
		t.Helper()
		if got := c.Time(ctx).Val(); !got.Equal(s.Now()) {
			t.Errorf("TIME = %v, Now = %v", got, s.Now())
		}
		got, err := script.Run(ctx, c, nil).Int64Slice()
		must(t, err)
		if want := s.Now(); got[0] != want.Unix() || got[1] != int64(want.Nanosecond()/1000) {
			t.Errorf("TIME in Lua = %v, Now = %v", got, want)
		}
	}

	agree()
	must(t, c.Set(ctx, "k", "v", time.Minute).Err())
	begin := s.Now()
	s.Advance(59 * time.Second)
	agree()
	if got := c.PTTL(ctx, "k").Val(); got != time.Second {
		t.Errorf("PTTL a second before the end = %v", got)
	}
	s.Advance(-time.Hour)
	agree()
	if got := c.PTTL(ctx, "k").Val(); got != time.Second {
		t.Errorf("PTTL after the clock was set back = %v, want it as it was", got)
	}
	s.Advance(time.Hour - time.Second)
	if got := c.Exists(ctx, "k").Val(); got != 0 {
		t.Errorf("EXISTS after an hour = %d", got)
	}
	s.Advance(2 * time.Second)
	if got := s.Now().Sub(begin); got != time.Minute {
		t.Errorf("the clock moved by %v, want 1m", got)
	}
	agree()
}

func TestManual_stands_still_while_real_time_passes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, embedded.Options{Clock: embedded.Manual})
		c := s.Client()
		must(t, c.Set(t.Context(), "k", "v", time.Second).Err())
		begin := s.Now()
		time.Sleep(time.Hour) // the bubble's clock: no waiting
		if got := c.PTTL(t.Context(), "k").Val(); got != time.Second || !s.Now().Equal(begin) {
			t.Errorf("after an hour: PTTL = %v, Now moved by %v", got, s.Now().Sub(begin))
		}
	})
}

func TestReal_expires_keys_with_time(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, embedded.Options{})
		c := s.Client()
		must(t, c.Set(t.Context(), "k", "v", time.Second).Err())
		time.Sleep(850 * time.Millisecond)
		must(t, c.Get(t.Context(), "k").Err())
		time.Sleep(200 * time.Millisecond)
		if err := c.Get(t.Context(), "k").Err(); !errors.Is(err, redis.Nil) {
			t.Errorf("GET 50ms after the end = %v, want %v", err, redis.Nil)
		}
		if got := c.Time(t.Context()).Val(); !got.Equal(time.Now()) || !s.Now().Equal(time.Now()) {
			t.Errorf("TIME = %v, Now = %v, the process says %v", got, s.Now(), time.Now())
		}
	})
}

func TestAdvance_panics_on_a_real_clock(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Options{})
	defer func() {
		if recover() == nil {
			t.Error("Advance did not panic")
		}
	}()
	s.Advance(time.Second)
}
