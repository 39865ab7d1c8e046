package integration_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/scenarios"
)

func TestScenario(t *testing.T) {
	t.Parallel()
	scenarios.Run(t, func(t testing.TB) suite.Server { return kit.Redis(t) })
}
