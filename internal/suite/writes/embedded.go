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
	file := NewSQLiteFile(t)
	return Database{
		Dialect: SQLite, Bun: SQLiteDialect, Redis: suite.Embedded(t),
		Connector: func() driver.Connector { return file },
	}
}

// SQLiteDialect is bun's.
func SQLiteDialect() schema.Dialect { return sqlitedialect.New() }

// SQLiteFile opens connections to a SQLite database by its name.
type SQLiteFile string

// NewSQLiteFile names a database in a file of the test's, with foreign keys, which waits for other writers.
func NewSQLiteFile(t testing.TB) SQLiteFile {
	t.Helper()
	if !sqliteshim.HasDriver() {
		suite.Missing(t, "a SQLite driver for this platform")
	}
	pragmas := url.Values{"_pragma": {"foreign_keys(1)", "journal_mode(WAL)", "busy_timeout(20000)", "synchronous(0)"}}
	return SQLiteFile("file:" + filepath.Join(t.TempDir(), "test.db") + "?" + pragmas.Encode())
}

// Connect implements driver.Connector.
func (f SQLiteFile) Connect(context.Context) (driver.Conn, error) { return f.Driver().Open(string(f)) }

// Driver implements driver.Connector.
func (SQLiteFile) Driver() driver.Driver { return sqliteshim.Driver() }
