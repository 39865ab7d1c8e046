package cacheme_test

import (
	"context"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/embedded"
)

// countedNode depends on three rows of one table.
type countedNode struct {
	cacheme.Node[int64]
	ID int64 `cacheme:"field"`
}

func (countedNode) Meta() cacheme.Meta { return cacheme.Meta{Key: "counted:<id>", TTL: time.Hour} }

func (n countedNode) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{goodChange{ID: n.ID}, goodChange{ID: n.ID + 1}, goodChange{ID: n.ID + 2}}
}

func TestHitAllocatesNoMoreThanCounted(t *testing.T) {
	// One of so few is never met here: what is measured is a hit that verifying might have been asked for.
	for name, share := range map[string]float64{"nothing is verified": 0, "others are verified": 1e-12} {
		t.Run(name, func(t *testing.T) { hitAllocates(t, cacheme.VerifyOptions{Share: share}) })
	}
}

func hitAllocates(t *testing.T, verify cacheme.VerifyOptions) {
	t.Helper()
	server, err := embedded.Start(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	cache, err := cacheme.New(server.Client(), cacheme.Options{Budget: soon, Verify: verify})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cache.Close(within(t)); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	cache.MustRegister(countedNode{}, goodChange{})
	b, err := cacheme.Bind(cache, func(context.Context, countedNode) (int64, error) { return 3, nil })
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	get := func() {
		if v, err := b.Get(ctx, countedNode{ID: 1}); v != 3 || err != nil {
			t.Fatalf("Get = %d, %v, want 3", v, err)
		}
	}
	get()
	n := testing.AllocsPerRun(1000, get)
	if s := cache.Stats(); s.Hits != 1001 || s.Loads != 1 {
		t.Fatalf("Stats() = %+v, want hits alone: something else was counted", s)
	}
	t.Logf("a hit with 3 declared dependencies allocates %v times, the server in the same process included", n)
	if n > hitAllocations {
		t.Errorf("a hit with 3 declared dependencies allocates %v times, want at most %d", n, hitAllocations)
	}
}
