package crash_test

import (
	"context"
	"database/sql/driver"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/sqliteshim"
	"github.com/uptrace/bun/schema"

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

func drivers() crash.Drivers {
	return crash.Drivers{
		Connector: func(dsn string) (driver.Connector, error) { return connector(dsn), nil },
		Bun:       func() schema.Dialect { return sqlitedialect.New() },
	}
}

// open opens a database in a file, and an embedded Redis that other processes can reach.
func open(t testing.TB) crash.Place {
	t.Helper()
	if !sqliteshim.HasDriver() {
		t.Skip("there is no SQLite driver for this platform")
	}
	pragmas := url.Values{"_pragma": {"foreign_keys(1)", "journal_mode(WAL)", "busy_timeout(20000)", "synchronous(0)"}}
	dsn := "file:" + filepath.Join(t.TempDir(), "test.db") + "?" + pragmas.Encode()
	server, err := embedded.Start(embedded.Options{ListenTCP: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return crash.Place{
		Database: writes.Database{
			Dialect:   writes.SQLite,
			Connector: func() driver.Connector { return connector(dsn) },
			Bun:       func() schema.Dialect { return sqlitedialect.New() },
			Redis:     server,
		},
		DSN: dsn, Addr: server.Addr(), Drivers: drivers(), Test: "TestProcess",
		Hold: 500 * time.Millisecond,
	}
}

// connector opens connections to a SQLite database by its name.
type connector string

func (c connector) Connect(context.Context) (driver.Conn, error) {
	return c.Driver().Open(string(c))
}

func (connector) Driver() driver.Driver { return sqliteshim.Driver() }
