package store

import (
	"strings"
	"sync"
)

// lives remembers until when tokens live at least, by Redis's clock, so that a load need not ask that of what many of
// them depend on. It is a hint: a token that ends sooner, because it was lost and made anew by somebody else, costs a load.
type lives struct {
	mu    sync.Mutex
	until map[string]uint64 // microseconds
}

// livesKept bounds what is remembered: beyond it all is forgotten, and asked for anew.
const livesKept = 10_000

// cover reports whether a token is known to live for so many milliseconds from now on.
func (l *lives) cover(key string, now uint64, life int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now > 0 && l.until[key] >= now+uint64(life)*1000
}

// learn takes how long a token lives from now on. 0: that was not asked. One that had to be created was not known; only
// if it is met again is it worth remembering.
func (l *lives) learn(key string, created bool, now uint64, life int64) {
	if !created && life == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if created {
		delete(l.until, key)
		return
	}
	if len(l.until) >= livesKept {
		clear(l.until)
	}
	if l.until == nil {
		l.until = map[string]uint64{}
	}
	// The key may be a part of a much longer string.
	l.until[strings.Clone(key)] = now + uint64(life)*1000
}
