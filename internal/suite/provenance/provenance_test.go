package provenance_test

import (
	"testing"

	"github.com/cacheme/cacheme/internal/suite/provenance"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

func TestProvenance(t *testing.T) {
	t.Parallel()
	provenance.Run(t, writes.Embedded)
}
