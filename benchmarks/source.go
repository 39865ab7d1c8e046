package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// source is where the rows truly are: what a database is to a service. One source stands behind all instances of a peer.
type source struct {
	delay time.Duration       // how long a load takes
	size  func(id int64) int  // of a body; nil: bodySize
	loads atomic.Int64        // so far
	mu    sync.Mutex          // of what follows
	rows  map[int64]int64     // the versions of rows that were written; 0 otherwise
	gates map[int64]chan gate // loads that are to be stopped once
}

// gate is a load that has read its row and not returned it yet.
type gate struct{ release chan struct{} }

func newSource(delay time.Duration) *source {
	return &source{delay: delay, rows: map[int64]int64{}, gates: map[int64]chan gate{}}
}

// load returns the row as it is when the load begins, as a query does whose answer takes its time.
func (s *source) load(ctx context.Context, id int64) (Item, error) {
	s.loads.Add(1)
	s.mu.Lock()
	version := s.rows[id]
	stop := s.gates[id]
	delete(s.gates, id)
	s.mu.Unlock()

	if stop != nil {
		g := gate{make(chan struct{})}
		stop <- g
		<-g.release
	}
	if s.delay > 0 {
		select {
		case <-time.After(s.delay):
		case <-ctx.Done():
			return Item{}, ctx.Err()
		}
	}
	size := bodySize
	if s.size != nil {
		size = s.size(id)
	}
	return newItem(id, version, size), nil
}

// write commits a new version of the row, and returns it.
func (s *source) write(id int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[id]++
	return s.rows[id]
}

// stop has the next load of the row wait after it has read; the gate comes when it does.
func (s *source) stop(id int64) <-chan gate {
	s.mu.Lock()
	defer s.mu.Unlock()
	stopped := make(chan gate, 1)
	s.gates[id] = stopped
	return stopped
}
