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
		w.sub = w.rdb.Subscribe(context.Background(), w.channel)
		w.ended = make(chan struct{})
		go w.listen(w.sub.Channel())
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

func (w *wakeFeed) listen(messages <-chan *redis.Message) {
	defer close(w.ended)
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
	sub, ended := w.sub, w.ended
	first := !w.closed
	w.closed = true
	w.mu.Unlock()
	if sub == nil {
		return
	}
	if first {
		sub.Close()
	}
	<-ended
}
