package near

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// reads is how many near reads random makes in full.
const reads = 2_000_000

// random has processes read rows that one of them writes, and checks that no read is further behind than Lag: a Get that
// begins so long after a write has returned gets it, or something newer.
func random(t *testing.T, server suite.Server) {
	const rows = 16
	w := newWorld(t, server, 4, cacheme.Options{}, broken{})
	var written [rows]written
	var done, worst atomic.Int64
	want := int64(suite.Count(reads))
	var all sync.WaitGroup
	for _, p := range w.processes {
		for range 2 {
			all.Go(func() {
				for done.Load() < want {
					id := rand.Int64N(rows)
					floor := written[id].before(time.Now().Add(-lag))
					began := time.Now()
					r := p.get(id)
					if r.Tier == cacheme.TierNear {
						done.Add(1)
					}
					if r.Value < floor {
						t.Errorf("row %d: got %d from %s, where %d had returned %v ago", id, r.Value, r.Tier, floor, lag)
					}
					if behind := written[id].behind(r.Value, began); behind > 0 {
						worst.Store(max(worst.Load(), int64(behind)))
					}
				}
			})
		}
	}
	all.Go(func() {
		for done.Load() < want {
			id := rand.Int64N(rows)
			v := w.processes[rand.IntN(len(w.processes))].write(id)
			written[id].add(v)
			time.Sleep(time.Duration(rand.Int64N(int64(3 * time.Millisecond))))
		}
	})
	all.Wait()
	t.Logf("%d near reads; the last old answer came %v after its write had returned", done.Load(), time.Duration(worst.Load()))
}

// written are the versions of a row with the time at which each write had returned.
type written struct {
	mu  sync.Mutex
	all []at
}

type at struct {
	version int64
	time    time.Time
}

func (w *written) add(v int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, at{v, time.Now()})
}

// before is the last version whose write had returned by then.
func (w *written) before(then time.Time) (v int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, write := range slices.Backward(w.all) {
		if !write.time.After(then) {
			return write.version
		}
	}
	return 0
}

// behind is for how long, when a Get began, a newer version than it got had been there.
func (w *written) behind(got int64, began time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.all) - 1; i >= 0 && w.all[i].version > got; i-- {
		if i == 0 || w.all[i-1].version <= got {
			return began.Sub(w.all[i].time)
		}
	}
	return 0
}
