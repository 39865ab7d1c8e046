package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/guard"
)

// confirmed does something that writes by pipelines, and fails with ErrFewReplicas where not each of the servers that took
// part has its replicas: the writes are done all the same, on that server.
func (s *Store) confirmed(ctx context.Context, write func(context.Context) error) error {
	if s.replicas.want == 0 {
		return write(ctx)
	}
	c := &confirmation{of: &s.epoch, want: s.replicas.want, patience: s.replicas.patience}
	if err := write(context.WithValue(ctx, confirmationKey{}, c)); err != nil || s.rules.Off(guard.ReplicasAcknowledge) {
		return err
	}
	return c.verdict()
}

// confirmation goes with the context of pipelines, to where each of them meets a connection: WAIT speaks of what was
// written on its own connection, and on a cluster only there it is known to which servers a pipeline goes in the end.
type confirmation struct {
	of       *epochKeeper // a client may be that of several stores
	want     int
	patience time.Duration // of the client on a connection

	mu    sync.Mutex
	heard bool
	err   error
}

type confirmationKey struct{}

// confirming has WAIT behind a pipeline on a connection that writes, where its context asks for that.
func (k *epochKeeper) confirming(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c, asked := ctx.Value(confirmationKey{}).(*confirmation)
		if !asked || c.of != k || !writes(cmds) {
			return next(ctx, cmds)
		}
		wait := redis.NewIntCmd(ctx, "wait", c.want, c.waitFor(ctx).Milliseconds())
		err := next(ctx, append(slices.Clip(cmds), wait))
		c.note(cmds, wait)
		return err
	}
}

// writes reports whether any of the commands is one by which a store writes what has to be confirmed.
func writes(cmds []redis.Cmder) bool {
	for _, cmd := range cmds {
		switch cmd.Name() {
		case "evalsha", "pexpire":
			return true
		}
	}
	return false
}

// waitFor is how long a server may wait for its replicas, so that its answer is back before the context ends and the client
// gives the connection up: a server looks only ten times a second for who has waited long enough. Zero would be for ever.
func (c *confirmation) waitFor(ctx context.Context) time.Duration {
	left := c.patience
	if end, ok := ctx.Deadline(); ok {
		left = min(left, time.Until(end))
	}
	return max(time.Millisecond, left/2)
}

// note takes a server's answer. Where it took none of the commands there is nothing to be confirmed.
func (c *confirmation) note(cmds []redis.Cmder, wait *redis.IntCmd) {
	taken := false
	for _, cmd := range cmds {
		taken = taken || cmd.Err() == nil
	}
	if !taken {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = true
	switch n, err := wait.Result(); {
	case err != nil:
		c.err = fmt.Errorf("%w: %w", ErrFewReplicas, err)
	case n < int64(c.want):
		c.err = fmt.Errorf("%w: %d of %d", ErrFewReplicas, n, c.want)
	}
}

func (c *confirmation) verdict() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.heard {
		return ErrFewReplicas // nobody was asked: the client has no hooks where its pipelines go
	}
	return c.err
}
