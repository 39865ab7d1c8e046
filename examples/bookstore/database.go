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

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/sqliteshim"
)

// database is the shop's SQLite file. Each process of the shop opens it for itself; see openShop.
type database struct {
	name   string
	folder string // to remove at the end; empty: none
	file   connector
	plain  *bun.DB // past every cache: to make the tables, to fill them, and for the checker
}

// connections of a process are enough for everybody in it to have one.
const connections = readers + writers

// pragmas of every connection: readers go on beside a writer (WAL), writers wait for each other, and the foreign keys
// hold. Which of two SQLite drivers there is hangs on the platform; each skips what is written in the other's way.
const pragmas = "_txlock=immediate" +
	"&_pragma=journal_mode(wal)&_pragma=busy_timeout(30000)&_pragma=synchronous(normal)&_pragma=foreign_keys(1)" +
	"&_journal_mode=WAL&_busy_timeout=30000&_synchronous=NORMAL&_foreign_keys=1"

// openDatabase creates the shop's tables, and what the checker needs: in a temporary file if dsn is empty.
func openDatabase(ctx context.Context, dsn string) (d *database, err error) {
	d = &database{name: dsn}
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
	d.file = connector(dsn + separator + pragmas)
	d.plain = bun.NewDB(pool(d.file), sqlitedialect.New())
	if err := createTables(ctx, d.plain); err != nil {
		return nil, errors.Join(err, d.close())
	}
	if err := createLog(ctx, d.plain); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

func pool(c driver.Connector) *sql.DB {
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db
}

// connector opens connections to one DSN.
type connector string

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.Driver().Open(string(c)) }

func (connector) Driver() driver.Driver { return sqliteshim.Driver() }

// close removes the database, if it is a temporary one.
func (d *database) close() error {
	err := d.plain.Close()
	if d.folder != "" {
		err = errors.Join(err, os.RemoveAll(d.folder))
	}
	if err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}
