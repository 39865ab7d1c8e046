package integration_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite/observe"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

func TestObserve(t *testing.T) { onEach(t, observe.Run) }

// BenchmarkObserve has a real Redis beside SQLite too: no load is quicker, so that what is looked at of it weighs most.
func BenchmarkObserve(b *testing.B) {
	sqlite := database{"SQLite", func(t testing.TB) writes.Database {
		d := writes.Embedded(t)
		d.Redis = kit.Redis(t)
		return d
	}}
	for _, d := range append(databases(), sqlite) {
		b.Run(d.name, func(b *testing.B) { observe.Bench(b, d.open) })
	}
}
