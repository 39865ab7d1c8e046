package writes

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
)

// Embedded is the Open of this module's own tests: SQLite in a file of the test's, and an embedded Redis.
func Embedded(t testing.TB) Database {
	t.Helper()
	if !sqliteshim.HasDriver() {
		t.Skip("there is no SQLite driver for this platform")
	}
	pragmas := url.Values{"_pragma": {"foreign_keys(1)", "journal_mode(WAL)", "busy_timeout(20000)", "synchronous(0)"}}
	dsn := "file:" + filepath.Join(t.TempDir(), "test.db") + "?" + pragmas.Encode()
	return Database{
		Dialect:   SQLite,
		Connector: func() driver.Connector { return sqliteFile(dsn) },
		Bun:       func() schema.Dialect { return sqlitedialect.New() },
		Redis:     suite.Embedded(t),
	}
}

// sqliteFile opens connections to a SQLite database by its name.
type sqliteFile string

func (f sqliteFile) Connect(context.Context) (driver.Conn, error) { return f.Driver().Open(string(f)) }

func (sqliteFile) Driver() driver.Driver { return sqliteshim.Driver() }
