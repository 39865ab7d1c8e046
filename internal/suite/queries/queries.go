// Package queries holds package rowcache against databases: every shape of query against every kind of write, with what
// is loaded again and what is kept stated for each; random queries against random transactions, each answer compared with
// the database's; what reads of rows cost; and what the ancestor that cached queries did, by name. The table of shapes
// and writes makes a part of docs/queries.md.
//
// A database opens as for package writes: here SQLite, in internal/integration PostgreSQL and MariaDB.
package queries

import (
	"testing"

	"github.com/cacheme/cacheme/internal/suite/writes"
)

// Run holds all of it against the databases that open opens.
func Run(t *testing.T, open writes.Open) {
	for _, part := range []struct {
		name string
		run  func(*testing.T, writes.Open)
	}{
		{"grid", grid},
		{"random queries and writes", randomly},
		{"a mistake is found", planted},
		{"cost", costs},
		{"as its ancestors", lineage},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.run(t, open)
		})
	}
}
