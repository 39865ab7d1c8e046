package integration_test

import (
	"database/sql/driver"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// database is one that runs as a server, by one of its drivers, with a real Redis.
type database struct {
	name string
	open writes.Open
}

// onEach runs a suite on each database at the same time.
func onEach(t *testing.T, run func(*testing.T, writes.Open)) {
	t.Parallel()
	for _, d := range databases() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			run(t, d.open)
		})
	}
}

func databases() []database {
	return []database{{"PostgreSQL by pgdriver", onPgdriver}, {"PostgreSQL by pgx", onPgx}, {"MariaDB", onMariaDB}}
}

func onPgdriver(t testing.TB) writes.Database {
	t.Helper()
	db := kit.Postgres(t)
	return writes.Database{Dialect: writes.Postgres, Connector: db.Pgdriver, Bun: db.Dialect, Redis: kit.Redis(t)}
}

func onPgx(t testing.TB) writes.Database {
	t.Helper()
	db := kit.Postgres(t)
	return writes.Database{
		Dialect: writes.Postgres, Bun: db.Dialect, Redis: kit.Redis(t),
		Connector: func() driver.Connector { return db.Pgx(t) },
	}
}

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
