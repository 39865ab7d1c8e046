package cacheme

import (
	"context"
	"reflect"
	"slices"
)

// Bound is something to cache with its loader and its cache: a node type by Bind, a function by Memo.
type Bound[N, V any] struct {
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
	if b.plan.near == nearByNode && len(opts) == 0 {
		var at any = node
		if a, ok, err := b.c.nearHit(ctx, nearKey{b.plan, at}, at); ok {
			return resultOf[V](a), err
		}
	}
	r, err := b.c.newRequest(b.plan, node, opts)
	if err != nil {
		return Result[V]{}, err
	}
	if b.plan.near == nearByKey && r.near.plan != nil {
		if a, ok, err := b.c.nearHit(ctx, r.near, node); ok {
			return resultOf[V](a), err
		}
	}
	a, err := b.c.get(ctx, r, func(ctx context.Context, _ []*request) []loaded {
		v, err := b.load(ctx, node)
		return []loaded{{value: v, err: err}}
	})
	return resultOf[V](a), err
}

// Refresh loads the value of node now and stores it, whatever the cache holds, and returns it. Loads that are under
// way elsewhere are not stored; those who wait for them get their value all the same.
func (b *Bound[N, V]) Refresh(ctx context.Context, node N, opts ...CallOption) (V, error) {
	r, err := b.GetResult(ctx, node, slices.Concat(opts, []CallOption{force})...)
	return r.Value, err
}

// Peek is the package's Peek.
func (b *Bound[N, V]) Peek(ctx context.Context, node N) (Result[V], error) {
	return peek[V](ctx, b.c, b.plan, node)
}

// Set is the package's Set.
func (b *Bound[N, V]) Set(ctx context.Context, node N, value V, opts ...CallOption) error {
	return setIn(ctx, b.c, b.plan, node, value, opts)
}

// Class stands for all entries of b.
func (b *Bound[N, V]) Class() Invalid { return reference{kind: classKind, name: b.plan.class} }

// Node is one entry of b as a declaration, for what takes those: Cache.KeyOf, Keys, Count, Remove, and Main. For a node
// type the value itself will do as well.
func (b *Bound[N, V]) Node(node N) Declaration { return boundNode{b.plan, node} }

// boundNode is a node, or the arguments of a memo, with the plan that it belongs to.
type boundNode struct {
	plan *nodePlan
	node any
}

func (n boundNode) Meta() Meta { return n.plan.meta }

// nodeOf finds the plan of a declaration, and what the plan calls the node.
func (c *Cache) nodeOf(d any) (p *nodePlan, node any, err error) {
	if n, ok := d.(boundNode); ok {
		if !slices.Contains(c.registry.table.Load().memos, n.plan) && c.registry.table.Load().nodes[n.plan.typ] != n.plan {
			return nil, nil, &UsageError{Node: n.plan.name, Reason: "belongs to another cache; ask the one that it was made with"}
		}
		return n.plan, n.node, nil
	}
	t := reflect.TypeOf(d)
	switch {
	case t == nil:
		return nil, nil, &UsageError{Node: "nil", Reason: "is no node; write a value such as Shelf{User: 7}"}
	case t.Kind() == reflect.Pointer:
		return nil, nil, notRegistered(t)
	}
	p, err = c.nodePlan(t)
	return p, d, err
}
