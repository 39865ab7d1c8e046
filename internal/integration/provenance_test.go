package integration_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/suite/provenance"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

func TestProvenance(t *testing.T) {
	onEach(t, provenance.Run)
	t.Run("SQLite with a real Redis", func(t *testing.T) {
		t.Parallel()
		provenance.Run(t, func(t testing.TB) writes.Database {
			d := writes.Embedded(t)
			d.Redis = openRedis(t)
			return d
		})
	})
}
