package cachemeprom_test

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/contrib/cachemeprom"
)

// What a cache tells becomes counters; here it is told by hand.
func Example() {
	metrics := cachemeprom.New(cachemeprom.Options{Labels: prometheus.Labels{"cache": "pages"}})
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics)
	options := cacheme.Options{Observer: metrics.Observe} // for cacheme.New; then metrics.Add(cache)

	for range 3 {
		options.Observer(context.Background(), cacheme.Event{Kind: cacheme.EventHit, Node: "shop.Page", Tier: cacheme.TierNear})
	}
	fmt.Println(testutil.CollectAndCount(metrics, "cacheme_requests_total"), "series of Gets")
	// Output:
	// 1 series of Gets
}
