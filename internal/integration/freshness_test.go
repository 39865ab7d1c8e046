package integration_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/suite/freshness"
)

func TestFreshness(t *testing.T) {
	t.Parallel()
	freshness.Run(t, openRedis)
}
