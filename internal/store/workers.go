package store

import (
	"sync"
	"time"
)

// workerIdle is how long a worker waits for its next trip.
const workerIdle = time.Second

// workers run trips on goroutines that stay for a while: a new goroutine would grow its stack anew on every trip, which
// costs about as much as the trip.
type workers struct {
	jobs    chan func() // unbuffered: a job is taken only by a worker that waits
	ended   chan struct{}
	end     sync.Once
	running sync.WaitGroup
}

func (w *workers) init() {
	w.jobs, w.ended = make(chan func()), make(chan struct{})
}

// run runs job on a goroutine of its own. It is not called after close.
func (w *workers) run(job func()) {
	select {
	case w.jobs <- job:
	default:
		w.running.Go(func() { w.work(job) })
	}
}

func (w *workers) work(job func()) {
	idle := time.NewTimer(workerIdle)
	defer idle.Stop()
	for {
		job()
		idle.Reset(workerIdle)
		select {
		case job = <-w.jobs:
		case <-idle.C:
			return
		case <-w.ended:
			return
		}
	}
}

// close ends the workers, those at work after their trip. With wait it returns when they have ended.
func (w *workers) close(wait bool) {
	w.end.Do(func() { close(w.ended) })
	if wait {
		w.running.Wait()
	}
}
