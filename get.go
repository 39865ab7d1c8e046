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

// Bound is a node type with its loader and its cache. Make one with Bind.
type Bound[N NodeOf[V], V any] struct {
	c    *Cache
	plan *nodePlan
	load func(context.Context, N) (V, error)
}

// Bind joins a loader with a cache, so that callers need neither, and the node's declaration is looked up once. It
// fails where the node is not registered.
func Bind[N NodeOf[V], V any](c *Cache, load func(context.Context, N) (V, error)) (*Bound[N, V], error) {
	b, err := bind(c, load)
	if err != nil {
		return nil, err
	}
	return &b, nil
}

func bind[N NodeOf[V], V any](c *Cache, load func(context.Context, N) (V, error)) (b Bound[N, V], err error) {
	t := reflect.TypeFor[N]()
	switch {
	case c == nil:
		return b, &UsageError{Node: t.String(), Reason: "is asked from a nil cache; give it what cacheme.New returned"}
	case load == nil:
		return b, &UsageError{Node: t.String(), Reason: "has a nil loader; give it a func(context.Context, " + t.String() + ") that loads the value"}
	}
	b = Bound[N, V]{c: c, load: load}
	b.plan, err = c.nodePlan(t)
	return b, err
}

// Get is the package's Get.
func (b *Bound[N, V]) Get(ctx context.Context, node N, opts ...CallOption) (V, error) {
	r, err := b.GetResult(ctx, node, opts...)
	return r.Value, err
}

// GetResult is the package's GetResult.
func (b *Bound[N, V]) GetResult(ctx context.Context, node N, opts ...CallOption) (Result[V], error) {
	r, err := b.c.newRequest(b.plan, node, opts)
	if err != nil {
		return Result[V]{}, err
	}
	a, err := b.c.get(ctx, r, func(ctx context.Context, _ []*request) []loaded {
		v, err := b.load(ctx, node)
		return []loaded{{value: v, err: err}}
	})
	return resultOf[V](a), err
}

func force(c *call) { c.force = true }

// Refresh loads the value of node now and stores it, whatever the cache holds, and returns it. Loads that are under
// way elsewhere are not stored; those who wait for them get their value all the same.
func (b *Bound[N, V]) Refresh(ctx context.Context, node N, opts ...CallOption) (V, error) {
	r, err := b.GetResult(ctx, node, slices.Concat(opts, []CallOption{force})...)
	return r.Value, err
}

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

// Peek is the package's Peek.
func (b *Bound[N, V]) Peek(ctx context.Context, node N) (Result[V], error) {
	return peek[V](ctx, b.c, b.plan, node)
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

// Set is the package's Set.
func (b *Bound[N, V]) Set(ctx context.Context, node N, value V, opts ...CallOption) error {
	return setIn(ctx, b.c, b.plan, node, value, opts)
}

func setIn(ctx context.Context, c *Cache, p *nodePlan, node, value any, opts []CallOption) error {
	r, err := c.newRequest(p, node, opts)
	if err != nil {
		return err
	}
	return c.set(ctx, r, value)
}
