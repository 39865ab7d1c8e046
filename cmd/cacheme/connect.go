package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/pflag"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/redisurl"
)

// connect returns a client of the Redis, which has answered. Whoever got it closes it.
func (p *program) connect(ctx context.Context) (redis.UniversalClient, error) {
	if p.prefix == "" {
		return nil, usagef("--prefix is empty; name the prefix of the cache")
	}
	if p.timeout <= 0 {
		return nil, usagef("--timeout is %v; write how long a step may take, such as 5s", p.timeout)
	}
	there, err := redisurl.Parse(p.redis, p.timeout)
	if err != nil {
		return nil, usagef("--redis: %v", err)
	}
	rdb := there.Dial()
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	if err := rdb.Ping(ctx).Err(); err != nil {
		return nil, errors.Join(fmt.Errorf("redis at %s does not answer: %w", there.Name, err), rdb.Close())
	}
	p.name = there.Name
	return rdb, nil
}

// options of the cache that stands for the services'. A step of a person may take longer than one of a service.
func (p *program) options() cacheme.Options {
	return cacheme.Options{Prefix: p.prefix, Budget: p.timeout, WriteBudget: p.timeout}
}

// closeTime is how long what is under way may still take once a command is done.
const closeTime = 5 * time.Second

// closing closes a cache and its client, also after an interrupt.
func closing(ctx context.Context, c *cacheme.Cache, rdb redis.UniversalClient, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	return errors.Join(err, c.Close(ctx), rdb.Close())
}

// hidePassword has the help say where the URL of the environment leads and nothing else of it: for sentinels a password is a parameter.
func hidePassword(f *pflag.Flag) {
	there, err := redisurl.Parse(f.DefValue, 0)
	if err != nil {
		f.DefValue = "what CACHEME_REDIS has, which is no URL of a Redis"
		return
	}
	f.DefValue = there.Name
}

// attached runs f with the cache that services have published under the prefix, and a client of its Redis.
func (p *program) attached(ctx context.Context, f func(k *cacheme.Console, rdb redis.UniversalClient) error) (err error) {
	rdb, err := p.connect(ctx)
	if err != nil {
		return err
	}
	k, err := cacheme.Attach(ctx, rdb, p.options())
	if err != nil {
		return errors.Join(err, rdb.Close())
	}
	defer func() { err = closing(ctx, k.Cache(), rdb, err) }()
	return f(k, rdb)
}
