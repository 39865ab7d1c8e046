package store

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// What processes tell of themselves. All of it ends by itself, once nobody tells it any more.
const (
	declarationsLife = 24 * time.Hour
	// ToldLife is for how long what a process told is shown.
	ToldLife = time.Minute
)

func (s *Store) declarationsKey() string       { return s.prefix + "meta:declared" }
func (s *Store) fleetKey() string              { return s.prefix + "meta:fleet" }
func (s *Store) processKey(name string) string { return s.prefix + "meta:process:" + name }

// Declare keeps what a program declares, in place of what another one declared before.
func (s *Store) Declare(ctx context.Context, budget time.Duration, declared []byte) error {
	_, err := call(ctx, s, budget, func(ctx context.Context) (string, error) {
		return s.rdb.Set(ctx, s.declarationsKey(), declared, declarationsLife).Result()
	})
	return err
}

// Declared returns what was declared last; nil: nothing, or not lately.
func (s *Store) Declared(ctx context.Context, budget time.Duration) ([]byte, error) {
	return call(ctx, s, budget, func(ctx context.Context) ([]byte, error) {
		b, err := s.rdb.Get(ctx, s.declarationsKey()).Bytes()
		if err == redis.Nil { //nolint:errorlint // go-redis returns it as it is
			return nil, nil
		}
		return b, err
	})
}

// Tell keeps what a process says of itself for a minute, and the declarations for another day. declared: they are there.
func (s *Store) Tell(ctx context.Context, budget time.Duration, process string, said []byte) (declared bool, err error) {
	return call(ctx, s, budget, func(ctx context.Context) (bool, error) {
		now, err := s.rdb.Time(ctx).Result()
		if err != nil {
			return false, err
		}
		pipe := s.rdb.Pipeline()
		still := pipe.PExpire(ctx, s.declarationsKey(), declarationsLife)
		pipe.Set(ctx, s.processKey(process), said, ToldLife)
		pipe.ZAdd(ctx, s.fleetKey(), redis.Z{Score: float64(now.UnixMilli()), Member: process})
		pipe.ZRemRangeByScore(ctx, s.fleetKey(), "-inf", "("+milliseconds(now.Add(-ToldLife)))
		pipe.PExpire(ctx, s.fleetKey(), ToldLife)
		_, err = pipe.Exec(ctx)
		return still.Val(), err
	})
}

// Leave takes back what a process said.
func (s *Store) Leave(ctx context.Context, budget time.Duration, process string) error {
	_, err := call(ctx, s, budget, func(ctx context.Context) ([]redis.Cmder, error) {
		pipe := s.rdb.Pipeline()
		pipe.Del(ctx, s.processKey(process))
		pipe.ZRem(ctx, s.fleetKey(), process)
		return pipe.Exec(ctx)
	})
	return err
}

// Told returns what processes said in the last minute.
func (s *Store) Told(ctx context.Context, budget time.Duration) (said [][]byte, err error) {
	names, err := call(ctx, s, budget, func(ctx context.Context) ([]string, error) {
		now, err := s.rdb.Time(ctx).Result()
		if err != nil {
			return nil, err
		}
		return s.rdb.ZRangeByScore(ctx, s.fleetKey(), &redis.ZRangeBy{Min: milliseconds(now.Add(-ToldLife)), Max: "+inf"}).Result()
	})
	if err != nil || len(names) == 0 {
		return nil, err
	}
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = s.processKey(name)
	}
	values, err := s.Read(ctx, budget, keys)
	if err != nil {
		return nil, err
	}
	for i := range keys {
		if text, ok := values.Text(i); ok {
			said = append(said, []byte(text))
		}
	}
	return said, nil
}

func milliseconds(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }
