package admin_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cacheme/cacheme/internal/suite/admin"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAudit(t *testing.T) {
	t.Parallel()
	admin.Run(t, writes.Embedded)
}

func TestPages_take_a_bounded_number_of_commands(t *testing.T) {
	t.Parallel()
	d := writes.Embedded(t)
	// Few: the embedded Redis answers one SCAN by all that it has. internal/integration has many.
	admin.Pages(t, d.Redis, admin.Migrated(t, d), 500, 5*time.Second)
}
