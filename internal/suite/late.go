package suite

import (
	"sync"
	"time"
)

// Late measures how late at most the machine lets something go on that has slept, from now until stop is called: what it adds
// by itself to any time that is promised.
func Late() (stop func() time.Duration) {
	ended := make(chan struct{})
	var worst time.Duration
	var napping sync.WaitGroup
	napping.Go(func() {
		for {
			began := time.Now()
			select {
			case <-ended:
				return
			case <-time.After(time.Millisecond):
				worst = max(worst, time.Since(began)-time.Millisecond)
			}
		}
	})
	return func() time.Duration {
		close(ended)
		napping.Wait()
		return worst
	}
}
