package near_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/near"
)

func TestNear(t *testing.T) {
	t.Parallel()
	near.Run(t, suite.Embedded)
}

func TestNear_each_rule_is_needed(t *testing.T) {
	t.Parallel()
	near.Guards(t, suite.Embedded)
}
