package observe_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/cacheme/cacheme/internal/suite/observe"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestObserve(t *testing.T) {
	t.Parallel()
	observe.Run(t, writes.Embedded)
}

func BenchmarkObserve(b *testing.B) { observe.Bench(b, writes.Embedded) }
