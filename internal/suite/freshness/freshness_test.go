package freshness_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/freshness"
)

func TestFreshness(t *testing.T) {
	t.Parallel()
	freshness.Run(t, suite.Embedded)
}

func TestFreshness_each_rule_is_needed(t *testing.T) {
	t.Parallel()
	freshness.Guards(t)
}

func TestFreshness_of_loads_inside_loads(t *testing.T) {
	t.Parallel()
	freshness.Nested(t)
}
