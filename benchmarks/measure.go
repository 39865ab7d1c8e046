package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

// lane is one of those that are compared with each other in one run.
type lane struct {
	contender
	peer Peer
}

// open opens one instance of each contender on the server, each with a prefix of its own, and waits until all have settled.
func open(ctx context.Context, s *server, who []contender, source *source, hold time.Duration) (lanes []lane, done func(), err error) {
	lanes, done, err = openUnsettled(s, who, source, hold)
	if err != nil {
		return nil, nil, err
	}
	if err := settle(ctx, lanes); err != nil {
		done()
		return nil, nil, err
	}
	return lanes, done, nil
}

// openUnsettled is open for further instances, which find what the first has settled.
func openUnsettled(s *server, who []contender, source *source, hold time.Duration) (lanes []lane, done func(), err error) {
	done = func() {
		for _, l := range lanes {
			if err := l.peer.Close(); err != nil {
				progressf("%s: close: %v", l.name, err)
			}
		}
	}
	for i, c := range who {
		p, err := c.open(place{addr: s.addr, prefix: fmt.Sprintf("P%d:", i), source: source, hold: hold})
		if err != nil {
			done()
			return nil, nil, fmt.Errorf("open %s: %w", c.name, err)
		}
		lanes = append(lanes, lane{c, p})
	}
	return lanes, done, nil
}

// settle waits for all who have to settle, at once.
func settle(ctx context.Context, lanes []lane) error {
	var first firstError
	var wg sync.WaitGroup
	for _, l := range lanes {
		if s, ok := l.peer.(settler); ok {
			wg.Go(func() { first.keep(l.name, s.Settle(ctx)) })
		}
	}
	wg.Wait()
	return first.err()
}

// firstError keeps one error of many goroutines, and counts them.
type firstError struct {
	mu    sync.Mutex
	kept  error
	count int
}

func (f *firstError) keep(where string, err error) {
	if err == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	if f.kept == nil {
		f.kept = fmt.Errorf("%s: %w", where, err)
	}
}

func (f *firstError) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.kept
}

// alternated has the lanes take turns call by call, because what else the machine does between two rounds differs by more
// than what is to be seen. Who comes first takes turns too: the second finds the server awake. It returns the nanoseconds
// of one get for each call of each lane; a call is so many gets.
func alternated(ctx context.Context, lanes []lane, calls, gets int) ([][]float64, error) {
	took := make([][]float64, len(lanes))
	for i := range calls {
		for k := range lanes {
			at := (i + k) % len(lanes)
			began := time.Now()
			for g := range gets {
				if _, err := lanes[at].peer.Get(ctx, int64((i*gets+g)%keysOfAHit)); err != nil {
					return nil, fmt.Errorf("%s: %w", lanes[at].name, err)
				}
			}
			took[at] = append(took[at], float64(time.Since(began).Nanoseconds())/float64(gets))
		}
	}
	return took, nil
}

// together has many goroutines get what is there, and returns the nanoseconds of one get: of the time that passed, not
// of one goroutine's.
func together(ctx context.Context, l lane, goroutines, gets int) (float64, error) {
	var first firstError
	var wg sync.WaitGroup
	// Each goroutine has keys of its own, so that nobody's calls can be answered together.
	own, each := keysOfAHit/goroutines, gets/goroutines
	began := time.Now()
	for g := range goroutines {
		wg.Go(func() {
			for i := range each {
				if _, err := l.peer.Get(ctx, int64(g*own+i%own)); err != nil {
					first.keep(l.name, err)
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(time.Since(began).Nanoseconds()) / float64(each*goroutines), first.err()
}

// allocations is how many objects one get allocates, what works for it in the background included.
func allocations(ctx context.Context, l lane, gets int) (float64, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range gets {
		if _, err := l.peer.Get(ctx, int64(i%keysOfAHit)); err != nil {
			return 0, fmt.Errorf("%s: %w", l.name, err)
		}
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(gets), nil
}

// trimmedMean is the mean without the tenth that took longest and the tenth that took shortest, which are the machine's.
func trimmedMean(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	kept := sorted[len(sorted)/10 : len(sorted)-len(sorted)/10]
	sum := 0.0
	for _, v := range kept {
		sum += v
	}
	return sum / float64(max(1, len(kept)))
}

func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
