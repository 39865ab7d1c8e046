package store

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// refused asks a server which commands it would not take from this user, or does not know. They are queued behind MULTI, where
// Redis says so at once, and thrown away by DISCARD: nothing is run. Where MULTI itself is refused nobody knows, and it is nil.
func (s *Store) refused(ctx context.Context, node redis.UniversalClient) ([]string, error) {
	for _, sent := range [][][]any{nil, s.samples()} {
		pipe := node.Pipeline()
		begin := pipe.Do(ctx, "MULTI")
		answers := make([]*redis.Cmd, len(sent))
		for i, args := range sent {
			answers[i] = pipe.Do(ctx, args...)
		}
		pipe.Do(ctx, "DISCARD")
		// A replica answers that it takes no writes, which is no refusal of the user.
		if _, err := pipe.Exec(ctx); err != nil && !errors.As(err, new(redis.Error)) {
			return nil, err
		}
		// The first time with nothing in between: without MULTI the rest would be run.
		if begin.Err() != nil {
			return nil, nil //nolint:nilerr // nobody knows then, which is no failure
		}
		var names []string
		for i, answer := range answers {
			if err := answer.Err(); err != nil && (redis.HasErrorPrefix(err, "NOPERM") || strings.Contains(err.Error(), "unknown command")) {
				names = append(names, nameOf(sent[i]))
			}
		}
		if sent != nil {
			return names, nil
		}
	}
	return nil, nil
}

// nameOf is a command for a person, with the channel where it is about one.
func nameOf(args []any) string {
	name := args[0].(string)
	if name == "publish" {
		name += " " + args[1].(string)
	}
	return name
}

// samples are calls of what a Store sends, which change nothing that matters even if they were run.
func (s *Store) samples() [][]any {
	key := s.prefix + "meta:rights"
	all := [][]any{
		{"get", key},
		{"mget", key},
		{"getex", key},
		{"set", key, "", "PX", 1},
		{"unlink", key},
		{"del", key},
		{"pexpire", key, 1},
		{"exists", key},
		{"append", key, ""},
		{"pttl", key},
		{"type", key},
		{"getrange", key, 0, 0},
		{"time"},
		{"eval", "return 0", 1, key},
		{"evalsha", strings.Repeat("0", 40), 1, key},
		{"script", "load", "return 0"},
		{"publish", s.wakes.channel, ""},
		{"publish", s.nearChannel, ""},
		{"scan", 0},
	}
	if s.replicas.want > 0 {
		all = append(all, []any{"wait", 0, 1})
	}
	return all
}
