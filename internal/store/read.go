package store

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// Values are what Redis held under some keys, in their order, and how to read them.
type Values struct {
	raw   []string
	at    []int // places of the keys in raw; nil: their order
	epoch Epoch
	run   epochText
	now   uint64
}

// Epoch returns the run of Redis that the values came from.
func (v Values) Epoch() Epoch { return v.epoch }

// Now is Redis's time when the values had come, as Store.Now estimates it.
func (v Values) Now() uint64 { return v.now }

// Text returns the bytes under key i. A key that is missing, empty or of another type gives false.
func (v Values) Text(i int) (string, bool) {
	if v.at != nil {
		i = v.at[i]
	}
	return v.raw[i], v.raw[i] != ""
}

// Dependency reads key i as a token.
func (v Values) Dependency(i int) Dependency {
	text, _ := v.Text(i)
	return parseRecord(text, v.run, v.now)
}

// At returns the values of the keys at these places, in their order.
func (v Values) At(places []int) Values {
	at := places
	if v.at != nil {
		at = make([]int, len(places))
		for i, place := range places {
			at[i] = v.at[place]
		}
	}
	v.at = at
	return v
}

// Of the reads: how many are on the wire at once, how many while one of them is shared, and the keys of one that is shared.
const (
	readLanes = 4
	readCrowd = 2
	readRoom  = 700
)

// Read fetches keys: one MGET, or on a cluster a pipeline of GETs that fans out to the masters. Callers who come at the
// same time may share one, that is sent when all of them are there.
func (s *Store) Read(ctx context.Context, budget time.Duration, keys []string) (Values, error) {
	return s.reads.do(ctx, budget, keys)
}

func (s *Store) read(ctx context.Context, keys []string) (Values, error) {
	raw, err := s.fetch(ctx, keys)
	if err != nil {
		return Values{}, err
	}
	epoch, err := s.currentEpoch(ctx)
	run := epoch.text()
	s.notice(raw, run)
	return Values{raw: raw, epoch: epoch, run: run, now: s.Now()}, err
}

// readTogether fetches the keys of several callers, each once: the tokens of tables and classes are those of many.
func (s *Store) readTogether(ctx context.Context, asks [][]string) ([]Values, error) {
	total := 0
	for _, keys := range asks {
		total += len(keys)
	}
	places, _ := s.places.Get().(map[string]int)
	defer func() {
		clear(places)
		s.places.Put(places)
	}()
	all, at := make([]string, 0, total), make([]int, 0, total)
	for _, keys := range asks {
		for _, key := range keys {
			place, known := places[key]
			if !known {
				place = len(all)
				places[key], all = place, append(all, key)
			}
			at = append(at, place)
		}
	}
	values, err := s.read(ctx, all)
	if err != nil {
		return nil, err
	}
	answers := make([]Values, len(asks))
	for i, keys := range asks {
		answers[i] = values
		answers[i].at, at = at[:len(keys):len(keys)], at[len(keys):]
	}
	return answers, nil
}

// fetch returns what is under keys; what is empty counts as missing. Not by MGet, whose command makes a second object of
// each value that it reads.
func (s *Store) fetch(ctx context.Context, keys []string) ([]string, error) {
	if s.cluster != nil {
		return s.fetchEach(ctx, keys)
	}
	args := make([]any, 1+len(keys))
	args[0] = "mget"
	for i, key := range keys {
		args[1+i] = key
	}
	cmd := redis.NewStringSliceCmd(ctx, args...)
	if err := s.rdb.Process(ctx, cmd); err != nil {
		return nil, err
	}
	return cmd.Val(), nil
}

// fetchEach is fetch on a cluster: a pipeline of GETs that fans out to the masters. One that failed tells nothing of what
// is under its key, so that all of them have.
func (s *Store) fetchEach(ctx context.Context, keys []string) ([]string, error) {
	pipe := s.rdb.Pipeline()
	gets := make([]*redis.StringCmd, len(keys))
	for i, key := range keys {
		gets[i] = pipe.Get(ctx, key)
	}
	pipe.Exec(ctx) // each command's own answer is looked at below
	raw := make([]string, len(keys))
	for i, get := range gets {
		switch text, err := get.Result(); {
		case err == nil:
			raw[i] = text
		case !isNothing(err):
			return nil, err
		}
	}
	return raw, nil
}

// isNothing reports whether a GET says, as MGET would, that there is no text under its key.
func isNothing(err error) bool {
	return errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE")
}
