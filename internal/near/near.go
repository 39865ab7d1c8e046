// Package near keeps decoded values in the process, and knows when they may not be used any more.
//
// A value depends on some keys of Redis: the entry that it was read from, and the tokens under which it was loaded. Across
// each of these keys a tripwire is stretched before the keys are read. Whoever changes one of them in Redis says so on a
// channel; that word cuts the wire, and with it every value that hangs on it. So a value is as good as what Redis says for
// as long as its wires hold and every word arrives.
//
// That every word arrives is what the feed proves, again and again: it asks for an answer on the connection that carries
// the words, and the answer comes behind all words from before. Without a fresh answer nothing is served, and a
// connection that was broken for a moment costs all values. So a value that is served is at most Lag behind.
package near

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// Options of a Cache. All are required but Gullible, and of the Feed Tracked, States and Told.
type Options struct {
	// Size bounds what the values take, in bytes as their weights count.
	Size uint64
	// Lag bounds how far behind a value may be that is served.
	Lag time.Duration
	// Clock tells the process's own time, which never steps, and Redis's as it is estimated, both in microseconds. Redis's
	// is zero while nobody knows it.
	Clock func() (own int64, redis uint64)
	Feed  FeedOptions
	// Gullible serves and keeps values although nobody can show that no word is missing. For tests.
	Gullible bool
}

// Cache keeps values of one kind. It is safe for concurrent use.
type Cache[K comparable, T any] struct {
	values   *otter.Cache[K, *Value[T]]
	wires    wires
	clock    func() (int64, uint64)
	feed     *feed
	gullible bool
	// trusted is the process's time until which every word is known to have arrived, but for those younger than Lag.
	trusted atomic.Int64
}

// Value is a value that is kept.
type Value[T any] struct {
	What   T
	Until  uint64 // Redis's time after which it may not be served
	Weight uint32 // bytes, without what Cache adds for its own part
	wires  []*wire
	kept   int64 // the process's time
}

// New returns a Cache whose feed starts with the first Stretch.
func New[K comparable, T any](o Options) *Cache[K, T] {
	c := &Cache[K, T]{clock: o.Clock, gullible: o.Gullible}
	c.wires.init()
	c.values = otter.Must(&otter.Options[K, *Value[T]]{
		MaximumWeight:    o.Size,
		Weigher:          func(_ K, v *Value[T]) uint32 { return v.Weight },
		OnAtomicDeletion: func(e otter.DeletionEvent[K, *Value[T]]) { c.wires.release(e.Value.wires) },
	})
	c.feed = newFeed(o, &c.trusted, &c.wires, c.forget)
	return c
}

// Get returns the value that is kept under key, if it may be served now, and for how long it has been kept.
func (c *Cache[K, T]) Get(key K) (v *Value[T], kept time.Duration, ok bool) {
	if v, ok = c.values.GetIfPresent(key); !ok {
		return nil, 0, false
	}
	own, redis := c.clock()
	switch {
	case own >= c.trusted.Load() && !c.gullible:
		return nil, 0, false // perhaps only for a moment
	case redis >= v.Until || !whole(v.wires):
		c.values.Invalidate(key)
		return nil, 0, false
	}
	return v, time.Duration(own-v.kept) * time.Microsecond, true
}

// Stretch stretches a tripwire across each key. They are Redis keys; it is to be done before they are read.
func (c *Cache[K, T]) Stretch(keys ...[]string) *Stretched {
	c.feed.start()
	return c.wires.stretch(keys)
}

// Keep keeps a value that hangs on all wires of s, in the place of another one under key. It takes the wires over. states
// are those in which the keys of the wires were found, in their order, 0 where that is not known. While the feed is not
// proven alive nothing is kept.
func (c *Cache[K, T]) Keep(key K, v *Value[T], s *Stretched, states []uint64) {
	own, _ := c.clock()
	for i, state := range states {
		s.wires[i].found(state)
	}
	if own >= c.trusted.Load() && !c.gullible || !whole(s.wires) {
		return
	}
	v.kept, v.wires = own, s.take()
	v.Weight = uint32(min(uint64(v.Weight)+overhead+s.weight, maxWeight))
	c.values.Set(key, v)
}

// Wrong cuts the wires across some keys: what was made wrong by this process needs no word.
func (c *Cache[K, T]) Wrong(keys []string) {
	for _, key := range keys {
		c.wires.cut(key)
	}
}

// forget cuts all wires.
func (c *Cache[K, T]) forget() {
	c.wires.cutAll()
	c.values.InvalidateAll()
}

// Trusted reports whether values are served now.
func (c *Cache[K, T]) Trusted() bool {
	own, _ := c.clock()
	return own < c.trusted.Load()
}

// Size returns how many values are kept, and the sum of their weights.
func (c *Cache[K, T]) Size() (values int, weight uint64) {
	c.values.CleanUp() // what was kept just now counts too
	return c.values.EstimatedSize(), c.values.WeightedSize()
}

// Close ends the feed; nothing is served any more. It waits for what the feed does up to the end of ctx.
func (c *Cache[K, T]) Close(ctx context.Context) error {
	err := c.feed.close(ctx)
	c.forget()
	return err
}

const (
	// overhead is what a value costs besides itself and its wires: the Value, its slice of wires, and otter's node and place
	// in the table. Measured by TestWeightIsMemory.
	overhead = 230
	// maxWeight keeps one value from wrapping around otter's counter.
	maxWeight = 1 << 31
)
