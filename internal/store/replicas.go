package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/guard"
)

// ErrFewReplicas says that fewer replicas than were asked for follow the primary: it may have been replaced, and what is
// written there, or read, be nobody else's.
var ErrFewReplicas = errors.New("fewer replicas than Options.WaitReplicas follow the primary")

// replicas vouch for a primary: one that has been replaced has none left, for they follow its successor. A process that
// waits for them believes what a primary says for no longer than trustFor after so many of them had received something
// that it wrote there.
type replicas struct {
	want     int           // 0: nobody has to vouch
	patience time.Duration // of the client on a connection
	asking   errand
	last     atomic.Pointer[vouched]
	failed   atomic.Pointer[unvouched]
}

// vouched is the last time that enough replicas were there.
type vouched struct {
	epoch Epoch
	at    time.Time // before they were asked
}

// unvouched is the last time that they were not.
type unvouched struct {
	err error
	at  time.Time
}

// patienceOf is how long a client waits for an answer on a connection before it gives that up.
func patienceOf(rdb redis.UniversalClient) time.Duration {
	patience := time.Duration(0)
	switch c := rdb.(type) {
	case *redis.Client:
		patience = c.Options().ReadTimeout
	case *redis.ClusterClient:
		patience = c.Options().ReadTimeout
	}
	if patience <= 0 {
		return trustFor // the client waits for ever
	}
	return patience
}

const (
	// trustFor is how long a primary is believed after its replicas were asked: the bound of docs/promises.md on what is read
	// from one that was replaced. It is shorter than any time after which sentinels and clusters replace a silent primary.
	trustFor = time.Second
	// askPause is the time between two questions, while anybody reads or writes.
	askPause = trustFor / 4
	// askBudget bounds one question.
	askBudget = askPause
)

// vouchedFor reports whether the run of Redis is one whose primary, or all of whose masters, had their replicas lately. It
// asks them anew ahead of time, so that nobody has to wait for that while all is well.
func (s *Store) vouchedFor(epoch Epoch) bool {
	r := &s.replicas
	if r.want == 0 || s.rules.Off(guard.ReplicasVouch) {
		return true
	}
	last := r.last.Load()
	if last == nil || last.epoch != epoch {
		return false
	}
	age := time.Since(last.at)
	if age > askPause && r.failedLately() == nil {
		s.askReplicas()
	}
	return age < trustFor
}

// Trusted reports whether what was said of changes until now may be relied on, without asking anybody: see vouchedFor.
func (s *Store) Trusted() bool {
	if s.replicas.want == 0 {
		return true
	}
	k := s.epoch.known.Load()
	return k != nil && s.vouchedFor(k.Epoch)
}

// failedLately is why the question failed, if that is so fresh that asking again would tell the same.
func (r *replicas) failedLately() error {
	if f := r.failed.Load(); f != nil && time.Since(f.at) < askPause {
		return f.err
	}
	return nil
}

// awaitReplicas asks whether enough replicas are there, and waits for the answer. Where they were not just now, it is that.
func (s *Store) awaitReplicas(ctx context.Context) error {
	if err := s.replicas.failedLately(); err != nil {
		return err
	}
	return s.askReplicas().wait(ctx) //nolint:contextcheck // it serves all who wait, under a budget of its own
}

func (s *Store) askReplicas() *errandRun {
	r := &s.replicas
	return r.asking.start(&s.gate, askBudget, func(ctx context.Context) (func(), error) {
		now, err := s.questionReplicas(ctx)
		if err != nil {
			r.failed.Store(&unvouched{err, time.Now()})
			return nil, err
		}
		return func() {
			r.last.Store(now)
			r.failed.Store(nil)
		}, nil
	})
}

// questionReplicas has replicas receive something, and says of which run of Redis they are.
func (s *Store) questionReplicas(ctx context.Context) (*vouched, error) {
	for {
		epoch, err := s.settledEpoch(ctx)
		if err != nil {
			return nil, err
		}
		at := time.Now()
		if err := s.writeToReplicas(ctx); err != nil {
			return nil, err
		}
		// Where another run has answered meanwhile, nobody can say whose replicas these were.
		if after, err := s.settledEpoch(ctx); err != nil || after == epoch {
			return &vouched{epoch, at}, err
		}
	}
}

// writeToReplicas writes something and waits until enough replicas have it, on a cluster on every master.
func (s *Store) writeToReplicas(ctx context.Context) error {
	keys, err := s.askedKeys(ctx)
	if err != nil {
		return err
	}
	return s.confirmed(ctx, func(ctx context.Context) error {
		pipe := s.rdb.Pipeline()
		written := make([]*redis.BoolCmd, len(keys))
		for i, key := range keys {
			pipe.SetNX(ctx, key, 1, askedLife)
			// A server that is full refuses the first, and its replicas follow it all the same.
			written[i] = pipe.PExpire(ctx, key, askedLife)
		}
		_, _ = pipe.Exec(ctx) // each command's own answer is looked at
		for _, cmd := range written {
			done, err := cmd.Result()
			if err == nil && !done {
				err = ErrFewReplicas // nothing was written that anybody could have received
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// askedLife is how long what is written for the question stays, without anybody who asks again.
const askedLife = time.Minute

// askedTries bounds the search for a key of every master: one may have a single slot of 16384.
const askedTries = 1 << 17

// askedKeys are keys to write to, one on each master.
func (s *Store) askedKeys(ctx context.Context) ([]string, error) {
	key := s.prefix + "meta:asked"
	if s.cluster == nil {
		return []string{key}, nil
	}
	without, err := s.Servers(ctx)
	if err != nil {
		return nil, err
	}
	var keys []string
	for i := 0; len(without) > 0 && i < askedTries; i++ {
		one := fmt.Sprint(key, ":", i)
		master, err := s.cluster.MasterForKey(ctx, one)
		if err != nil {
			return nil, err
		}
		if _, lacks := without[master.Options().Addr]; lacks {
			delete(without, master.Options().Addr)
			keys = append(keys, one)
		}
	}
	return keys, nil
}
