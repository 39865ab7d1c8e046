package writes_test

import (
	"context"
	"database/sql/driver"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/sqliteshim"
	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

var update = flag.Bool("update", false, "write the table of docs/invalidation.md anew")

func TestWrites(t *testing.T) {
	t.Parallel()
	writes.Run(t, sqlite)
}

// The table of the document is the table of this suite.
func TestDocument(t *testing.T) {
	t.Parallel()
	const (
		path  = "../../../docs/invalidation.md"
		begin = "<!-- The table of writes, made by: go test ./internal/suite/writes -run TestDocument -update -->\n"
		end   = "<!-- end of the table of writes -->\n"
	)
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(page), begin)
	table, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no place for the table between\n%s%s", path, begin, end)
	}
	want := "\n" + writes.Document() + "\n"
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("%s is not what the suite holds: run this test with -update (-suite +document)\n%s", path, diff)
	}
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
