package store

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// Outcome is how a transaction ended, as its writer knows it.
type Outcome string

// The outcomes.
const (
	Commit   Outcome = "commit"
	Rollback Outcome = "rollback"
	Doubt    Outcome = "doubt" // a COMMIT without an answer: it may yet arrive
)

// Where the store waits for replicas, each of the following fails with ErrFewReplicas if it did not reach so many: what was
// written is with this primary alone, which may be none any more. A rollback does not: what it loses is a hold that lapses.

// Invalidate gives each dependency a new token: one script, one slot each, whatever depends on it. The keys are Redis
// keys; the times in the reply are those at which each became wrong. The record of the mark is one command more.
func (s *Store) Invalidate(ctx context.Context, budget time.Duration, m Mark, keys []string) ([]uint64, error) {
	return call(ctx, s, budget, func(ctx context.Context) ([]uint64, error) { return s.invalidate(ctx, m, keys) })
}

// Deliver is Invalidate for what could not be delivered before: it does not ask the breaker.
func (s *Store) Deliver(ctx context.Context, budget time.Duration, m Mark, keys []string) ([]uint64, error) {
	return callAnyway(ctx, s, budget, func(ctx context.Context) ([]uint64, error) { return s.invalidate(ctx, m, keys) })
}

func (s *Store) invalidate(ctx context.Context, m Mark, keys []string) ([]uint64, error) {
	nonce := m.name()
	return s.writeSurely(ctx, m, keys, func(pipe redis.Pipeliner, key, epoch string) *redis.Cmd {
		return s.scripts.invalidate.EvalSha(ctx, pipe, []string{key}, epoch, nonce, s.hold.Load(), s.NearChannel())
	})
}

// PlaceHold holds each dependency for owner until the hold time has passed or it is released. The same owner again
// renews. The returned deadline is the process's own clock's, and earlier than any that Redis keeps.
func (s *Store) PlaceHold(ctx context.Context, budget time.Duration, owner string, keys []string) (deadline time.Time, err error) {
	return call(ctx, s, budget, func(ctx context.Context) (time.Time, error) {
		deadline := time.Now().Add(s.Hold())
		nonce := randomNonce(ByLapse) // of what it settles
		_, err := s.writeSurely(ctx, Mark{}, keys, func(pipe redis.Pipeliner, key, epoch string) *redis.Cmd {
			return s.scripts.hold.EvalSha(ctx, pipe, []string{key}, epoch, nonce, owner, s.hold.Load(), s.NearChannel())
		})
		return deadline, err
	})
}

// Release ends owner's hold on each dependency. After a rollback no token has the mark's nonce: give it the zero Mark.
func (s *Store) Release(ctx context.Context, budget time.Duration, m Mark, owner string, outcome Outcome, keys []string) ([]uint64, error) {
	return call(ctx, s, budget, func(ctx context.Context) ([]uint64, error) {
		nonce, write := m.name(), s.writeSurely
		if outcome == Rollback {
			write = s.writeTokens
		}
		return write(ctx, m, keys, func(pipe redis.Pipeliner, key, epoch string) *redis.Cmd {
			return s.scripts.release.EvalSha(ctx, pipe, []string{key}, epoch, nonce, owner, s.hold.Load(), string(outcome), s.NearChannel())
		})
	})
}

// tokenScript is what is done to one token.
type tokenScript func(pipe redis.Pipeliner, key, epoch string) *redis.Cmd

// writeSurely is writeTokens, confirmed.
func (s *Store) writeSurely(ctx context.Context, m Mark, keys []string, script tokenScript) (times []uint64, err error) {
	err = s.confirmed(ctx, func(ctx context.Context) error {
		times, err = s.writeTokens(ctx, m, keys, script)
		return err
	})
	return times, err
}

// writeTokens runs one script for each key in a pipeline. Where another run of Redis turns out to have answered, it is
// done again: under the old epoch the tokens that were written mean nothing. Nobody has to vouch for the server: to write is
// never wrong.
func (s *Store) writeTokens(ctx context.Context, m Mark, keys []string, script tokenScript) ([]uint64, error) {
	for {
		epoch, err := s.settledEpoch(ctx)
		if err != nil {
			return nil, err
		}
		cmds := make([]*redis.Cmd, len(keys))
		sent := time.Now()
		err = s.pipelined(ctx, func(pipe redis.Pipeliner) {
			m.keep(ctx, s, pipe)
			for i, key := range keys {
				cmds[i] = script(pipe, key, epoch.String())
			}
		})
		if err != nil {
			return nil, err
		}
		times := make([]uint64, len(keys))
		for i, cmd := range cmds {
			reply, err := cmd.Slice()
			if err != nil {
				return nil, err
			}
			text, _ := reply[1].(string)
			times[i], _ = parseMicros(text)
			s.clock.note(times[i], sent, time.Now())
		}
		if after, err := s.settledEpoch(ctx); err != nil || after == epoch {
			return times, err
		}
	}
}

// Remove takes entries away, and with each its lease, so that a load under way cannot store what it loaded before.
func (s *Store) Remove(ctx context.Context, budget time.Duration, entries []string) (removed int64, err error) {
	return call(ctx, s, budget, func(ctx context.Context) (int64, error) { return s.remove(ctx, entries) })
}

// RemoveAnyway is Remove for what could not be removed before: it does not ask the breaker.
func (s *Store) RemoveAnyway(ctx context.Context, budget time.Duration, entries []string) (int64, error) {
	return callAnyway(ctx, s, budget, func(ctx context.Context) (int64, error) { return s.remove(ctx, entries) })
}

func (s *Store) remove(ctx context.Context, entries []string) (int64, error) {
	cmds := make([]*redis.Cmd, len(entries))
	err := s.confirmed(ctx, func(ctx context.Context) error {
		return s.pipelined(ctx, func(pipe redis.Pipeliner) {
			for i, entry := range entries {
				cmds[i] = s.scripts.remove.EvalSha(ctx, pipe, []string{entry, LeaseKey(entry)}, s.NearChannel())
			}
		})
	})
	if err != nil {
		return 0, err
	}
	var removed int64
	for _, cmd := range cmds {
		n, err := cmd.Int64()
		if err != nil {
			return 0, err
		}
		removed += n
	}
	return removed, nil
}
