package cacheme

import (
	"context"
	"time"
)

// CallOption changes one call. It comes before what the node says, which comes before the options of the cache.
type CallOption func(*call)

// call is what a caller said.
type call struct {
	policy policy
	onHit  func(ctx context.Context, key string, value any)
	onMiss func(ctx context.Context, key string)
	force  bool // Refresh
	refill bool // Refill: nobody waits for the value, and an entry that is not there stays away
}

// TTL sets how long the entry lives, if this call loads it. Zero or less: it is not stored.
func TTL(d time.Duration) CallOption {
	return func(c *call) { c.policy.ttl = min(max(0, d), longestLife) }
}

// Stale sets how long past invalidation or expiry an old value may stand in for this call. Negative: never. Redis keeps
// an entry no longer than whoever loaded it asked for.
func Stale(d time.Duration) CallOption {
	return func(c *call) { c.policy.stale = min(max(0, d), longestLife) }
}

// OnHit is called instead of the node's Hit.
func OnHit(f func(ctx context.Context, key string, value any)) CallOption {
	return func(c *call) { c.onHit = f }
}

// OnMiss is called instead of the node's Miss.
func OnMiss(f func(ctx context.Context, key string)) CallOption {
	return func(c *call) { c.onMiss = f }
}

type bypassKey struct{}

// Bypass returns a context whose Gets call their loader and leave the cache alone.
func Bypass(ctx context.Context) context.Context {
	return context.WithValue(ctx, bypassKey{}, true)
}

func bypassed(ctx context.Context) bool {
	on, _ := ctx.Value(bypassKey{}).(bool)
	return on
}
