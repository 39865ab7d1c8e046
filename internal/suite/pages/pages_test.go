package pages_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/suite/pages"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

func TestPages(t *testing.T) {
	t.Parallel()
	pages.Run(t, writes.Embedded)
}

func BenchmarkPages(b *testing.B) { pages.Bench(b, writes.Embedded) }
