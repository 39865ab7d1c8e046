package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/embedded"
)

// redisServer is where the caches keep their entries.
type redisServer struct {
	name     string
	prefix   string                // of every key
	client   *redis.Client         // to look at what the caches left
	cached   redis.UniversalClient // what the caches get
	embedded *embedded.Server      // nil: somebody else's
}

// openRedis starts a Redis inside this process, or connects to the one that is asked for.
func openRedis(c config) (*redisServer, error) {
	// A prefix of its own keeps the example apart from whatever else lives in a Redis.
	s := &redisServer{prefix: "bookstore:" + rand.Text()[:8] + ":"}
	if c.redisURL == "" {
		server, err := embedded.Start(embedded.Options{})
		if err != nil {
			return nil, err
		}
		s.name, s.embedded, s.client = "inside this process", server, server.Client()
	} else {
		o, err := redis.ParseURL(c.redisURL)
		if err != nil {
			return nil, err
		}
		o.ContextTimeoutEnabled = true
		o.MaxRetries = -1
		s.name, s.client = fmt.Sprintf("%s, keys %s*", o.Addr, s.prefix), redis.NewClient(o)
	}
	s.cached = s.client
	if c.wrap != nil {
		s.cached = c.wrap(s.client)
	}
	return s, nil
}

// commands is how many commands were sent so far; -1 where nobody counts them.
func (s *redisServer) commands() int {
	if s.embedded == nil {
		return -1
	}
	return s.embedded.Commands()
}

// keys calls f with all keys of the prefix, some at a time.
func (s *redisServer) keys(ctx context.Context, f func(some []string) error) error {
	var cursor uint64
	for {
		some, next, err := s.client.Scan(ctx, cursor, s.prefix+"*", 1000).Result()
		if err == nil && len(some) > 0 {
			err = f(some)
		}
		if err != nil || next == 0 {
			return err
		}
		cursor = next
	}
}

// close leaves somebody else's Redis as it was found, also after an interrupt.
func (s *redisServer) close(ctx context.Context) error {
	if s.embedded != nil {
		s.embedded.Close()
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	err := s.keys(ctx, func(some []string) error { return s.client.Unlink(ctx, some...).Err() })
	_ = s.client.Close()
	if err != nil {
		return fmt.Errorf("remove %s* from redis: %w", s.prefix, err)
	}
	return nil
}
