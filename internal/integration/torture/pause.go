package torture

import (
	"math/rand/v2"
	"sync"
	"time"
)

// moment is where a process may be slow. On a machine without other things to do these moments are too short to be met.
type moment int

const (
	inLoad   moment = iota // between what a loader has read and its return
	atCommit               // between hold and COMMIT
	atEnd                  // between COMMIT and release
)

// pauses are how often a process is slow somewhere, one in so many times, and how slow at most.
var pauses = map[moment]struct {
	oneIn int
	most  time.Duration
}{
	inLoad:   {8, 20 * time.Millisecond},
	atCommit: {12, 30 * time.Millisecond},
	atEnd:    {12, 40 * time.Millisecond},
}

// lot is a source of chance that several goroutines share.
type lot struct {
	mu   sync.Mutex
	dice *rand.Rand
}

// pause is slow, if it comes to that.
func (p *process) pause(at moment) {
	how := pauses[at]
	p.lot.mu.Lock()
	slow := p.lot.dice.IntN(how.oneIn) == 0
	d := time.Duration(p.lot.dice.Int64N(int64(how.most)))
	p.lot.mu.Unlock()
	if slow {
		time.Sleep(d)
	}
}
