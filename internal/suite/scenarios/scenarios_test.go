package scenarios_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/scenarios"
)

func TestScenario(t *testing.T) {
	t.Parallel()
	scenarios.Run(t, suite.Embedded)
}
