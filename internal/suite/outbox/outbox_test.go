package outbox_test

import (
	"os"
	"testing"

	"github.com/cacheme/cacheme/internal/suite/crash"
	"github.com/cacheme/cacheme/internal/suite/outbox"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

func TestOutbox(t *testing.T) {
	t.Parallel()
	outbox.Run(t, writes.Embedded)
}

func TestOutbox_of_a_process_that_is_killed(t *testing.T) {
	t.Parallel()
	outbox.Killed(t, crash.Embedded, "TestProcess")
}

// TestProcess is the body of a process that is to be killed; in any other it has nothing to do.
func TestProcess(t *testing.T) {
	if os.Getenv(outbox.OrderVariable) == "" {
		return
	}
	if err := outbox.Obey(crash.EmbeddedDrivers(), os.Stdin, os.Stdout); err != nil {
		t.Fatal(err)
	}
}
