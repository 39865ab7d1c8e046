package torture

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/cacheme/cacheme"
)

// health is what a process hears of its own Redis.
type health struct {
	clock  clock
	away   atomic.Bool
	lately atomic.Int64 // a Time: when Redis did last not do what it was asked, or came back

	mu      sync.Mutex
	writing map[*write]bool
	owed    Time // when the last write ended whose invalidation is kept; 0: none does
}

// observe is the cache's Observer.
func (h *health) observe(ctx context.Context, e cacheme.Event) {
	switch e.Kind {
	case cacheme.EventAway:
		h.away.Store(true)
	case cacheme.EventBack:
		h.lately.Store(int64(h.clock.now()))
		h.away.Store(false)
	case cacheme.EventRedisError:
		h.lately.Store(int64(h.clock.now()))
	case cacheme.EventKept:
		if w, ok := ctx.Value(underway{}).(*write); ok {
			w.kept.Store(true)
			return
		}
		// It does not say whose: everybody's who is at work.
		h.mu.Lock()
		defer h.mu.Unlock()
		for w := range h.writing {
			w.kept.Store(true)
		}
	default:
	}
}

// awaySince reports whether the process did without Redis at some time since.
func (h *health) awaySince(start Time) bool {
	return h.away.Load() || Time(h.lately.Load()) >= start
}

func (h *health) begin(w *write) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.writing[w] = true
}

func (h *health) end(w *write) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.writing, w)
}

// owe notes a write that has ended and whose invalidation is kept.
func (h *health) owe(at Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.owed = at
}

func (h *health) owes() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.owed != 0
}

// paid notes that nothing is kept any more of writes that had ended by then.
func (h *health) paid(upto Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.owed <= upto {
		h.owed = 0
	}
}
