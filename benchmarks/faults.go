package main

import (
	"context"
	"fmt"
	"time"
)

// fault is something that goes wrong with a fleet for a while.
type fault struct {
	name    string
	relayed bool
	away    bool // Redis does not answer the readers meanwhile
	// strike makes it, for so long, undoes it, and says what it met.
	strike func(ctx context.Context, f *fleet, lasts time.Duration) (met string, err error)
}

// faults are all that a near cache must notice by itself.
func faults() []fault {
	return []fault{
		{"half-open link", true, true, halfOpenLink},
		{"killed subscription", false, false, killedSubscription},
		{"paused reader", false, false, pausedReader},
		{"restarted Redis", false, true, restartedRedis},
	}
}

func halfOpenLink(ctx context.Context, f *fleet, lasts time.Duration) (string, error) {
	n := f.relay.halfOpen()
	return fmt.Sprintf("%d connections of the readers swallowed everything", n), sleep(ctx, lasts)
}

// killedSubscription kills them again and again, so that they are killed at every moment of their beginning too.
func killedSubscription(ctx context.Context, f *fleet, lasts time.Duration) (string, error) {
	killed := int64(0)
	for until := time.Now().Add(lasts); time.Now().Before(until); {
		n, err := f.redis.rdb.ClientKillByFilter(ctx, "TYPE", "pubsub").Result()
		if err != nil {
			return "", err
		}
		killed += n
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d subscriptions were killed", killed), nil
}

func pausedReader(ctx context.Context, f *fleet, lasts time.Duration) (string, error) {
	return fmt.Sprintf("one reader was stopped for %v", lasts), f.pause(ctx, lasts)
}

func restartedRedis(ctx context.Context, f *fleet, lasts time.Duration) (string, error) {
	return fmt.Sprintf("it was killed, and back and empty after %v", lasts/2), f.redis.restart(ctx, lasts/2)
}
