package store

import (
	"context"
	"strings"
	"sync"
	"time"

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

// waitMark stands behind the owner of a lease, once for each process that waits to hear of its end, see lua/lease.lua.
const waitMark = "!"

// OwnerOf returns the owner of a lease that was read.
func OwnerOf(lease string) string {
	owner, _, _ := strings.Cut(lease, waitMark)
	return owner
}

// Woken returns a channel that is closed when the load of entry is reported to be over, and a func to call when the
// wait is over. All who wait for one entry share it. lease is what the caller saw of the entry's: where nobody has asked
// to be told of its end, the first who waits does, in at most budget.
func (s *Store) Woken(ctx context.Context, budget time.Duration, entry, lease string) (<-chan struct{}, func()) {
	it, first := s.wakes.wait(entry, !s.breaker.open()) //nolint:contextcheck // the subscription serves all who will ever wait
	if first && OwnerOf(lease) == lease {
		s.askToBeTold(ctx, budget, entry)
	}
	return it.over, func() { s.wakes.leave(entry, it) }
}

// askToBeTold marks the lease of an entry. Where there is none any more, the wait is over. A failure costs a poll.
func (s *Store) askToBeTold(ctx context.Context, budget time.Duration, entry string) {
	taken, err := call(ctx, s, budget, func(ctx context.Context) (int64, error) {
		var cmd *redis.Cmd
		err := s.pipelined(ctx, func(pipe redis.Pipeliner) { cmd = s.scripts.wait.EvalSha(ctx, pipe, []string{LeaseKey(entry)}) })
		if err != nil {
			return 0, err
		}
		return cmd.Int64()
	})
	if err == nil && taken == 0 {
		s.wakes.over(entry)
	}
}

// wait joins those who wait for an entry; first says that there was nobody. listen: Redis can be listened to.
func (w *wakeFeed) wait(entry string, listen bool) (it *wait, first bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sub == nil && !w.closed && listen {
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
	return it, !ok
}

func (w *wakeFeed) leave(entry string, it *wait) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if it.waiters--; it.waiters == 0 && w.waiting[entry] == it {
		delete(w.waiting, entry)
	}
}

// over wakes those who wait for an entry.
func (w *wakeFeed) over(entry string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if it, ok := w.waiting[entry]; ok {
		delete(w.waiting, entry)
		close(it.over)
	}
}

func (w *wakeFeed) listen(ctx context.Context, sub *redis.PubSub) {
	defer close(w.ended)
	_ = sub.Subscribe(ctx, w.channel) // where it fails, the channel below tries again
	messages := sub.Channel()
	for m := range messages {
		w.over(m.Payload)
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
