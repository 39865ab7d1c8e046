package herd

import (
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// whileHeld has a crowd ask for a key while a writer keeps the outcome of its transaction open. Nothing may be stored
// then, so nobody finds an entry; and yet nobody may queue: who cannot join the load that runs shares the next one.
func whileHeld(t *testing.T, open suite.Open) {
	for _, shape := range shapes {
		t.Run(shape.name+" cost a handful of loads", func(t *testing.T) {
			caches := fleet(t, open(t), shape.caches+1, cacheme.Options{Hold: time.Minute})
			writer, readers := caches[shape.caches], caches[:shape.caches]
			hold, err := writer.Hold(t.Context(), PageChanged{ID: 1})
			if err != nil {
				t.Fatal(err)
			}
			l := &loads{took: 50 * time.Millisecond}
			a := crowd(readers, shape.each, func(c *cacheme.Cache) (any, error) {
				return cacheme.GetFrom(t.Context(), c, Page{ID: 1}, l.page)
			})
			// That all are back says that nobody waited for the writer, who is still at it.
			a.check(t, shape.caches*shape.each)
			handful := int64(2 + 2*shape.caches)
			if n := l.n.Load(); n > handful {
				t.Errorf("loads while held = %d, want at most %d", n, handful)
			}
			t.Logf("%d loads of %v, the slowest caller took %v", l.n.Load(), l.took, a.slowest)

			if err := hold.Rollback(t.Context()); err != nil {
				t.Fatal(err)
			}
			before := l.n.Load()
			a = crowd(readers, shape.each, func(c *cacheme.Cache) (any, error) {
				return cacheme.GetFrom(t.Context(), c, Page{ID: 1}, l.page)
			})
			a.check(t, shape.caches*shape.each)
			if n := l.n.Load() - before; n != 1 {
				t.Errorf("loads after the hold = %d, want 1", n)
			}
		})
	}
}
