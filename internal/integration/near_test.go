package integration_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/near"
)

func TestNear(t *testing.T) {
	t.Parallel()
	near.Run(t, openRedis)
}

func TestNear_faults(t *testing.T) {
	t.Parallel()
	near.Faults(t, func(t testing.TB) near.Frail {
		t.Helper()
		return breakable(t)
	})
}

func TestNear_tracking(t *testing.T) {
	t.Parallel()
	near.Tracking(t, func(t testing.TB) suite.Server { return kit.Redis(t) })
}
