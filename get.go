package cacheme

import (
	"context"
	"reflect"
	"slices"
	"time"
)

// Result is a value and where it came from.
type Result[V any] struct {
	Value V
	// Stale: the value is known to be old, and stood in because the node allows that.
	Stale bool
	// Age is how long before the look at Redis the load of the value began, by Redis's clock. Zero for a value that was
	// loaded just now.
	Age  time.Duration
	Tier Tier
}

// Get returns the value of node: from the cache if it is fresh there, else from load, through the default cache.
//
// Once Invalidate, or the end of a Hold, has returned, no Get that starts later, in any process, returns a value that
// was loaded before it; stale serving, where the node asks for it, aside. For one key there is one
// load at a time in the whole fleet, and all who wait share its value, which they must not change (Meta.Copy gives each
// his own). Loaders have to read the primary database, outside of transactions; one that cannot says DoNotStore.
//
// load runs with the context values of the caller that happened to be first (tenant, trace), but not with his deadline:
// a caller that leaves does not fail the others. Everything that the value depends on has to be in the node's fields.
// Errors of load come back as they are and are not cached. A fault of Redis is not an error: load is called.
func Get[N NodeOf[V], V any](ctx context.Context, node N, load func(context.Context, N) (V, error), opts ...CallOption) (V, error) {
	r, err := GetResult(ctx, node, load, opts...)
	return r.Value, err
}

// GetFrom is Get through a given cache.
func GetFrom[N NodeOf[V], V any](ctx context.Context, c *Cache, node N, load func(context.Context, N) (V, error), opts ...CallOption) (V, error) {
	b, err := bind(c, load)
	if err != nil {
		var none V
		return none, err
	}
	return b.Get(ctx, node, opts...)
}

// GetResult is Get for those who want to know where the value came from.
func GetResult[N NodeOf[V], V any](ctx context.Context, node N, load func(context.Context, N) (V, error), opts ...CallOption) (Result[V], error) {
	c, err := mustHaveDefault()
	if err != nil {
		return Result[V]{}, err
	}
	b, err := bind(c, load)
	if err != nil {
		return Result[V]{}, err
	}
	return b.GetResult(ctx, node, opts...)
}

func force(c *call) { c.force = true }

// Refresh is Bound.Refresh through the default cache.
func Refresh[N NodeOf[V], V any](ctx context.Context, node N, load func(context.Context, N) (V, error), opts ...CallOption) (V, error) {
	return Get(ctx, node, load, slices.Concat(opts, []CallOption{force})...)
}

func resultOf[V any](a answer) Result[V] {
	v, _ := a.value.(V)
	return Result[V]{Value: v, Stale: a.stale, Age: a.age, Tier: a.tier}
}

// Peek returns the value of node if Get would serve it from the default cache, and never loads. A value that may only
// stand in is returned as stale, while somebody loads. Where there is none the error is ErrNoEntry; where "not found" is cached it is
// ErrNotFound. A fault of Redis is an error here.
func Peek[N NodeOf[V], V any](ctx context.Context, node N) (Result[V], error) {
	c, err := mustHaveDefault()
	if err != nil {
		return Result[V]{}, err
	}
	p, err := c.nodePlan(reflect.TypeFor[N]())
	if err != nil {
		return Result[V]{}, err
	}
	return peek[V](ctx, c, p, node)
}

func peek[V any](ctx context.Context, c *Cache, p *nodePlan, node any) (Result[V], error) {
	r, err := c.newRequest(p, node, nil)
	if err != nil {
		return Result[V]{}, err
	}
	a, err := c.peek(ctx, r)
	return resultOf[V](a), err
}

// Set stores a value that the caller has at hand in the default cache. It counts as loaded when Set is called, so
// it has to be what the database holds then: just written, or read under a lock. Loads that are under way are not stored. Where it
// cannot be stored the error is ErrNotStored, with the reason, or what Redis answered.
func Set[N NodeOf[V], V any](ctx context.Context, node N, value V, opts ...CallOption) error {
	c, err := mustHaveDefault()
	if err != nil {
		return err
	}
	p, err := c.nodePlan(reflect.TypeFor[N]())
	if err != nil {
		return err
	}
	return setIn(ctx, c, p, node, value, opts)
}

func setIn(ctx context.Context, c *Cache, p *nodePlan, node, value any, opts []CallOption) error {
	r, err := c.newRequest(p, node, opts)
	if err != nil {
		return err
	}
	return c.set(ctx, r, value)
}
