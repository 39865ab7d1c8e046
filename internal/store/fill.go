package store

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// Fill is the end of a load.
type Fill struct {
	Entry string // Redis key
	Owner string
	Store bool // false: only give the lease back
	Bytes []byte
	Life  time.Duration
	Until uint64 // end of probation; 0: none
	Tell  bool   // near caches drop what they have: the entry replaces one that may be fresh
}

// order is what the script is to do besides giving the lease back.
func (f *Fill) order() string {
	switch {
	case !f.Store:
		return "0"
	case f.Tell:
		return "2"
	}
	return "1"
}

// Filled is what became of a Fill.
type Filled struct {
	Mine   bool // the lease was still the owner's
	Stored bool
}

// Of the fills: how many trips are on the wire at once, and what one call of the script takes, so that it neither holds
// everybody else up nor takes much of Redis's memory while it runs.
const (
	fillLanes   = 2
	fillsOfCall = 100
	bytesOfCall = 1 << 20
)

// sizeOfFills measures fills in bytes; the smallest counts as a hundredth of a call.
func sizeOfFills(fills []Fill) (bytes int) {
	for i := range fills {
		bytes += sizeOfFill(&fills[i])
	}
	return bytes
}

func sizeOfFill(f *Fill) int { return max(len(f.Bytes), bytesOfCall/fillsOfCall) }

// Fill stores entries and gives their leases back, and wakes those who wait in other processes. It is one round trip, which
// callers who come at the same time share.
func (s *Store) Fill(ctx context.Context, budget time.Duration, fills []Fill) ([]Filled, error) {
	return s.fills.do(ctx, budget, fills)
}

func (s *Store) fillTogether(ctx context.Context, asks [][]Fill) ([][]Filled, error) {
	var all []Fill
	for _, fills := range asks {
		all = append(all, fills...)
	}
	filled, err := s.fill(ctx, all)
	if err != nil {
		return nil, err
	}
	answers := make([][]Filled, len(asks))
	for i, fills := range asks {
		answers[i], filled = filled[:len(fills):len(fills)], filled[len(fills):]
	}
	return answers, nil
}

func (s *Store) fill(ctx context.Context, fills []Fill) ([]Filled, error) {
	var cmds []*redis.Cmd
	err := s.pipelined(ctx, func(pipe redis.Pipeliner) {
		cmds = cmds[:0] // sent again, after the scripts were loaded
		for rest := fills; len(rest) > 0; {
			n, size := 1, sizeOfFill(&rest[0])
			for n < len(rest) && s.cluster == nil && size+sizeOfFill(&rest[n]) <= bytesOfCall {
				size += sizeOfFill(&rest[n])
				n++
			}
			cmds = append(cmds, s.callFill(ctx, pipe, rest[:n]))
			rest = rest[n:]
		}
	})
	if err != nil {
		return nil, err
	}
	filled := make([]Filled, 0, len(fills))
	for _, cmd := range cmds {
		answers, err := cmd.Int64Slice()
		if err != nil {
			return nil, err
		}
		for _, answer := range answers {
			filled = append(filled, Filled{Mine: answer > 0, Stored: answer == 2})
		}
	}
	return filled, nil
}

func (s *Store) callFill(ctx context.Context, pipe redis.Pipeliner, fills []Fill) *redis.Cmd {
	keys, args := make([]string, 0, 2*len(fills)), make([]any, 0, 2+5*len(fills))
	args = append(args, s.wakes.channel, s.nearChannel)
	for _, f := range fills {
		keys = append(keys, f.Entry, LeaseKey(f.Entry))
		args = append(args, f.Owner, f.order(), f.Bytes, f.Life.Milliseconds(), f.Until)
	}
	return s.scripts.fill.EvalSha(ctx, pipe, keys, args...)
}

// Renew prolongs leases that are still the owner's. It is one round trip.
func (s *Store) Renew(ctx context.Context, budget, lease time.Duration, owner string, entries []string) error {
	_, err := call(ctx, s, budget, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.pipelined(ctx, func(pipe redis.Pipeliner) {
			for _, entry := range entries {
				s.scripts.renew.EvalSha(ctx, pipe, []string{LeaseKey(entry)}, owner, lease.Milliseconds())
			}
		})
	})
	return err
}
