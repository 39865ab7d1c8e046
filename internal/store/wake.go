package store

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
)

// wakeFeed tells those who wait for a load in another process that it is over. It is a hint only: a message that is
// lost costs a poll. The subscription is made by the first who waits, and stays until close.
type wakeFeed struct {
	rdb     redis.UniversalClient
	channel string
	mu      sync.Mutex
	sub     *redis.PubSub
	ended   chan struct{}
	stop    context.CancelFunc // of a dial that hangs, which Close of the subscription would wait for
	closed  bool
	waiting map[string]*wait // by entry
}

// wait is one entry that somebody waits for.
type wait struct {
	over    chan struct{} // closed when the entry was filled
	waiters int           // the last one to go takes the wait away: nobody else may, or the others sleep through
}

func (w *wakeFeed) init(rdb redis.UniversalClient, channel string) {
	w.rdb, w.channel = rdb, channel
	w.waiting = map[string]*wait{}
}

// Woken returns a channel that is closed when the load of entry is reported to be over, and a func to call when the
// wait is over. All who wait for one entry share it.
func (s *Store) Woken(entry string) (<-chan struct{}, func()) {
	w := &s.wakes
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sub == nil && !w.closed && !s.breaker.open() {
		// Without a channel nothing is dialled yet: a network that takes no connection must not hold up who waits.
		w.sub = w.rdb.Subscribe(context.Background())
		w.ended = make(chan struct{})
		ctx, cancel := context.WithCancel(context.Background())
		w.stop = cancel
		go w.listen(ctx, w.sub)
	}
	it, ok := w.waiting[entry]
	if !ok {
		it = &wait{over: make(chan struct{})}
		w.waiting[entry] = it
	}
	it.waiters++
	return it.over, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if it.waiters--; it.waiters == 0 && w.waiting[entry] == it {
			delete(w.waiting, entry)
		}
	}
}

func (w *wakeFeed) listen(ctx context.Context, sub *redis.PubSub) {
	defer close(w.ended)
	_ = sub.Subscribe(ctx, w.channel) // where it fails, the channel below tries again
	messages := sub.Channel()
	for m := range messages {
		w.mu.Lock()
		if it, ok := w.waiting[m.Payload]; ok {
			delete(w.waiting, m.Payload)
			close(it.over)
		}
		w.mu.Unlock()
	}
}

func (w *wakeFeed) close() {
	w.mu.Lock()
	sub, ended, stop := w.sub, w.ended, w.stop
	first := !w.closed
	w.closed = true
	w.mu.Unlock()
	if sub == nil {
		return
	}
	if first {
		stop()
		sub.Close()
	}
	<-ended
}
