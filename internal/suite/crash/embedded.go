package crash

import (
	"database/sql/driver"
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/embedded"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// Embedded opens a database in a file, and an embedded Redis that other processes can reach. Test is "TestProcess".
func Embedded(t testing.TB) Place {
	t.Helper()
	file := writes.NewSQLiteFile(t)
	server, err := embedded.Start(embedded.Options{ListenTCP: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return Place{
		Database: writes.Database{
			Dialect: writes.SQLite, Bun: writes.SQLiteDialect, Redis: embedded.Universal{Server: server},
			Connector: func() driver.Connector { return file },
		},
		DSN: string(file), Addr: server.Addr(), Drivers: EmbeddedDrivers(), Test: "TestProcess",
		Hold: 500 * time.Millisecond,
	}
}

// EmbeddedDrivers open what an Order from an Embedded place names.
func EmbeddedDrivers() Drivers {
	return Drivers{
		Connector: func(dsn string) (driver.Connector, error) { return writes.SQLiteFile(dsn), nil },
		Bun:       writes.SQLiteDialect,
	}
}
