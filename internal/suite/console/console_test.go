package console_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/console"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConsole(t *testing.T) { console.Run(t, suite.Embedded) }
