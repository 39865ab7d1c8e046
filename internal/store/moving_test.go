package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/embedded"
	"github.com/cacheme/cacheme/internal/store"
	"github.com/cacheme/cacheme/internal/suite"
)

// answer is an error that a server gives.
type answer string

func (a answer) Error() string { return string(a) }
func (answer) RedisError()     {}

// refusing has every script of a client answered by an error.
type refusing struct{ with answer }

func (refusing) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (refusing) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (r refusing) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if cmds[len(cmds)-1].Name() != "evalsha" {
			return next(ctx, cmds)
		}
		for _, cmd := range cmds {
			cmd.SetErr(r.with)
		}
		return r.with
	}
}

// A slot of a cluster that is being moved refuses scripts on several keys. Expected: nobody takes that for a Redis that is
// away, as it would a server that is loading.
func TestBreaker_stays_closed_while_a_slot_moves(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		with answer
		away bool
	}{
		{"TRYAGAIN Multiple keys request during rehashing of slot", false},
		{"LOADING Redis is loading the dataset in memory", true},
	} {
		rdb := start(t, embedded.Options{}).Client()
		rdb.AddHook(refusing{c.with})
		s := store.New(rdb, store.Options{Prefix: suite.Prefix(), Hold: time.Second})
		t.Cleanup(func() {
			if err := s.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
		for range 5 {
			if _, err := s.Remove(t.Context(), 10*time.Second, []string{"entry"}); err == nil {
				t.Errorf("Remove() = nil where Redis says %q", c.with)
			}
		}
		if s.Away() != c.away {
			t.Errorf("after %q Redis is away: %v, want %v", c.with, s.Away(), c.away)
		}
	}
}
