package outbox_test

import (
	"database/sql/driver"
	"os"
	"testing"

	"github.com/cacheme/cacheme/internal/embedded"
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
	outbox.Killed(t, open, "TestProcess")
}

// TestProcess is the body of a process that is to be killed; in any other it has nothing to do.
func TestProcess(t *testing.T) {
	if os.Getenv(outbox.OrderVariable) == "" {
		return
	}
	if err := outbox.Obey(drivers(), os.Stdin, os.Stdout); err != nil {
		t.Fatal(err)
	}
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
		DSN: string(file), Addr: server.Addr(),
	}
}
