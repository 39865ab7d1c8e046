package cost_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/cost"
)

func TestCost(t *testing.T) { cost.Run(t, suite.Embedded) }
