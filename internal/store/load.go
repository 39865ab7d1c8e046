package store

import (
	"context"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/guard"
)

// Want is an entry that somebody means to load.
type Want struct {
	Entry  string   // Redis key of the entry
	Owner  string   // of the lease; the same name again is the same owner
	Tokens []string // Redis keys of the dependencies, as far as they are known before the load
	Life   time.Duration
	Seen   string // the head of the entry as the caller saw it, see envelope.HeadSize; empty: there was none
	Force  bool   // take the lease over from whoever has it
	// Doubtful: a token may be missing or on probation, so the server is asked whether anything was lost. Where it was
	// not asked, a probation holds.
	Doubtful bool
}

// Begun is how a load stands before it loads: what it may later store, it stores under these tokens.
type Begun struct {
	Mine    bool   // the lease is
	Garbage bool   // under the entry's key is something of another Redis type
	Start   uint64 // Redis's time, not later than the load's start
	Epoch   Epoch  // the run of Redis that answered
	Tokens  []Dependency
	Created []bool // Tokens[i] was made here
	Until   uint64 // probation: what is loaded now must not be kept beyond; 0: none
	sent    time.Time
	back    time.Time
}

// Begin takes the leases and reads, creates and prolongs the tokens, all in one round trip. lease is the life of the
// leases; they start before any load that follows the return.
func (s *Store) Begin(ctx context.Context, budget, lease time.Duration, wants []Want) ([]Begun, error) {
	return call(ctx, s, budget, func(ctx context.Context) ([]Begun, error) {
		return s.begin(ctx, lease, wants)
	})
}

func (s *Store) begin(ctx context.Context, lease time.Duration, wants []Want) ([]Begun, error) {
	doubtful := slices.ContainsFunc(wants, func(w Want) bool { return w.Doubtful })
	for {
		epoch, err := s.currentEpoch(ctx)
		if err != nil {
			return nil, err
		}
		hold, sent := s.hold.Load(), time.Now()
		leases := make([]*redis.Cmd, len(wants))
		touches := make([][]*redis.Cmd, len(wants))
		var lost losses
		early := s.askLossesEarly(ctx)
		err = s.pipelined(ctx, func(pipe redis.Pipeliner) {
			for i, w := range wants {
				leases[i] = s.scripts.lease.EvalSha(ctx, pipe, []string{LeaseKey(w.Entry), w.Entry}, w.Owner, lease.Milliseconds(), flag(w.Force), w.Seen)
				touches[i] = s.touchAll(ctx, pipe, w.Tokens, epoch, w.Life, hold, 0)
			}
			if doubtful {
				// Behind the tokens: what is lost after this look is seen by the next one.
				lost = s.askLosses(ctx, pipe)
			}
		})
		if err != nil {
			return nil, err
		}
		back := time.Now()
		begun := make([]Begun, len(wants))
		for i := range wants {
			begun[i] = Begun{Epoch: epoch, sent: sent, back: back}
			if err := begun[i].readLease(leases[i]); err != nil {
				return nil, err
			}
			if begun[i].Tokens, begun[i].Created, err = readTouches(touches[i], epoch); err != nil {
				return nil, err
			}
			s.clock.note(begun[i].Start, sent, back)
		}
		after, err := s.currentEpoch(ctx)
		if err != nil {
			return nil, err
		}
		if after != epoch {
			continue // another run of Redis answered: what it said in between means nothing
		}
		if early != nil {
			lost = *early
		}
		s.learnHold(lost)
		for {
			known := s.hold.Load()
			for i, w := range wants {
				b := &begun[i]
				if err := s.lengthen(ctx, w.Tokens, b, hold, known); err != nil {
					return nil, err
				}
				b.Until = s.probation(ctx, b.Tokens, lost, epoch, b.Start)
			}
			if s.hold.Load() == known {
				return begun, nil
			}
			hold = known
		}
	}
}

// lengthen makes up for probations that this Begin has just written under a hold time of was milliseconds, where
// somebody in the fleet turned out to hold for as long as is. Whoever wrote one lengthens it, so that it is done once.
func (s *Store) lengthen(ctx context.Context, keys []string, b *Begun, was, is int64) error {
	var short []string
	var at []int
	for i, key := range keys {
		if b.Created[i] && is > was {
			short, at = append(short, key), append(at, i)
		}
	}
	if short == nil {
		return nil
	}
	var touches []*redis.Cmd
	err := s.pipelined(ctx, func(pipe redis.Pipeliner) {
		// Only the probation is to grow: the life was given with the token.
		touches = s.touchAll(ctx, pipe, short, b.Epoch, time.Millisecond, is, is-was)
	})
	if err != nil {
		return err
	}
	longer, _, err := readTouches(touches, b.Epoch)
	if err != nil {
		return err
	}
	for i, d := range longer {
		b.Tokens[at[i]] = d
	}
	return nil
}

// askLossesEarly is what a test does to break the rule that losses are asked for after the tokens.
func (s *Store) askLossesEarly(ctx context.Context) *losses {
	if !s.rules.Off(guard.ExcuseAfterTokens) {
		return nil
	}
	pipe := s.rdb.Pipeline()
	l := s.askLosses(ctx, pipe)
	pipe.Exec(ctx)
	return &l
}

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

// touchAll touches each key. hold and short are milliseconds, see lua/touch.lua.
func (s *Store) touchAll(ctx context.Context, pipe redis.Pipeliner, keys []string, epoch Epoch, life time.Duration, hold, short int64) []*redis.Cmd {
	cmds := make([]*redis.Cmd, len(keys))
	for i, key := range keys {
		cmds[i] = s.scripts.touch.EvalSha(ctx, pipe, []string{key}, epoch.String(), randomNonce(ByLoad), life.Milliseconds(), hold, short)
	}
	return cmds
}

func (b *Begun) readLease(cmd *redis.Cmd) error {
	reply, err := cmd.Slice()
	if err != nil {
		return err
	}
	mine, _ := reply[0].(int64)
	now, _ := reply[1].(string)
	kind, _ := reply[2].(string)
	b.Mine = mine == 1
	b.Garbage = kind != "none" && kind != "string"
	b.Start, _ = parseMicros(now)
	return nil
}

func readTouches(cmds []*redis.Cmd, epoch Epoch) (tokens []Dependency, created []bool, err error) {
	tokens, created = make([]Dependency, len(cmds)), make([]bool, len(cmds))
	for i, cmd := range cmds {
		reply, err := cmd.Slice()
		if err != nil {
			return nil, nil, err
		}
		text, _ := reply[0].(string)
		made, _ := reply[1].(int64)
		tokens[i], created[i] = parseRecord(text, epoch, 0), made == 1
	}
	return tokens, created, nil
}

// probation returns until when a load that began at start may be kept, 0 for without limit.
//
// A token found missing may have been a hold that eviction or a flush took; its writer may still commit and be killed
// before it tells anybody. So whoever makes a missing token writes until = now + one hold time beside it. Where the
// server shows that nothing was lost in the hold time before the token was found missing, it was simply new.
func (s *Store) probation(ctx context.Context, tokens []Dependency, lost losses, epoch Epoch, start uint64) uint64 {
	if s.rules.Off(guard.Probation) {
		return 0
	}
	var until, intact uint64
	asked := false
	for _, d := range tokens {
		if d.Until <= start {
			continue
		}
		if !asked {
			intact, asked = s.intactSince(ctx, lost, epoch, start), true
		}
		if intact <= d.Until-2*uint64(s.Hold().Microseconds()) {
			continue
		}
		if until == 0 || d.Until < until {
			until = d.Until
		}
	}
	return until
}

// Late is what was read of the dependencies that became known only by loading.
type Late struct {
	Tokens  []Dependency
	Created []bool
	Before  uint64 // a token made at or after this time may be younger than the load
	Agreed  bool   // Redis's clock and the process's own agree on how long the load took
}

// ReadLate reads, creates and prolongs the tokens of dependencies that are known only now, after the load that began
// with b. It is one round trip.
func (s *Store) ReadLate(ctx context.Context, budget time.Duration, b Begun, keys []string, life time.Duration) (Late, error) {
	return call(ctx, s, budget, func(ctx context.Context) (Late, error) {
		epoch, err := s.currentEpoch(ctx)
		if err != nil {
			return Late{}, err
		}
		sent := time.Now()
		var touches []*redis.Cmd
		err = s.pipelined(ctx, func(pipe redis.Pipeliner) {
			touches = s.touchAll(ctx, pipe, keys, epoch, life, s.hold.Load(), 0)
		})
		if err != nil {
			return Late{}, err
		}
		back := time.Now()
		var late Late
		if late.Tokens, late.Created, err = readTouches(touches, epoch); err != nil {
			return Late{}, err
		}
		if after, err := s.currentEpoch(ctx); err != nil || after != epoch {
			return Late{}, err // no tokens: the caller takes that for missing ones
		}
		late.Before, late.Agreed = b.compareClocks(touches, sent, back)
		return late, nil
	})
}

// driftShare is how much two clocks may drift apart: NTP slews by up to 500 ppm.
const driftShare = 1000

// compareClocks checks that Redis's clock did not step while the load ran, and returns the time that a token must be
// older than. Between the two replies the process measured at least lo and at most hi; a step that hides within
// hi - lo is what the margin is for.
func (b *Begun) compareClocks(touches []*redis.Cmd, sent, back time.Time) (before uint64, agreed bool) {
	if len(touches) == 0 {
		return b.Start, true
	}
	lo, hi := sent.Sub(b.back).Microseconds(), back.Sub(b.sent).Microseconds()
	drift := 1 + hi/driftShare
	margin := uint64(hi - lo + drift)
	before = b.Start - min(margin, b.Start)
	agreed = true
	for _, cmd := range touches {
		reply, err := cmd.Slice()
		if err != nil {
			return before, false
		}
		text, _ := reply[2].(string)
		now, _ := parseMicros(text)
		took := int64(now) - int64(b.Start)
		agreed = agreed && took >= lo-drift && took <= hi+drift
	}
	return before, agreed
}

// Fill is the end of a load.
type Fill struct {
	Entry string // Redis key
	Owner string
	Store bool // false: only give the lease back
	Bytes []byte
	Life  time.Duration
	Until uint64 // end of probation; 0: none
}

// Filled is what became of a Fill.
type Filled struct {
	Mine   bool // the lease was still the owner's
	Stored bool
}

// Fill stores entries and gives their leases back, one script for each, and wakes those who wait in other processes.
// It is one round trip.
func (s *Store) Fill(ctx context.Context, budget time.Duration, fills []Fill) ([]Filled, error) {
	return call(ctx, s, budget, func(ctx context.Context) ([]Filled, error) {
		cmds := make([]*redis.Cmd, len(fills))
		err := s.pipelined(ctx, func(pipe redis.Pipeliner) {
			for i, f := range fills {
				cmds[i] = s.scripts.fill.EvalSha(ctx, pipe, []string{f.Entry, LeaseKey(f.Entry)},
					f.Owner, flag(f.Store), f.Bytes, f.Life.Milliseconds(), f.Until)
			}
			for _, f := range fills {
				pipe.Publish(ctx, s.wakes.channel, f.Entry)
			}
		})
		if err != nil {
			return nil, err
		}
		filled := make([]Filled, len(fills))
		for i, cmd := range cmds {
			reply, err := cmd.Int64Slice()
			if err != nil {
				return nil, err
			}
			filled[i] = Filled{Mine: reply[0] == 1, Stored: reply[1] == 1}
		}
		return filled, nil
	})
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
