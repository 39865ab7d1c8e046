package store

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrAway says that Redis was not asked, because it did not answer lately.
var ErrAway = errors.New("redis is away")

// call runs one round trip in at most budget, unless the breaker is open.
func call[T any](ctx context.Context, s *Store, budget time.Duration, trip func(context.Context) (T, error)) (T, error) {
	if s.breaker.open() {
		var zero T
		return zero, ErrAway
	}
	return callAnyway(ctx, s, budget, trip)
}

// callAnyway does not ask the breaker. A client with ContextTimeoutEnabled heeds the deadline by itself. Any other
// ignores it on its sockets, so that the trip runs on a goroutine and is abandoned when it overruns; it ends whenever the
// client gives up.
func callAnyway[T any](ctx context.Context, s *Store, budget time.Duration, trip func(context.Context) (T, error)) (T, error) {
	var zero T
	if err := ctx.Err(); err != nil {
		return zero, err
	}
	if !s.gate.Enter() {
		return zero, ErrAway
	}
	if s.heedsContext {
		defer s.gate.Leave()
		bounded, cancel := s.deadlines.within(ctx, budget)
		defer cancel()
		value, err := trip(bounded)
		err = ofCaller(ctx, err)
		s.judge(ctx, err)
		return value, err
	}
	return callDetached(ctx, s, budget, trip)
}

func callDetached[T any](ctx context.Context, s *Store, budget time.Duration, trip func(context.Context) (T, error)) (T, error) {
	var zero T
	type reply struct {
		value T
		err   error
	}
	done := make(chan reply, 1)
	bounded, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	s.workers.run(func() {
		defer s.gate.Leave()
		value, err := trip(bounded)
		done <- reply{value, err}
	})
	select {
	case r := <-done:
		s.judge(ctx, r.err)
		return r.value, r.err
	case <-bounded.Done():
		if err := ctx.Err(); err != nil {
			return zero, err // the caller's end says nothing of Redis
		}
		s.breaker.failed(context.DeadlineExceeded)
		return zero, context.DeadlineExceeded
	}
}

// judge tells the breaker how a trip ended. The caller's own end says nothing of Redis.
func (s *Store) judge(ctx context.Context, err error) {
	switch {
	case err == nil:
		s.breaker.succeeded()
	case ctx.Err() == nil && !ended(ctx):
		s.breaker.failed(err)
	}
}

// ended reports whether the caller's deadline has passed. A socket may tell that before the context does.
func ended(ctx context.Context) bool {
	at, ok := ctx.Deadline()
	return ok && !time.Now().Before(at)
}

// ofCaller turns a socket's way to say that the caller's deadline has passed into the context's.
func ofCaller(ctx context.Context, err error) error {
	if err != nil && ended(ctx) {
		return context.DeadlineExceeded
	}
	return err
}

// heedsContext reports whether a client bounds what it does on its sockets by the deadline of the context. (A clone made
// by WithTimeout could be told to, but has none of the hooks of the user's client.)
func heedsContext(rdb redis.UniversalClient) bool {
	switch c := rdb.(type) {
	case *redis.Client:
		return c.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		return c.Options().ContextTimeoutEnabled
	}
	return false
}

// isReply reports whether err is an answer of a Redis that works: a nil, a wrong type, an unknown command.
func isReply(err error) bool {
	var answer redis.Error
	if !errors.As(err, &answer) {
		return false
	}
	for _, away := range []string{"LOADING", "READONLY", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", "OOM", "MISCONF", "NOREPLICAS"} {
		if strings.HasPrefix(answer.Error(), away) {
			return false
		}
	}
	return true
}

// isFull reports whether Redis refuses writes, for want of memory or replicas; it answers reads all the same.
func isFull(err error) bool {
	return redis.HasErrorPrefix(err, "OOM") || redis.HasErrorPrefix(err, "MISCONF") || redis.HasErrorPrefix(err, "NOREPLICAS")
}

// isMoving reports whether a slot is being moved, and of the keys of one script some are here and some there already. It says
// nothing of any other slot.
func isMoving(err error) bool { return redis.HasErrorPrefix(err, "TRYAGAIN") }

// isDown reports whether err says that Redis cannot be used for now.
func isDown(err error) bool {
	var network net.Error
	return err != nil && !isReply(err) && !isFull(err) && !isMoving(err) &&
		(errors.As(err, &network) || !errors.Is(err, context.Canceled))
}

// pipelined runs a pipeline of scripts. EVALSHA in a pipeline has no fallback of its own, so after a NOSCRIPT (a fresh
// server, SCRIPT FLUSH, a failover) the scripts are loaded and the whole pipeline is sent again: each of them may run
// twice without harm. What a single command of it answered is left to its caller.
func (s *Store) pipelined(ctx context.Context, fill func(pipe redis.Pipeliner)) error {
	for try := 0; ; try++ {
		pipe := s.rdb.Pipeline()
		fill(pipe)
		cmds, err := pipe.Exec(ctx)
		if err == nil {
			return nil
		}
		missing := false
		for _, cmd := range cmds {
			err := cmd.Err()
			missing = missing || redis.HasErrorPrefix(err, "NOSCRIPT")
			if err != nil && !isReply(err) {
				return err
			}
		}
		if !missing {
			return nil
		}
		if try > 0 {
			return err
		}
		if err := s.loadScripts(ctx); err != nil {
			return err
		}
	}
}

// loadScripts sends all scripts, on a cluster to every master: the client's own way would fail with a dead replica.
func (s *Store) loadScripts(ctx context.Context) error {
	return s.eachMaster(ctx, func(ctx context.Context, node redis.UniversalClient, _ string) error {
		pipe := node.Pipeline()
		for _, source := range s.scripts.sources {
			pipe.ScriptLoad(ctx, source)
		}
		_, err := pipe.Exec(ctx)
		return err
	})
}
