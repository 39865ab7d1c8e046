package integration_test

import (
	"database/sql/driver"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

func TestWrites(t *testing.T) {
	t.Parallel()
	t.Run("PostgreSQL, pgx", func(t *testing.T) {
		t.Parallel()
		writes.Run(t, func(t testing.TB) writes.Database {
			d := kit.Postgres(t)
			return writes.Database{
				Dialect: writes.Postgres, Bun: d.Dialect, Redis: kit.Redis(t),
				Connector: func() driver.Connector { return d.Pgx(t) },
			}
		})
	})
	t.Run("PostgreSQL, pgdriver", func(t *testing.T) {
		t.Parallel()
		writes.Run(t, func(t testing.TB) writes.Database {
			d := kit.Postgres(t)
			return writes.Database{Dialect: writes.Postgres, Bun: d.Dialect, Redis: kit.Redis(t), Connector: d.Pgdriver}
		})
	})
	t.Run("MariaDB", func(t *testing.T) {
		t.Parallel()
		writes.Run(t, func(t testing.TB) writes.Database {
			d := kit.MariaDB(t)
			return writes.Database{
				Dialect: writes.MariaDB, Bun: d.Dialect, Redis: kit.Redis(t),
				Connector: func() driver.Connector {
					return d.Connector(t, func(c *mysql.Config) { c.MultiStatements = true })
				},
			}
		})
	})
}
