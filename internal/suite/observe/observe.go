// Package observe holds what the cache sees of loads against databases: a bookstore with ten mistakes in its declarations,
// each of which has to be told by node, table, columns and line, and none of the same bookstore without them; and the same
// ten loaders without a declaration, which Observe: Auto has to keep fresh through random writes, at a cost that is
// reported beside that of declarations.
//
// A database opens as for package writes: here SQLite, in internal/integration PostgreSQL and MariaDB.
package observe

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
		{"mistakes are told", mistakes},
		{"what is right is not told", harmless},
		{"random writes", randomly},
		{"a mistake is found", planted},
		{"what cannot be seen is not stored", unseen},
		{"names with capitals", capitals},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.run(t, open)
		})
	}
}
