package cacheme

import (
	"context"
	"runtime/debug"
	"slices"
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

// refillBatch is how many nodes one batch loader is called with at most.
const refillBatch = 100

// refiller loads entries in the background. Its goroutines end when there is nothing to do.
type refiller struct {
	c       *Cache
	loaders sync.Map // *nodePlan to loader

	mu      sync.Mutex
	waiting []refilling // in the order in which they came
	known   map[string]bool
	running int
	next    time.Time // when the rate allows the next load
}

// refilling is one node that waits.
type refilling struct {
	r     *request
	since time.Time
}

func newRefiller(c *Cache) *refiller { return &refiller{c: c, known: map[string]bool{}} }

// add puts nodes in the queue, those aside that wait there already: their loads have not begun.
func (f *refiller) add(rs []*request) {
	now, dropped := time.Now(), 0
	f.mu.Lock()
	for _, r := range rs {
		switch {
		case f.known[r.entry]:
		case len(f.waiting) >= f.c.options.Refill.Pending:
			dropped++
		default:
			f.known[r.entry] = true
			f.waiting = append(f.waiting, refilling{r, now})
		}
	}
	start := 0
	for f.running < min(f.c.options.Refill.Concurrency, len(f.waiting)) && f.c.loads.Enter() {
		f.running++
		start++
	}
	f.mu.Unlock()
	f.drop(dropped, "too many wait")
	for range start {
		go f.run()
	}
}

func (f *refiller) drop(n int, reason string) {
	if n > 0 {
		f.c.happened(context.Background(), nil, Event{Kind: EventRefillDropped, Count: n, Reason: reason})
	}
}

func (f *refiller) run() {
	defer f.c.loads.Leave()
	for {
		batch, old, wait := f.take()
		f.drop(old, "they have waited for too long")
		switch {
		case wait > 0:
			select {
			case <-time.After(wait):
			case <-f.c.closing:
				return
			}
		case batch == nil:
			return
		default:
			f.load(batch)
		}
	}
}

// take takes the oldest nodes that one loader can load together, or tells how long the rate has them wait, and how many
// were too old. With neither of them the caller has ended.
func (f *refiller) take() (batch []*request, old int, wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now, o := time.Now(), f.c.options.Refill
	if wait := f.next.Sub(now); wait > 0 && len(f.waiting) > 0 {
		return nil, 0, wait
	}
	f.waiting = slices.DeleteFunc(f.waiting, func(w refilling) bool {
		expired := now.Sub(w.since) > o.Age
		if expired {
			old++
		}
		mine := !expired && len(batch) < refillBatch && (batch == nil || batch[0].plan == w.r.plan)
		if mine {
			batch = append(batch, w.r)
		}
		if expired || mine {
			delete(f.known, w.r.entry)
		}
		return expired || mine
	})
	if batch == nil {
		f.running--
		return nil, old, 0
	}
	f.next = now.Add(time.Duration(len(batch)) * time.Second / time.Duration(o.PerSecond))
	return batch, old, 0
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
