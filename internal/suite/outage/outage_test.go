package outage_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/outage"
)

func TestOutage(t *testing.T) { outage.Run(t, suite.Embedded) }
