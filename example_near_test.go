package cacheme_test

import (
	"context"
	"fmt"
	"time"

	"github.com/cacheme/cacheme"
)

// Rate is read on every request.
type Rate struct {
	cacheme.Node[float64]
	Currency string `cacheme:"field"`
}

func (Rate) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "rate:<currency>", TTL: time.Minute, Near: cacheme.On}
}

func (Rate) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{cacheme.Tag("rates")} }

// A node that is near is answered by the process itself, once its value was found fresh in Redis.
func ExampleNearOptions() {
	cache, end := openCache()
	defer end()
	cache.MustRegister(Rate{})
	ctx := context.Background()
	rate := 1.1
	rates, err := cacheme.Bind(cache, func(context.Context, Rate) (float64, error) { return rate, nil })
	if err != nil {
		panic(err)
	}

	var r cacheme.Result[float64]
	for r.Tier != cacheme.TierNear { // loaded; found in Redis; and once the feed of writes is proven, near
		if r, err = rates.GetResult(ctx, Rate{Currency: "EUR"}); err != nil {
			panic(err)
		}
		time.Sleep(time.Millisecond)
	}
	fmt.Println(r.Value, r.Tier)

	rate = 1.2
	if err := cache.Invalidate(ctx, cacheme.Tag("rates")); err != nil {
		panic(err)
	}
	r, err = rates.GetResult(ctx, Rate{Currency: "EUR"}) // what this process wrote it sees at once
	fmt.Println(r.Value, r.Tier, err)
	// Output:
	// 1.1 near
	// 1.2 source <nil>
}
