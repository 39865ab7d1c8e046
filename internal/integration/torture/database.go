package torture

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/pgdriver"
	"github.com/uptrace/bun/driver/sqliteshim"
	"github.com/uptrace/bun/schema"
)

// The kinds of a Database.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Database is what all processes of a run share. Each opens it for itself.
type Database struct {
	Kind string // SQLite or Postgres
	DSN  string // of a SQLite, the file
}

// pragmas of every connection: readers go on beside a writer (WAL), and writers wait for each other. Processes are killed
// here, and machines are not, so that nothing has to be synchronous. Which of two SQLite drivers there is hangs on the
// platform; each skips what is written in the other's way.
const pragmas = "?_txlock=immediate" +
	"&_pragma=journal_mode(wal)&_pragma=busy_timeout(60000)&_pragma=synchronous(off)" +
	"&_journal_mode=WAL&_busy_timeout=60000&_synchronous=OFF"

func (d Database) connector() driver.Connector {
	if d.Kind == Postgres {
		return pgdriver.NewConnector(pgdriver.WithDSN(d.DSN))
	}
	return file(d.DSN + pragmas)
}

// file opens connections to one SQLite file.
type file string

func (f file) Connect(context.Context) (driver.Conn, error) { return f.Driver().Open(string(f)) }

func (file) Driver() driver.Driver { return sqliteshim.Driver() }

func (d Database) dialect() schema.Dialect {
	if d.Kind == Postgres {
		return pgdialect.New()
	}
	return sqlitedialect.New()
}

// open opens a pool over a connector, which may be a wrapped one.
func (d Database) open(c driver.Connector) *bun.DB {
	const connections = 12
	pool := sql.OpenDB(c)
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return bun.NewDB(pool, d.dialect())
}

// Create makes the tables of a run in an empty database.
func (d Database) Create(ctx context.Context) (err error) {
	if _, ok := witnessTables[d.Kind]; !ok {
		return fmt.Errorf("no database is called %q: sqlite or postgres", d.Kind)
	}
	db := d.open(d.connector())
	defer func() {
		if closed := db.Close(); err == nil {
			err = closed
		}
	}()
	return create(ctx, db, d.Kind)
}
