package herd

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

func errorIsCanceled(err error) bool { return errors.Is(err, context.Canceled) }

// leaderIsKilled cuts a leader off from Redis in the middle of his load, for good: to everybody else that is a process
// that was killed. Real processes are killed in internal/integration.
func leaderIsKilled(t *testing.T, open suite.Open) {
	const lease, load = 500 * time.Millisecond, 100 * time.Millisecond
	server, prefix := open(t), suite.Prefix()
	options := suite.Patient(cacheme.Options{Prefix: prefix, Lease: lease})
	wire := server.Client()
	leader := suite.NewCache(t, wire, options, declarations()...)
	others := []*cacheme.Cache{
		suite.NewCache(t, server.Client(), options, declarations()...),
		suite.NewCache(t, server.Client(), options, declarations()...),
	}

	began, release := make(chan struct{}), make(chan struct{})
	gone := make(chan struct{})
	t.Cleanup(func() { close(release); <-gone })
	go func() {
		defer close(gone)
		_, _ = cacheme.GetFrom(context.Background(), leader, Page{ID: 1}, func(context.Context, Page) (string, error) {
			close(began)
			<-release
			return "from the grave", nil
		})
	}()
	<-began
	if err := wire.Close(); err != nil {
		t.Fatal(err)
	}

	l := &loads{took: load}
	a := crowd(others, 250, func(c *cacheme.Cache) (any, error) {
		return cacheme.GetFrom(t.Context(), c, Page{ID: 1}, l.page)
	})
	a.check(t, 500)
	if n := l.n.Load(); n != 1 {
		t.Errorf("loads after the leader's death = %d, want 1", n)
	}
	// A look at the lease comes at most every 250 ms, and then the load; the rest is for a busy machine.
	limit := lease + 250*time.Millisecond + load + 2*time.Second
	if a.slowest > limit {
		t.Errorf("the slowest caller took %v, want at most %v: a lease, a pause, a load", a.slowest, limit)
	}
	t.Logf("the slowest caller took %v, for a lease of %v and a load of %v", a.slowest, lease, load)
}
