package hostile

import (
	"context"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// Next is the node Words after a deploy that changed its type.
type Next struct {
	cacheme.Node[[]int64]
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (Next) Meta() cacheme.Meta { return cacheme.Meta{Key: "words:<id>", TTL: 10 * time.Minute} }

// Again is the node Words after a deploy that changed only what its value means.
type Again struct {
	cacheme.Node[[]string]
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (Again) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "words:<id>", TTL: 10 * time.Minute, Version: 2}
}

// foreign has two deploys read each other's entries.
func foreign(t *testing.T, open suite.Open) {
	server := open(t)
	t.Run("of another type under the same key is a miss, in both directions", func(t *testing.T) {
		t.Parallel()
		deploys(t, server, Next{}, Next{ID: 1}, []int64{1, 2})
	})
	t.Run("of another version under the same key is a miss, in both directions", func(t *testing.T) {
		t.Parallel()
		deploys(t, server, Again{}, Again{ID: 1}, []string{"1", "2", "3", "4"})
	})
}

func deploys[N cacheme.NodeOf[V], V any](t *testing.T, server suite.Server, declaration cacheme.Declaration, node N, other V) {
	t.Helper()
	w := newWorld(t, server)
	c := w.another(t, server, declaration)
	b, err := cacheme.Bind(c, func(context.Context, N) (V, error) { return other, nil })
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.fresh(t)
		before := w.events.count(cacheme.EventForeign)
		if r, err := b.GetResult(t.Context(), node); err != nil || r.Tier != cacheme.TierSource {
			t.Errorf("GetResult() = %+v, %v on the other deploy's entry, want a load", r, err)
		}
		if w.events.count(cacheme.EventForeign) == before {
			t.Errorf("no event %q", cacheme.EventForeign)
		}
		w.survives(t, "the other deploy's entry", cacheme.EventForeign)
	}
}
