package crash_test

import (
	"os"
	"testing"

	"github.com/cacheme/cacheme/internal/suite/crash"
)

// TestProcess is the body of a process that is to be killed; in any other it has nothing to do.
func TestProcess(t *testing.T) {
	order, ok := crash.OrderOf(t)
	if !ok {
		return
	}
	if err := crash.Obey(order, crash.EmbeddedDrivers(), os.Stdin, os.Stdout); err != nil {
		t.Fatal(err)
	}
}

func TestCrash(t *testing.T) {
	t.Parallel()
	crash.Run(t, crash.Embedded)
}

func TestCrash_of_a_sleeper_that_wakes_past_its_hold(t *testing.T) {
	t.Parallel()
	crash.Sleep(t, crash.Embedded)
}

func TestCrash_of_a_sleeper_that_wakes_past_its_lease(t *testing.T) {
	t.Parallel()
	crash.SleepLoading(t, crash.Embedded)
}
