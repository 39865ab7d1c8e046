package cacheme

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// journal keeps the invalidations and removals that could not be delivered, until they are. Each key is kept once,
// however often it came: the memory is bounded by what the process writes to while Redis is away.
type journal struct {
	c       *Cache
	pending atomic.Int64 // len(tokens) + len(entries), for a look without the lock

	mu      sync.Mutex
	tokens  map[string]uint64 // Redis key of a token to the number of its last keep
	entries map[string]uint64 // Redis key of an entry to the same
	kept    uint64
	retry   *time.Timer
	closed  bool
}

// journalPause is the time between two tries while Redis is reachable and something is pending. While it is not, the
// probe that finds it back delivers.
const journalPause = 250 * time.Millisecond

func newJournal(c *Cache) *journal {
	return &journal{c: c, tokens: map[string]uint64{}, entries: map[string]uint64{}}
}

// keep adds tokens and entries. It is false once the journal is closed: nobody would deliver them.
func (j *journal) keep(tokens, entries []string) (pending int, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return int(j.pending.Load()), false
	}
	j.kept++
	for _, key := range tokens {
		j.tokens[key] = j.kept
	}
	for _, key := range entries {
		j.entries[key] = j.kept
	}
	j.count()
	j.schedule()
	return int(j.pending.Load()), true
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
		_ = j.deliverAll() // an error leaves the rest as it is, for the next try
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.retry = nil
	j.schedule()
}

// deliverBatch bounds one pipeline. A transaction whose rows are named one by one fits into one, with five keys a row at
// the default cap of 1000 rows.
const deliverBatch = 5000

// deliverAll is deliver for whom no caller waits.
func (j *journal) deliverAll() error { return j.deliver(context.Background()) }

// deliver sends everything that is pending, each batch within WriteBudget. What is written meanwhile stays for the next
// time.
func (j *journal) deliver(ctx context.Context) error {
	c := j.c
	// Which writes they were is not kept: memory is bounded by the keys alone.
	mark := c.mark(account{writes: []toldWrite{{Write: Write{Operation: "delivered late"}}}}, false)
	err := j.sendAll(ctx, j.tokens, func(keys []string) error {
		moment := c.flights.Now()
		times, err := c.store.Deliver(ctx, c.writePurse(len(keys)).left, mark, keys)
		mark = mark.Told()
		if err == nil {
			c.remember(keys, times, moment)
			c.happened(ctx, nil, Event{Kind: EventInvalidated, Count: len(keys)})
		}
		return err
	})
	if err != nil {
		return err
	}
	return j.sendAll(ctx, j.entries, func(keys []string) error {
		moment := c.flights.Now()
		_, err := c.store.RemoveAnyway(ctx, c.writePurse(len(keys)).left, keys)
		if err == nil {
			c.remember(keys, c.nowFor(keys), moment)
		}
		return err
	})
}

// sendAll sends what one of the maps holds, in batches.
func (j *journal) sendAll(ctx context.Context, kept map[string]uint64, send func(keys []string) error) error {
	j.mu.Lock()
	keys, numbers := make([]string, 0, len(kept)), make([]uint64, 0, len(kept))
	for key, number := range kept {
		keys, numbers = append(keys, key), append(numbers, number)
	}
	j.mu.Unlock()
	for from := 0; from < len(keys); from += deliverBatch {
		to := min(from+deliverBatch, len(keys))
		if err := send(keys[from:to]); err != nil {
			return err
		}
		j.done(kept, keys[from:to], numbers[from:to])
		j.c.happened(ctx, nil, Event{Kind: EventDelivered, Count: to - from})
	}
	return nil
}

// done drops what was delivered, unless it was kept again meanwhile.
func (j *journal) done(kept map[string]uint64, keys []string, numbers []uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, key := range keys {
		if kept[key] == numbers[i] {
			delete(kept, key)
		}
	}
	j.count()
}

// close tries once more, up to the end of ctx, and tells what is left.
func (j *journal) close(ctx context.Context) error {
	j.mu.Lock()
	j.closed = true
	if j.retry != nil {
		j.retry.Stop()
	}
	j.mu.Unlock()
	if j.pending.Load() == 0 {
		return nil
	}
	if err := j.deliver(ctx); err != nil {
		return &UndeliveredError{Pending: int(j.pending.Load()), Err: err}
	}
	return nil
}
