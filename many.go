package cacheme

import (
	"context"
	"slices"
)

// GetMany returns the values of nodes, in their order, through the default cache: those that are fresh from the cache
// in one round trip, the others from one call of load, which is given each missing node once. Every key is under its
// own lease, so that two callers whose nodes overlap never load one twice and never wait for each other for ever.
//
// A node that is not in load's map is not found. Then the error is a *MissingError, the values of the others are there
// all the same, and theirs are zero values. An error of load fails the nodes that it was asked for, and is returned
// beside the values of the others, joined with the *MissingError if there is one too.
func GetMany[N interface {
	comparable
	NodeOf[V]
}, V any](ctx context.Context, nodes []N, load func(context.Context, []N) (map[N]V, error), opts ...CallOption) ([]V, error) {
	c, err := mustHaveDefault()
	if err != nil {
		return nil, err
	}
	return GetManyFrom(ctx, c, nodes, load, opts...)
}

// GetManyFrom is GetMany through a given cache.
func GetManyFrom[N interface {
	comparable
	NodeOf[V]
}, V any](ctx context.Context, c *Cache, nodes []N, load func(context.Context, []N) (map[N]V, error), opts ...CallOption) ([]V, error) {
	var single func(context.Context, N) (V, error)
	if load != nil {
		single = func(context.Context, N) (v V, err error) { return v, nil }
	}
	b, err := bind(c, single)
	if err != nil {
		return nil, err
	}
	return GetManyBound(ctx, &b, nodes, load, opts...)
}

// GetManyBound is GetMany for a Bound: its own loader is not called.
func GetManyBound[N comparable, V any](ctx context.Context, b *Bound[N, V], nodes []N, load func(context.Context, []N) (map[N]V, error), opts ...CallOption) ([]V, error) {
	asked := make([]any, len(nodes))
	for i, n := range nodes {
		asked[i] = n
	}
	answers, err := b.c.getMany(ctx, b.plan, asked, opts, batch(b.plan, load))
	values := make([]V, len(answers))
	for i, a := range answers {
		values[i], _ = a.value.(V)
	}
	return values, err
}

// batch is a batch loader without its types.
func batch[N comparable, V any](p *nodePlan, load func(context.Context, []N) (map[N]V, error)) loader {
	return func(ctx context.Context, rs []*request) []loaded {
		return loadMany(ctx, rs, load, func(n N) (string, error) { return p.mainKey(n) })
	}
}

// loadMany calls a batch loader for the nodes of some requests. Its map may hold other Go values than were asked for
// that are the same nodes (another pointer to the same id, a time in another zone): those are found by their key.
func loadMany[N comparable, V any](ctx context.Context, rs []*request, load func(context.Context, []N) (map[N]V, error), keyOf func(N) (string, error)) []loaded {
	nodes := make([]N, len(rs))
	for i, r := range rs {
		nodes[i], _ = r.node.(N)
	}
	found, err := load(ctx, slices.Clone(nodes)) // the loader may sort what it gets
	if err != nil {
		return allFailed(len(rs), err)
	}
	out := make([]loaded, len(rs))
	var byKey map[string]V
	for i, n := range nodes {
		v, ok := found[n]
		if !ok && len(found) > 0 {
			if byKey == nil {
				byKey = keyed(found, keyOf)
			}
			key, _ := keyOf(n)
			v, ok = byKey[key]
		}
		if ok {
			out[i].value = v
		} else {
			out[i].err = ErrNotFound
		}
	}
	return out
}

func keyed[N comparable, V any](found map[N]V, keyOf func(N) (string, error)) map[string]V {
	byKey := make(map[string]V, len(found))
	for n, v := range found {
		if key, err := keyOf(n); err == nil {
			byKey[key] = v
		}
	}
	return byKey
}
