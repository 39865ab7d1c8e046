package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/embedded"
	"github.com/cacheme/cacheme/internal/redisurl"
)

// redisServer is where the caches keep their entries.
type redisServer struct {
	name     string
	url      string // of the one inside this process, where other programs may look into it
	prefix   string // of every key
	dial     func() redis.UniversalClient
	client   redis.UniversalClient   // to look at what the caches left
	clients  []redis.UniversalClient // of the caches
	wrap     func(redis.UniversalClient) redis.UniversalClient
	embedded *embedded.Server // nil: somebody else's
}

// openRedis starts a Redis inside this process, or connects to the one that is asked for.
func openRedis(c config) (*redisServer, error) {
	// A prefix of its own keeps the example apart from whatever else lives in a Redis.
	s := &redisServer{prefix: "bookstore:" + rand.Text()[:8] + ":", wrap: c.wrap}
	if c.redisURL == "" {
		// Beside a site there may be programs that look at its cache, as the command line does.
		server, err := embedded.Start(embedded.Options{ListenTCP: c.serve != ""})
		if err != nil {
			return nil, err
		}
		s.name, s.embedded = "inside this process", server
		if c.serve != "" {
			s.url = "redis://" + server.Addr()
		}
		s.dial = func() redis.UniversalClient { return server.Client() }
	} else {
		there, err := redisurl.Parse(c.redisURL, patience)
		if err != nil {
			return nil, err
		}
		s.name, s.dial = fmt.Sprintf("%s, keys %s*", there.Name, s.prefix), there.Dial
	}
	s.client = s.dial()
	return s, nil
}

// connect returns a client for one cache, as every process has its own.
func (s *redisServer) connect() redis.UniversalClient {
	rdb := s.dial()
	s.clients = append(s.clients, rdb)
	if s.wrap != nil {
		return s.wrap(rdb)
	}
	return rdb
}

// commands is how many commands were sent so far; -1 where nobody counts them.
func (s *redisServer) commands() int {
	if s.embedded == nil {
		return -1
	}
	return s.embedded.Commands()
}

// keys calls f with all keys of the prefix, some at a time, on a cluster master by master.
func (s *redisServer) keys(ctx context.Context, f func(some []string) error) error {
	cluster, ok := s.client.(*redis.ClusterClient)
	if !ok {
		return s.keysOf(ctx, s.client, f)
	}
	var one sync.Mutex // the masters are asked at the same time
	return cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
		one.Lock()
		defer one.Unlock()
		return s.keysOf(ctx, master, f)
	})
}

func (s *redisServer) keysOf(ctx context.Context, server redis.UniversalClient, f func(some []string) error) error {
	var cursor uint64
	for {
		some, next, err := server.Scan(ctx, cursor, s.prefix+"*", 1000).Result()
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
	err := s.keys(ctx, func(some []string) error {
		_, err := s.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for _, key := range some { // one by one: on a cluster they are in different slots
				pipe.Unlink(ctx, key)
			}
			return nil
		})
		return err
	})
	for _, rdb := range append(s.clients, s.client) {
		_ = rdb.Close()
	}
	if err != nil {
		return fmt.Errorf("remove %s* from redis: %w", s.prefix, err)
	}
	return nil
}
