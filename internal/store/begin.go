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
	Garbage bool   // under the entry's key is an empty text, or something of another Redis type
	Start   uint64 // Redis's time, not later than the load's start
	Epoch   Epoch  // the run of Redis that answered
	Tokens  []Dependency
	Created []bool // Tokens[i] was made here
	Until   uint64 // probation: what is loaded now must not be kept beyond; 0: none
	trip
}

// Of the Begins: how many are on the wire at once, and the keys of one that is shared.
const (
	beginLanes = 2
	beginRoom  = tokensOfCall
)

// beginnings is what one caller asks of Begin.
type beginnings struct {
	lease time.Duration
	wants []Want
}

func (b beginnings) size() (keys int) {
	for i := range b.wants {
		keys += 2 + len(b.wants[i].Tokens)
	}
	return keys
}

// Begin takes the leases and reads, creates and prolongs the tokens, all in one round trip, which callers who come at the
// same time share. lease is the life of the leases; they start before any load that follows the return.
func (s *Store) Begin(ctx context.Context, budget, lease time.Duration, wants []Want) ([]Begun, error) {
	return s.begins.do(ctx, budget, beginnings{lease, wants})
}

func (s *Store) begin(ctx context.Context, b beginnings) ([]Begun, error) {
	all, err := s.beginTogether(ctx, []beginnings{b})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

func (s *Store) beginTogether(ctx context.Context, asks []beginnings) ([][]Begun, error) {
	doubtful := slices.ContainsFunc(asks, func(b beginnings) bool {
		return slices.ContainsFunc(b.wants, func(w Want) bool { return w.Doubtful })
	})
	for {
		epoch, err := s.currentEpoch(ctx)
		if err != nil {
			return nil, err
		}
		hold, sent := s.hold.Load(), time.Now()
		o := s.newOpening(epoch, hold, 0)
		for _, b := range asks {
			for _, w := range b.wants {
				o.load(w, b.lease)
			}
		}
		var lost losses
		early := s.askLossesEarly(ctx)
		err = s.pipelined(ctx, func(pipe redis.Pipeliner) {
			o.send(ctx, pipe)
			if doubtful {
				// Behind the tokens: what is lost after this look is seen by the next one.
				lost = s.askLosses(ctx, pipe)
			}
		})
		if err != nil {
			return nil, err
		}
		back := time.Now()
		if err := o.read(); err != nil {
			return nil, err
		}
		if len(o.times) > 0 {
			s.clock.note(o.times[0], sent, back)
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
			if err := s.lengthen(ctx, o, known); err != nil {
				return nil, err
			}
			begun := s.judgeAll(ctx, asks, o, lost, trip{sent, back})
			if s.hold.Load() == known {
				return begun, nil
			}
		}
	}
}

// trip is when a round trip was sent and when it was back, by the process's own clock.
type trip struct{ sent, back time.Time }

// judgeAll says how each load stands, and how long it may be kept.
func (s *Store) judgeAll(ctx context.Context, asks []beginnings, o *opening, lost losses, t trip) [][]Begun {
	all := make([][]Begun, len(asks))
	e := excuse{s: s, lost: lost}
	next := 0
	for i, b := range asks {
		all[i] = make([]Begun, len(b.wants))
		for j := range all[i] {
			begun := o.begun(next)
			begun.trip, begun.Until = t, e.probation(ctx, &begun)
			all[i][j] = begun
			next++
		}
	}
	return all
}

// lengthen makes up for probations that this Begin has just written under a hold time that is too short, where somebody
// in the fleet turned out to hold for as long as is. Whoever wrote one lengthens it, so that it is done once.
func (s *Store) lengthen(ctx context.Context, o *opening, is int64) error {
	if is <= o.hold {
		return nil
	}
	longer := s.newOpening(o.epoch, is, is-o.hold)
	var at []int
	for i, created := range o.created {
		if created {
			// Only the probation is to grow: the life was given with the token.
			longer.token(o.keys[i], time.Millisecond)
			at = append(at, i)
		}
	}
	o.hold = is
	if err := s.pipelined(ctx, func(pipe redis.Pipeliner) { longer.send(ctx, pipe) }); err != nil {
		return err
	}
	if err := longer.read(); err != nil {
		return err
	}
	for i, d := range longer.tokens {
		o.tokens[at[i]] = d
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
