package store_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/store"
)

func TestEpoch_is_unknown_after_a_reply_of_a_server_that_was_no_master(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	get, run := redis.NewStringCmd(ctx, "get", "k"), redis.NewCmd(ctx, "evalsha", "hash", 0)
	slots, asking := redis.NewCmd(ctx, "cluster", "slots"), redis.NewCmd(ctx, "asking")
	for _, c := range []struct {
		name  string
		addr  string
		cmds  []redis.Cmder
		rules guard.Set
		want  bool
	}{
		{"a value", "promoted:1", []redis.Cmder{get}, 0, true},
		{"a script, behind ASKING", "promoted:1", []redis.Cmder{asking, run}, 0, true},
		{"the map of slots, which replicas tell as well", "promoted:1", []redis.Cmder{slots}, 0, false},
		{"a value of a known master", "master:1", []redis.Cmder{get}, 0, false},
		{"a value, without the rule", "promoted:1", []redis.Cmder{get}, guard.Without(guard.EpochKnowsMasters), false},
	} {
		if got := store.Unsettles(c.rules, "master:1", c.addr, c.cmds...); got != c.want {
			t.Errorf("%s of %s: unknown afterwards = %v, want %v", c.name, c.addr, got, c.want)
		}
	}
}
