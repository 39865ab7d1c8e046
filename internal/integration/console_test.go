package integration_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/suite/console"
)

func TestConsole(t *testing.T) { console.Run(t, openRedis) }
