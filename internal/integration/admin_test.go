package integration_test

import (
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/admin"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

func TestAdmin(t *testing.T) { onEach(t, admin.Run) }

// With TORTURE=1 there are a million entries, and a page has 100 ms.
func TestAdmin_pages_beside_many_entries(t *testing.T) {
	entries, within := 50_000, 5*time.Second
	if suite.Torture() {
		entries, within = 1_000_000, 100*time.Millisecond
	}
	admin.Pages(t, kit.Redis(t), admin.Migrated(t, writes.Embedded(t)), entries, within)
}
