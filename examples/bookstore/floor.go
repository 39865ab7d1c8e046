package main

import (
	"context"
	"errors"
)

// floor is what a shop is opened on: a database with its contents, and a Redis.
type floor struct {
	db      *database
	redis   *redisServer
	history *history
}

func openFloor(ctx context.Context, c config, out *page) (*floor, error) {
	f := &floor{}
	if err := f.open(ctx, c, out); err != nil {
		return nil, errors.Join(err, f.close(ctx))
	}
	return f, nil
}

func (f *floor) open(ctx context.Context, c config, out *page) (err error) {
	if f.db, err = openDatabase(ctx, c.dsn); err != nil {
		return err
	}
	if f.redis, err = openRedis(c); err != nil {
		return err
	}
	out.titlef("The bookstore")
	out.linef("database: %s", f.db.name)
	out.linef("redis:    %s", f.redis.name)
	f.history = newHistory(f.db)
	return fill(ctx, f.db, f.history, c.size, c.seed, out)
}

// close closes what is open of it.
func (f *floor) close(ctx context.Context) (err error) {
	if f.redis != nil {
		err = f.redis.close(ctx)
	}
	if f.db != nil {
		err = errors.Join(err, f.db.close())
	}
	return err
}
