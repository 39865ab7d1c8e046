package hostile_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/hostile"
)

func TestHostile(t *testing.T) { hostile.Run(t, suite.Embedded) }
