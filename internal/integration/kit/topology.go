package kit

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// servers are those of one topology. A test kills, pauses and restarts each of them as any [Server].
type servers []*RedisServer

// Servers returns all of them.
func (s servers) Servers() []*RedisServer { return s }

// At returns the server that listens there, nil if none of them does.
func (s servers) At(addr string) *RedisServer {
	for _, one := range s {
		if one.Addr() == addr {
			return one
		}
	}
	return nil
}

// Flush makes all of them as if they had just been started: no keys, no scripts. They are to be up.
func (s servers) Flush(t testing.TB) {
	t.Helper()
	for _, one := range s {
		one.direct(t, "flush", func(ctx context.Context, c *redis.Client) error {
			if err := c.ScriptFlush(ctx).Err(); err != nil {
				return err
			}
			// A replica refuses; its master's flush reaches it.
			if err := c.FlushAll(ctx).Err(); err != nil && !redis.HasErrorPrefix(err, "READONLY") {
				return err
			}
			return nil
		})
	}
}

// direct does something on one server, which has to succeed.
func (s *RedisServer) direct(t testing.TB, what string, do func(context.Context, *redis.Client) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.try(ctx, do); err != nil {
		t.Fatalf("%s of %s: %v", what, s.Addr(), err)
	}
}

// try does something on one server through a client for that alone.
func (s *RedisServer) try(ctx context.Context, do func(context.Context, *redis.Client) error) error {
	c := redis.NewClient(recommended(s.Addr(), patient))
	defer func() { _ = c.Close() }() // nothing is left to lose
	return do(ctx, c)
}

// info returns one line of INFO, or of CLUSTER INFO where that is the section; empty where the server does not answer.
func (s *RedisServer) info(ctx context.Context, section, name string) (value string) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	err := s.try(ctx, func(ctx context.Context, c *redis.Client) error {
		text := c.Info(ctx, section)
		if section == "cluster" {
			text = c.ClusterInfo(ctx)
		}
		for line := range strings.Lines(text.Val()) {
			if rest, ok := strings.CutPrefix(line, name+":"); ok {
				value = strings.TrimSpace(rest)
			}
		}
		return text.Err()
	})
	if err != nil {
		return ""
	}
	return value
}

// errNotYet is what await is told where nothing failed, and nothing has happened either.
var errNotYet = errors.New("not yet")

// await asks until there is no error. What servers agree on among each other they tell nobody.
func await(t testing.TB, what string, ask func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := ask(ctx)
		if err == nil {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("within %v it did not happen: %s: %v", 2*patience, what, err)
		}
	}
}
