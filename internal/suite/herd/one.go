package herd

import (
	"context"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// a thousand callers, in so many caches.
var shapes = []struct {
	name   string
	caches int
	each   int
}{
	{"1000 callers in one process", 1, 1000},
	{"250 callers in each of 4 processes", 4, 250},
}

func oneLoad(t *testing.T, open suite.Open) {
	for _, shape := range shapes {
		t.Run(shape.name+" cost one load", func(t *testing.T) {
			caches := fleet(t, open(t), shape.caches, cacheme.Options{})
			var id int64
			const load = 200 * time.Millisecond
			measured(t, load, func() tale {
				id++
				return oneCrowd(t, caches, shape.each, id, load)
			})
		})
		t.Run(shape.name+" cost at most two loads where the result has dependencies", func(t *testing.T) {
			caches := fleet(t, open(t), shape.caches, cacheme.Options{})
			l := &loads{took: 200 * time.Millisecond}
			a := crowd(caches, shape.each, func(c *cacheme.Cache) (any, error) {
				return cacheme.GetFrom(t.Context(), c, Feed{ID: 1}, l.feed)
			})
			a.check(t, shape.caches*shape.each)
			if n := l.n.Load(); n > 2 {
				t.Errorf("loads = %d, want at most 2", n)
			}
			t.Logf("%d loads, the slowest caller took %v", l.n.Load(), a.slowest)
		})
		t.Run(shape.name+" cost one load that lasts for several leases", func(t *testing.T) {
			lease, load := 600*time.Millisecond, 2*time.Second
			if suite.Torture() {
				lease, load = 3*time.Second, 5*time.Second
			}
			caches := fleet(t, open(t), shape.caches, cacheme.Options{Lease: lease})
			var id int64
			measured(t, load, func() tale {
				id++
				return oneCrowd(t, caches, shape.each, id, load)
			})
		})
	}
}

// oneCrowd has a crowd ask for a cold key, and wants one load and its value for all.
func oneCrowd(t *testing.T, caches []*cacheme.Cache, each int, id int64, load time.Duration) tale {
	t.Helper()
	l := &loads{took: load}
	a := crowd(caches, each, func(c *cacheme.Cache) (any, error) {
		return cacheme.GetFrom(t.Context(), c, Page{ID: id}, l.page)
	})
	a.check(t, len(caches)*each)
	if n := l.n.Load(); n != 1 {
		t.Errorf("loads = %d, want 1", n)
	}
	// A waiter took what was loaded, wherever that was.
	for value, n := range a.values {
		if value != "load 1" {
			t.Errorf("%d callers got %q, want %q", n, value, "load 1")
		}
	}
	return a
}

func theLeader(t *testing.T, open suite.Open) {
	for _, shape := range shapes {
		t.Run(shape.name+" get the load of a leader who left", func(t *testing.T) {
			caches := fleet(t, open(t), shape.caches, cacheme.Options{})
			var id int64
			const load = 200 * time.Millisecond
			measured(t, load, func() tale {
				id++
				return leaderLeaves(t, caches, shape.each, id, load)
			})
		})
	}
	t.Run("who is killed costs one load more after at most one lease", func(t *testing.T) { leaderIsKilled(t, open) })
}

// leaderLeaves has a first caller begin the load and cancel his context while it runs.
func leaderLeaves(t *testing.T, caches []*cacheme.Cache, each int, id int64, load time.Duration) tale {
	t.Helper()
	l := &loads{took: load}
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	began := make(chan struct{}, 1)
	left := make(chan error, 1)
	go func() {
		_, err := cacheme.GetFrom(ctx, caches[0], Page{ID: id}, func(ctx context.Context, p Page) (string, error) {
			began <- struct{}{}
			return l.page(ctx, p)
		})
		left <- err
	}()
	<-began
	leave()
	if err := <-left; !errorIsCanceled(err) {
		t.Errorf("the leader who left got %v, want context.Canceled", err)
	}
	a := crowd(caches, each, func(c *cacheme.Cache) (any, error) {
		return cacheme.GetFrom(t.Context(), c, Page{ID: id}, l.page)
	})
	a.check(t, len(caches)*each)
	if n := l.n.Load(); n != 1 {
		t.Errorf("loads = %d, want 1: the one that the leader began", n)
	}
	return a
}
