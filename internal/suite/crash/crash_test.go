package crash_test

import (
	"database/sql/driver"
	"os"
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/embedded"
	"github.com/cacheme/cacheme/internal/suite/crash"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// TestProcess is the body of a process that is to be killed; in any other it has nothing to do.
func TestProcess(t *testing.T) {
	order, ok := crash.OrderOf(t)
	if !ok {
		return
	}
	if err := crash.Obey(order, drivers(), os.Stdin, os.Stdout); err != nil {
		t.Fatal(err)
	}
}

func TestCrash(t *testing.T) {
	t.Parallel()
	crash.Run(t, open)
}

func TestCrash_of_a_sleeper_that_wakes_past_its_hold(t *testing.T) {
	t.Parallel()
	crash.Sleep(t, open)
}

func TestCrash_of_a_sleeper_that_wakes_past_its_lease(t *testing.T) {
	t.Parallel()
	crash.SleepLoading(t, open)
}

func drivers() crash.Drivers {
	return crash.Drivers{
		Connector: func(dsn string) (driver.Connector, error) { return writes.SQLiteFile(dsn), nil },
		Bun:       writes.SQLiteDialect,
	}
}

// open opens a database in a file, and an embedded Redis that other processes can reach.
func open(t testing.TB) crash.Place {
	t.Helper()
	file := writes.NewSQLiteFile(t)
	server, err := embedded.Start(embedded.Options{ListenTCP: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return crash.Place{
		Database: writes.Database{
			Dialect: writes.SQLite, Bun: writes.SQLiteDialect, Redis: embedded.Universal{Server: server},
			Connector: func() driver.Connector { return file },
		},
		DSN: string(file), Addr: server.Addr(), Drivers: drivers(), Test: "TestProcess",
		Hold: 500 * time.Millisecond,
	}
}
