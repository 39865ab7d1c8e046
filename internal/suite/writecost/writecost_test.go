package writecost_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/suite/writecost"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

func TestWriteCost(t *testing.T) {
	t.Parallel()
	writecost.Run(t, writes.Embedded)
}

func BenchmarkWriteCost(b *testing.B) { writecost.Bench(b, writes.Embedded) }
