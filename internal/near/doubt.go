package near

import (
	"context"
	"sync"
	"time"
)

// doubts are keys of which a server said that they changed, but not how. They are looked at together.
type doubts struct {
	feed  *feed
	mu    sync.Mutex
	keys  map[string]bool
	looks bool // somebody looks, or is about to
}

const (
	// doubtPause gathers what is doubted at the same time: a bulk of loads touches many tokens.
	doubtPause = 2 * time.Millisecond
	// maxDoubts is beyond which it is cheaper to forget everything.
	maxDoubts = 10_000
)

func (d *doubts) add(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.keys == nil {
		d.keys = map[string]bool{}
	}
	d.keys[key] = true
	if !d.looks && d.feed.goes(d.look) {
		d.looks = true
	}
}

// look looks at what is doubted until nothing is.
func (d *doubts) look() {
	for {
		select {
		case <-time.After(doubtPause):
		case <-d.feed.closed.Done():
			return
		}
		d.mu.Lock()
		keys := make([]string, 0, len(d.keys))
		for key := range d.keys {
			keys = append(keys, key)
		}
		clear(d.keys)
		d.looks = len(keys) > 0
		d.mu.Unlock()
		if len(keys) == 0 {
			return
		}
		d.judge(keys)
	}
}

// judge cuts the wires whose keys are not in the state any more in which they were read; all, where nobody can say.
func (d *doubts) judge(keys []string) {
	f := d.feed
	if len(keys) > maxDoubts {
		f.forget()
		return
	}
	ctx, cancel := context.WithTimeout(f.closed, f.lag)
	defer cancel()
	states, err := f.o.States(ctx, keys)
	for i, key := range keys {
		if err != nil || f.wires.differs(key, states[i]) {
			f.wires.cut(key)
		}
	}
}
