// Package transactions holds what bunhooks does around a COMMIT against transactions of every shape: random histories
// of nested savepoints, rollbacks, cancelled contexts and lost connections, in which every committed write has to be
// told, between its COMMIT and the return to its caller, and no other write at all; what readers see meanwhile; and a
// schedule for each rule of the writer's side that is green with the rule on and red with it off.
//
// A database opens as for package writes: here SQLite, in internal/integration PostgreSQL and MariaDB.
package transactions

import (
	"testing"

	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// Writes is how many writes of random histories make torture runs on PostgreSQL; make test runs a twentieth, and the
// other databases, which take no two writers at once, a quarter of that.
const Writes = 20_000

// Run holds all of it against the databases that open opens.
func Run(t *testing.T, open writes.Open) {
	t.Run("random histories", func(t *testing.T) {
		t.Parallel()
		histories(t, open(t), suite.Count(Writes))
	})
	t.Run("random histories, invalidated after the COMMIT", func(t *testing.T) {
		t.Parallel()
		histories(t, open(t), suite.Count(Writes/4), bunhooks.AfterCommit())
	})
	t.Run("what is read before a COMMIT is never read after it", func(t *testing.T) {
		t.Parallel()
		neverOldAgain(t, open(t))
	})
	t.Run("what is read inside a transaction that rolls back is nobody else's", func(t *testing.T) {
		t.Parallel()
		readWriteRead(t, open(t))
	})
	t.Run("rule", func(t *testing.T) {
		t.Parallel()
		rules(t, open)
	})
}
