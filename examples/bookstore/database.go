package main

import (
	"context"
	"database/sql"
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

// database is the shop's SQLite.
type database struct {
	*bun.DB

	name    string
	queries *queryCount
	folder  string // to remove at the end; empty: none
}

// connections are enough for every reader and writer to have one, so that none waits for another's.
const connections = 16

// pragmas of every connection: readers beside one writer (WAL), which takes its lock when it begins, so that two
// writers wait for each other and never deadlock. Which of the two SQLite drivers there is hangs on the platform; each
// skips what is written in the other's way.
const pragmas = "_txlock=immediate" +
	"&_pragma=journal_mode(wal)&_pragma=busy_timeout(10000)&_pragma=synchronous(normal)&_pragma=foreign_keys(1)" +
	"&_journal_mode=WAL&_busy_timeout=10000&_synchronous=NORMAL&_foreign_keys=1"

// openDatabase opens a database and creates the shop's tables: in a temporary file if dsn is empty.
func openDatabase(ctx context.Context, dsn string) (*database, error) {
	d := &database{name: dsn, queries: new(queryCount)}
	if dsn == "" {
		folder, err := os.MkdirTemp("", "bookstore-")
		if err != nil {
			return nil, err
		}
		d.folder, d.name = folder, "SQLite in a temporary file"
		dsn = filepath.Join(folder, "bookstore.db")
	}
	separator := "?"
	if strings.Contains(dsn, "?") {
		separator = "&"
	}
	pool, err := sql.Open(sqliteshim.ShimName, dsn+separator+pragmas)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(d.folder))
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	d.DB = bun.NewDB(pool, sqlitedialect.New()).WithQueryHook(d.queries)
	if err := createTables(ctx, d.DB); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// close removes the database, if it is a temporary one.
func (d *database) close() error {
	err := d.Close()
	if err == nil && d.folder != "" {
		err = os.RemoveAll(d.folder)
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
