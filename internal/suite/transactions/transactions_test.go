package transactions_test

import (
	"context"
	"database/sql/driver"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/sqliteshim"
	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/transactions"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

func TestTransactions(t *testing.T) {
	t.Parallel()
	transactions.Run(t, sqlite)
}

// sqlite opens a database in a file of the test's.
func sqlite(t testing.TB) writes.Database {
	t.Helper()
	if !sqliteshim.HasDriver() {
		t.Skip("there is no SQLite driver for this platform")
	}
	pragmas := url.Values{"_pragma": {"foreign_keys(1)", "journal_mode(WAL)", "busy_timeout(20000)", "synchronous(0)"}}
	dsn := "file:" + filepath.Join(t.TempDir(), "test.db") + "?" + pragmas.Encode()
	return writes.Database{
		Dialect:   writes.SQLite,
		Connector: func() driver.Connector { return connector(dsn) },
		Bun:       func() schema.Dialect { return sqlitedialect.New() },
		Redis:     suite.Embedded(t),
	}
}

// connector opens connections to a SQLite database by its name.
type connector string

func (c connector) Connect(context.Context) (driver.Conn, error) {
	return c.Driver().Open(string(c))
}

func (connector) Driver() driver.Driver { return sqliteshim.Driver() }
