// Package writes holds what bunhooks is for against every way in which bun, and database/sql below it, can write: a
// table of writes, run in every manner of transaction, says for each what has to become wrong, and that all else stays
// cached. The same table makes docs/invalidation.md. Beside it stand the acceptance scenarios that need a database, the
// moves between relations, what goes wrong half way, and a comparison of a program's results with and without the hook.
//
// A database opens through an [Open]: here SQLite, in internal/integration PostgreSQL and MariaDB.
package writes

import (
	"database/sql/driver"
	"strings"
	"testing"

	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme/internal/suite"
)

// Dialect is a database, or a set of them.
type Dialect uint8

// The databases of the table.
const (
	SQLite Dialect = 1 << iota
	Postgres
	MariaDB

	everywhere = SQLite | Postgres | MariaDB
)

func (d Dialect) String() string {
	var names []string
	for _, one := range []struct {
		d    Dialect
		name string
	}{{SQLite, "SQLite"}, {Postgres, "PostgreSQL"}, {MariaDB, "MariaDB"}} {
		if d&one.d != 0 {
			names = append(names, one.name)
		}
	}
	return strings.Join(names, ", ")
}

// Database is an empty database of a test's own, with a Redis beside it.
type Database struct {
	Dialect Dialect // exactly one
	// Connector connects to it. Several statements in one text have to be allowed where the driver asks (MariaDB's
	// multiStatements), and foreign keys have to be kept (SQLite's foreign_keys).
	Connector func() driver.Connector
	// Bun returns bun's dialect for it, a new one for each bun.DB.
	Bun   func() schema.Dialect
	Redis suite.Server
}

// Open opens a database that ends with the test.
type Open func(t testing.TB) Database

// Run holds all of it against the databases that open opens. It opens a handful, whatever the number of writes.
func Run(t *testing.T, open Open) {
	for _, part := range []struct {
		name string
		run  func(*testing.T, Open)
	}{
		{"write", matrix},
		{"scenario", Scenarios},
		{"move", moves},
		{"mishap", mishaps},
		{"setting", settings},
		{"never in the way", neverInTheWay},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.run(t, open)
		})
	}
}
