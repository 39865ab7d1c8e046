package cacheme

import (
	"maps"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
)

// maxOwnWrites bounds the memory of a process's own writes: about 10 MB.
const maxOwnWrites = 1 << 16

// ownWrites remembers what this process made wrong, so that it is never served stale what it wrote itself, and that
// without Redis nobody takes the value of a load that began before his own write.
type ownWrites struct {
	mu     sync.RWMutex
	writes map[string]ownWrite // by Redis key of the token or entry
	memory time.Duration       // how long a write matters: the longest Stale, or a load
	room   int                 // for twice as many as could not be delivered, so that looking for some to forget stays rare
	full   time.Time           // until then more was forgotten than is known: everything counts as written
}

type ownWrite struct {
	redis  uint64 // Redis's time of the invalidation; 0: not delivered, later than anything
	moment uint64 // of the process, see flight.Group.Now
	at     time.Time
}

func (o *ownWrites) remember(keys []string, times []uint64, moment uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.writes)+len(keys) > max(maxOwnWrites, o.room) {
		o.forget()
	}
	if o.writes == nil {
		o.writes = map[string]ownWrite{}
	}
	now := time.Now()
	for i, key := range keys {
		w := ownWrite{moment: moment, at: now}
		if times != nil {
			w.redis = times[i]
		}
		o.writes[key] = o.writes[key].and(w)
	}
}

// and is what is known of two writes to one key, which may be told in any order: the later of either time, and not
// delivered only while the later one is not.
func (w ownWrite) and(next ownWrite) ownWrite {
	if next.moment < w.moment {
		w, next = next, w
	}
	if next.redis != 0 {
		next.redis = max(next.redis, w.redis)
	}
	next.at = later(w.at, next.at)
	return next
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// forget makes room. What was not delivered stays: the journal has it too, and Redis does not know of it.
func (o *ownWrites) forget() {
	kept := map[string]ownWrite{}
	undelivered := 0
	for key, w := range o.writes {
		if w.redis == 0 || time.Since(w.at) <= o.memory {
			kept[key] = w
		}
		if w.redis == 0 {
			undelivered++
		}
	}
	if len(kept)-undelivered > maxOwnWrites/2 {
		maps.DeleteFunc(kept, func(_ string, w ownWrite) bool { return w.redis != 0 })
		o.full = time.Now().Add(o.memory)
	}
	o.writes, o.room = kept, 2*undelivered
}

// outlive makes the memory at least d long.
func (o *ownWrites) outlive(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.memory = max(o.memory, d)
}

// afterLoad reports whether the process made one of the keys wrong after Redis's time loaded.
func (o *ownWrites) afterLoad(keys []string, loaded uint64) bool {
	return o.any(keys, func(w ownWrite) bool { return w.redis == 0 || w.redis >= loaded })
}

// afterMoment reports whether the process made one of the keys wrong after a moment of its own.
func (o *ownWrites) afterMoment(keys []string, moment uint64) bool {
	return o.any(keys, func(w ownWrite) bool { return w.moment > moment })
}

func (o *ownWrites) any(keys []string, counts func(ownWrite) bool) bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if !o.full.IsZero() && time.Now().Before(o.full) {
		return true
	}
	for _, key := range keys {
		if w, ok := o.writes[key]; ok && counts(w) {
			return true
		}
	}
	return false
}

// resultLists remembers which result dependencies a key had when it was last seen or loaded, so that their tokens can be
// read together with the entry, and before the next load.
type resultLists struct {
	names *otter.Cache[string, []string]
}

// maxResultLists bounds the memory of result dependencies, in names: about 10 MB.
const maxResultLists = 1 << 17

func newResultLists() resultLists {
	return resultLists{names: otter.Must(&otter.Options[string, []string]{
		MaximumWeight: maxResultLists,
		Weigher:       func(_ string, names []string) uint32 { return uint32(1 + len(names)) },
	})}
}

func (l resultLists) get(entry string) []string {
	names, _ := l.names.GetIfPresent(entry)
	return names
}

func (l resultLists) set(entry string, names []string) {
	if len(names) == 0 {
		l.names.Invalidate(entry)
		return
	}
	l.names.Set(entry, names)
}
