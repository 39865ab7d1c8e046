package cacheme

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// journal keeps the invalidations and removals that could not be delivered. Each is kept once, however often it came,
// and until no entry can be left that it concerns.
type journal struct {
	c       *Cache
	pending atomic.Int64 // len(tokens) + len(entries), for a look without the lock

	mu      sync.Mutex
	tokens  map[string]time.Time // Redis key of a token to when it was last written
	entries map[string]time.Time // Redis key of an entry to when it was last removed
	life    time.Duration        // of the longest-lived entry
	retry   *time.Timer
	closed  bool
}

// journalPause is the time between two tries while Redis is reachable and something is pending. While it is not, the
// probe that finds it back delivers.
const journalPause = 250 * time.Millisecond

func newJournal(c *Cache) *journal {
	return &journal{c: c, tokens: map[string]time.Time{}, entries: map[string]time.Time{}}
}

// keep adds tokens and entries.
func (j *journal) keep(tokens, entries []string) (pending int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	for _, key := range tokens {
		j.tokens[key] = now
	}
	for _, key := range entries {
		j.entries[key] = now
	}
	j.count()
	j.schedule()
	return int(j.pending.Load())
}

func (j *journal) count() { j.pending.Store(int64(len(j.tokens) + len(j.entries))) }

func (j *journal) schedule() {
	if j.retry == nil && !j.closed && j.pending.Load() > 0 {
		j.retry = time.AfterFunc(journalPause, j.tryAgain)
	}
}

func (j *journal) tryAgain() {
	if !j.c.loads.Enter() {
		return
	}
	defer j.c.loads.Leave()
	if !j.c.store.Away() {
		_ = j.deliver() // an error leaves everything as it is, for the next try
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.retry = nil
	j.schedule()
}

// concerns reports whether something pending makes one of the keys wrong.
func (j *journal) concerns(tokens []string, entry string) bool {
	if j.pending.Load() == 0 {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, ok := j.entries[entry]; ok {
		return true
	}
	for _, key := range tokens {
		if _, ok := j.tokens[key]; ok {
			return true
		}
	}
	return false
}

// deliverBatch bounds one pipeline.
const deliverBatch = 1000

// deliver sends everything that is pending. What is written meanwhile stays for the next time.
func (j *journal) deliver() error {
	j.mu.Lock()
	for _, kept := range []map[string]time.Time{j.tokens, j.entries} {
		for key, at := range kept {
			if j.life > 0 && time.Since(at) > j.life {
				delete(kept, key)
			}
		}
	}
	j.count()
	tokens, tokenTimes := taken(j.tokens)
	entries, entryTimes := taken(j.entries)
	j.mu.Unlock()

	c, ctx := j.c, context.Background()
	for from := 0; from < len(tokens); from += deliverBatch {
		batch := tokens[from:min(from+deliverBatch, len(tokens))]
		moment := c.flights.Now()
		times, err := c.store.Deliver(ctx, c.options.WriteBudget, batch)
		if err != nil {
			return err
		}
		c.own.remember(batch, times, moment)
		j.done(j.tokens, batch, tokenTimes)
	}
	for from := 0; from < len(entries); from += deliverBatch {
		batch := entries[from:min(from+deliverBatch, len(entries))]
		if _, err := c.store.RemoveAnyway(ctx, c.options.WriteBudget, batch); err != nil {
			return err
		}
		j.done(j.entries, batch, entryTimes)
	}
	if n := len(tokens) + len(entries); n > 0 {
		c.tell(ctx, Event{Kind: EventDelivered, Count: n})
	}
	return nil
}

func taken(kept map[string]time.Time) (keys []string, times map[string]time.Time) {
	times = make(map[string]time.Time, len(kept))
	for key, at := range kept {
		keys = append(keys, key)
		times[key] = at
	}
	return keys, times
}

// done drops what was delivered, unless it was written again meanwhile.
func (j *journal) done(kept map[string]time.Time, keys []string, times map[string]time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, key := range keys {
		if kept[key].Equal(times[key]) {
			delete(kept, key)
		}
	}
	j.count()
}

// outlive keeps what is pending for at least d.
func (j *journal) outlive(d time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.life = max(j.life, d)
}

// close tries once more and tells what is left.
func (j *journal) close() error {
	j.mu.Lock()
	j.closed = true
	if j.retry != nil {
		j.retry.Stop()
	}
	j.mu.Unlock()
	if j.pending.Load() == 0 {
		return nil
	}
	if err := j.deliver(); err != nil {
		return &UndeliveredError{Pending: int(j.pending.Load()), Err: err}
	}
	return nil
}
