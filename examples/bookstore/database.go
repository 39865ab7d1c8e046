package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/sqliteshim"
)

// database is the shop's SQLite: many connections that read, and one that writes, so that writers queue here and not
// in SQLite, which would have them poll for its lock.
type database struct {
	*bun.DB

	writer  *bun.DB
	name    string
	queries *queryCount
	folder  string // to remove at the end; empty: none
}

// connections are enough for every reader to have one.
const connections = 2 * readers

// pragmas of every connection: readers go on beside the writer (WAL). Which of two SQLite drivers there is hangs on the
// platform; each skips what is written in the other's way.
const pragmas = "_txlock=immediate" +
	"&_pragma=journal_mode(wal)&_pragma=busy_timeout(10000)&_pragma=synchronous(normal)&_pragma=foreign_keys(1)" +
	"&_journal_mode=WAL&_busy_timeout=10000&_synchronous=NORMAL&_foreign_keys=1"

// openDatabase opens a database and creates the shop's tables: in a temporary file if dsn is empty.
func openDatabase(ctx context.Context, dsn string) (d *database, err error) {
	d = &database{name: dsn, queries: new(queryCount)}
	if dsn == "" {
		if d.folder, err = os.MkdirTemp("", "bookstore-"); err != nil {
			return nil, err
		}
		d.name = "SQLite in a temporary file"
		dsn = filepath.Join(d.folder, "bookstore.db")
	}
	separator := "?"
	if strings.Contains(dsn, "?") {
		separator = "&"
	}
	d.DB, d.writer = d.open(dsn+separator+pragmas, connections), d.open(dsn+separator+pragmas, 1)
	if err := createTables(ctx, d.writer); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

func (d *database) open(dsn string, connections int) *bun.DB {
	pool := sql.OpenDB(connector(dsn))
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return bun.NewDB(pool, sqlitedialect.New()).WithQueryHook(d.queries)
}

// connector opens connections to one DSN. Its like is where a service wraps its driver.
type connector string

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.Driver().Open(string(c)) }

func (connector) Driver() driver.Driver { return sqliteshim.Driver() }

// close removes the database, if it is a temporary one.
func (d *database) close() error {
	err := errors.Join(d.Close(), d.writer.Close())
	if d.folder != "" {
		err = errors.Join(err, os.RemoveAll(d.folder))
	}
	if err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}

// queryCount is a bun hook that counts what is sent to the database.
type queryCount struct{ n atomic.Int64 }

func (c *queryCount) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context {
	c.n.Add(1)
	return ctx
}

func (c *queryCount) AfterQuery(context.Context, *bun.QueryEvent) {}
