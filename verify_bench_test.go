package cacheme_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/embedded"
)

// What a hit costs while a share of the hits is verified, the server in the same process included.
func BenchmarkHitVerified(b *testing.B) {
	for _, share := range []float64{0, .001, .1} {
		b.Run(fmt.Sprint(share), func(b *testing.B) {
			server, err := embedded.Start(embedded.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer server.Close()
			cache, err := cacheme.New(server.Client(), cacheme.Options{Budget: soon, Verify: cacheme.VerifyOptions{Share: share}})
			if err != nil {
				b.Fatal(err)
			}
			ctx := context.Background()
			defer cache.Close(ctx)
			cache.MustRegister(countedNode{}, goodChange{})
			bound, err := cacheme.Bind(cache, func(context.Context, countedNode) (int64, error) { return 3, nil })
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bound.Get(ctx, countedNode{ID: 1}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
