package cachetest

import (
	"context"
	"sync/atomic"

	"github.com/cacheme/cacheme"
)

// Counter is a loader that counts its calls. Make one with CountLoads.
type Counter[N cacheme.NodeOf[V], V any] struct {
	load  func(context.Context, N) (V, error)
	loads atomic.Int64
}

// CountLoads returns a loader that counts how often load is called.
//
//	loads := cachetest.CountLoads(store.LoadShelf)
//	cacheme.GetFrom(ctx, cache.Cache, Shelf{User: 7}, loads.Load)
//	if loads.Loads() != 1 { ... }
func CountLoads[N cacheme.NodeOf[V], V any](load func(context.Context, N) (V, error)) *Counter[N, V] {
	return &Counter[N, V]{load: load}
}

// Load counts the call and loads.
func (c *Counter[N, V]) Load(ctx context.Context, node N) (V, error) {
	c.loads.Add(1)
	return c.load(ctx, node)
}

// Loads returns how often Load was called.
func (c *Counter[N, V]) Loads() int { return int(c.loads.Load()) }

// BatchCounter is a loader for GetMany that counts its calls. Make one with CountBatches.
type BatchCounter[N interface {
	comparable
	cacheme.NodeOf[V]
}, V any] struct {
	load  func(context.Context, []N) (map[N]V, error)
	loads atomic.Int64
	nodes atomic.Int64
}

// CountBatches returns a loader for GetMany that counts how often load is called, and for how many nodes.
func CountBatches[N interface {
	comparable
	cacheme.NodeOf[V]
}, V any](load func(context.Context, []N) (map[N]V, error)) *BatchCounter[N, V] {
	return &BatchCounter[N, V]{load: load}
}

// Load counts the call and loads.
func (c *BatchCounter[N, V]) Load(ctx context.Context, nodes []N) (map[N]V, error) {
	c.loads.Add(1)
	c.nodes.Add(int64(len(nodes)))
	return c.load(ctx, nodes)
}

// Loads returns how often Load was called.
func (c *BatchCounter[N, V]) Loads() int { return int(c.loads.Load()) }

// Nodes returns how many nodes were asked for in all calls of Load together.
func (c *BatchCounter[N, V]) Nodes() int { return int(c.nodes.Load()) }
