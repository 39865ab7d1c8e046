package store

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// Values are what Redis held under some keys, in their order, and how to read them.
type Values struct {
	raw   []any
	epoch Epoch
	now   uint64
}

// Epoch returns the run of Redis that the values came from.
func (v Values) Epoch() Epoch { return v.epoch }

// Text returns the bytes under key i. A key that is missing or of another type gives false.
func (v Values) Text(i int) (string, bool) {
	text, ok := v.raw[i].(string)
	return text, ok
}

// Dependency reads key i as a token.
func (v Values) Dependency(i int) Dependency {
	text, _ := v.raw[i].(string)
	return parseRecord(text, v.epoch, v.now)
}

// At returns the values of the keys at these places, in their order.
func (v Values) At(places []int) Values {
	raw := make([]any, len(places))
	for i, at := range places {
		raw[i] = v.raw[at]
	}
	v.raw = raw
	return v
}

// Read fetches keys: one MGET, or on a cluster a pipeline of GETs that fans out to the masters.
func (s *Store) Read(ctx context.Context, budget time.Duration, keys []string) (Values, error) {
	return call(ctx, s, budget, func(ctx context.Context) (Values, error) {
		raw, err := s.fetch(ctx, keys)
		if err != nil {
			return Values{}, err
		}
		epoch, err := s.currentEpoch(ctx)
		return Values{raw: raw, epoch: epoch, now: s.Now()}, err
	})
}

func (s *Store) fetch(ctx context.Context, keys []string) ([]any, error) {
	if s.cluster == nil {
		return s.rdb.MGet(ctx, keys...).Result()
	}
	pipe := s.rdb.Pipeline()
	gets := make([]*redis.StringCmd, len(keys))
	for i, key := range keys {
		gets[i] = pipe.Get(ctx, key)
	}
	pipe.Exec(ctx) // each command's own answer is looked at below
	raw := make([]any, len(keys))
	for i, get := range gets {
		text, err := get.Result()
		if err != nil && !isReply(err) {
			return nil, err
		}
		if err == nil {
			raw[i] = text
		}
	}
	return raw, nil
}
