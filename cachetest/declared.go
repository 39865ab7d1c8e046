package cachetest

import (
	"context"
	"sync"
	"testing"

	"github.com/cacheme/cacheme"
)

// declared fails a test by what loads read and their nodes do not declare.
type declared struct {
	next func(context.Context, cacheme.Event) // the test's own Observer

	mu sync.Mutex
	t  testing.TB
}

// watchDeclared makes the test fail, at the first load that shows it, where a node reads a table of a database of bunhooks
// and depends on nothing of what it read there. A node of which that is meant says Meta{Observe: cacheme.Off}; a whole test
// has Options{Observe: cacheme.Off}.
func watchDeclared(t testing.TB, o *cacheme.Options) *declared {
	d := &declared{t: t, next: o.Observer}
	o.Observer = d.observe
	return d
}

func (d *declared) observe(ctx context.Context, e cacheme.Event) {
	if e.Kind == cacheme.EventUndeclared {
		d.mu.Lock()
		d.t.Errorf("cachetest: %s: %s %s", e.Line, e.Node, e.Reason)
		d.mu.Unlock()
	}
	if d.next != nil {
		d.next(ctx, e)
	}
}

// RequireDependenciesDeclared fails t where a load that do brings about reads what its node does not declare, with the
// table, the line of the query and what to declare; and where do loads nothing, which shows nothing. Every test of New fails
// by such a load anyway: this is for a subtest that is to fail by its own name, and for a table of nodes. Loads of others
// at the same time count too. What is told once of a node is not told again.
func (c *Cache) RequireDependenciesDeclared(t testing.TB, do func()) {
	t.Helper()
	set := func(t testing.TB) (former testing.TB) {
		c.declared.mu.Lock()
		defer c.declared.mu.Unlock()
		former, c.declared.t = c.declared.t, t
		return former
	}
	former := set(t)
	defer set(former)
	before := c.Stats().Loads
	do()
	if c.Stats().Loads == before {
		t.Errorf("cachetest: nothing was loaded, so that nothing was seen; ask for entries that are not cached yet")
	}
}
