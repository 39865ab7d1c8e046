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
	waiting map[string]chan struct{} // by entry; closed when it was filled
}

func (w *wakeFeed) init(rdb redis.UniversalClient, channel string) {
	w.rdb, w.channel = rdb, channel
	w.waiting = map[string]chan struct{}{}
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
	c, ok := w.waiting[entry]
	if !ok {
		c = make(chan struct{})
		w.waiting[entry] = c
	}
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.waiting[entry] == c {
			delete(w.waiting, entry)
		}
	}
}

func (w *wakeFeed) listen(messages <-chan *redis.Message) {
	defer close(w.ended)
	for m := range messages {
		w.mu.Lock()
		if c, ok := w.waiting[m.Payload]; ok {
			delete(w.waiting, m.Payload)
			close(c)
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
