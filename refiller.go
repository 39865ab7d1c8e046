package cacheme

import (
	"context"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// RefillOptions bound what Cache.Refill costs. The zero value is ready for use.
type RefillOptions struct {
	// Concurrency is how many loads run at the same time. Defaults to 2.
	Concurrency int
	// PerSecond is how many nodes are loaded in a second at most. Defaults to 500.
	PerSecond int
	// Age is how long a node may wait to be loaded, and its load may take. Defaults to 5 s.
	Age time.Duration
	// Pending is how many nodes may wait. Defaults to 10 000.
	Pending int
}

// refiller loads entries in the background.
type refiller struct {
	c       *Cache
	loaders sync.Map // *nodePlan to loader
	lane    lane[*request]
}

func newRefiller(c *Cache) *refiller {
	f, o := &refiller{c: c}, c.options.Refill
	f.lane = lane[*request]{
		c:       c,
		limits:  limits{o.Concurrency, o.PerSecond, o.Pending, o.Age},
		id:      func(r *request) string { return r.entry },
		joins:   func(first, next *request) bool { return first.plan == next.plan },
		do:      f.load,
		dropped: EventRefillDropped,
	}
	return f
}

// load is a GetMany that leaves aside what Redis has no entry of, and that no caller asked for.
func (f *refiller) load(batch []*request) {
	c, p := f.c, batch[0].plan
	many, _ := f.loaders.Load(p)
	load, ok := many.(loader)
	if !ok || !c.Enabled() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.options.Refill.Age)
	defer cancel()
	nodes := make([]any, len(batch))
	for i, r := range batch {
		nodes[i] = r.node
	}
	var n atomic.Int64
	defer func() {
		if v := recover(); v != nil { // in a node's Skip: that of a loader is an error
			c.happened(ctx, p, Event{Kind: EventError, Err: &PanicError{Value: v, Stack: debug.Stack()}})
		}
		if n := int(n.Load()); n > 0 {
			c.happened(ctx, p, Event{Kind: EventRefilled, Count: n})
		}
	}()
	// Errors are told as those of a load; the next reader meets them himself.
	_, _ = c.getMany(ctx, p, nodes, []CallOption{refilled}, func(ctx context.Context, rs []*request) []loaded {
		n.Add(int64(len(rs)))
		return load(ctx, rs)
	})
}

// refilled says that nobody asked for the value.
func refilled(c *call) { c.refill = true }
