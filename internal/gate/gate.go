// Package gate counts what is under way, so that a Close can wait for it.
package gate

import (
	"context"
	"sync"
)

// Gate counts what is under way; once it is closed nothing starts any more. The zero Gate is open.
type Gate struct {
	mu      sync.Mutex
	running int
	idle    chan struct{} // made by Close; closed when the last one leaves
}

// Enter reports whether the gate is still open; every true wants a Leave.
func (g *Gate) Enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.idle != nil {
		return false
	}
	g.running++
	return true
}

// Leave ends what Enter began.
func (g *Gate) Leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	if g.running == 0 && g.idle != nil {
		close(g.idle)
	}
}

// Close shuts the gate and waits for those inside, up to the end of ctx. A second Close waits as the first.
func (g *Gate) Close(ctx context.Context) error {
	g.mu.Lock()
	if g.idle == nil {
		g.idle = make(chan struct{})
		if g.running == 0 {
			close(g.idle)
		}
	}
	idle := g.idle
	g.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
