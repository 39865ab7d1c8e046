package integration_test

import (
	"database/sql/driver"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite/transactions"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

func TestTransactions(t *testing.T) {
	for _, c := range hookedDatabases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			transactions.Run(t, c.open)
		})
	}
}

// onPgdriver is PostgreSQL by bun's own driver, with a real Redis.
func onPgdriver(t testing.TB) writes.Database {
	t.Helper()
	db := kit.Postgres(t)
	return writes.Database{Dialect: writes.Postgres, Connector: db.Pgdriver, Bun: db.Dialect, Redis: kit.Redis(t)}
}

// onPgx is PostgreSQL by pgx, with a real Redis.
func onPgx(t testing.TB) writes.Database {
	t.Helper()
	db := kit.Postgres(t)
	return writes.Database{
		Dialect: writes.Postgres, Bun: db.Dialect, Redis: kit.Redis(t),
		Connector: func() driver.Connector { return db.Pgx(t) },
	}
}

// onMariaDB is MariaDB, with a real Redis.
func onMariaDB(t testing.TB) writes.Database {
	t.Helper()
	db := kit.MariaDB(t)
	return writes.Database{
		Dialect: writes.MariaDB, Bun: db.Dialect, Redis: kit.Redis(t),
		Connector: func() driver.Connector {
			return db.Connector(t, func(c *mysql.Config) { c.MultiStatements = true })
		},
	}
}
