package main

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
)

// Whatever the story and its traffic load, by whichever node, depends on what it reads.
func TestRun_declares_all_that_it_reads(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var caches []*cacheme.Cache
	c := small()
	install := c.joining.install
	c.joining.install = func(db *bun.DB, cache *cacheme.Cache) (*bun.DB, error) {
		mu.Lock()
		defer mu.Unlock()
		caches = append(caches, cache)
		return install(db, cache)
	}
	runFor(t, c)
	mu.Lock()
	defer mu.Unlock()
	if len(caches) == 0 || !slices.ContainsFunc(caches, func(c *cacheme.Cache) bool { return c.Stats().Loads > 0 }) {
		t.Fatalf("%d caches loaded nothing", len(caches))
	}
	for _, cache := range caches {
		for _, node := range cache.Nodes() {
			if node.Meta.Observe == cacheme.Off && !strings.HasPrefix(node.Node, "Memo(") { // package rowcache knows what its memos read
				t.Errorf("%s is not looked at", node.Node)
			}
		}
		if n := cache.Stats().Undeclared; n > 0 {
			t.Errorf("%d tables are read and not declared; the log names them", n)
		}
	}
}
