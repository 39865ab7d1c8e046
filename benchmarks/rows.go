package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/sqliteshim"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
)

// sqlite is the file of a database that several processes have open. Readers go on beside the writer.
type sqlite string

// Connect opens a connection; which of two drivers there is hangs on the platform, and each skips what is written in the other's way.
func (s sqlite) Connect(context.Context) (driver.Conn, error) {
	return s.Driver().Open(string(s) + "?_txlock=immediate" +
		"&_pragma=journal_mode(wal)&_pragma=busy_timeout(30000)&_pragma=synchronous(off)" +
		"&_journal_mode=WAL&_busy_timeout=30000&_synchronous=OFF")
}

func (sqlite) Driver() driver.Driver { return sqliteshim.Driver() }

// create makes the table with so many rows.
func (s sqlite) create(ctx context.Context, rows int64) (err error) {
	db := bun.NewDB(sql.OpenDB(s), sqlitedialect.New())
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.NewCreateTable().Model((*itemRow)(nil)).Exec(ctx); err != nil {
		return err
	}
	all := make([]itemRow, rows)
	for i := range all {
		all[i].ID = int64(i)
	}
	_, err = db.NewInsert().Model(&all).Exec(ctx)
	return err
}

// hooked opens it as a user's program does: what is written through it makes wrong what depends on it.
func (s sqlite) hooked(c *cacheme.Cache) (*bun.DB, error) {
	db := bun.NewDB(sql.OpenDB(bunhooks.WrapConnector(s)), sqlitedialect.New())
	hooked, err := bunhooks.Install(db, c)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return hooked, nil
}

// version is how often a row was written.
func version(ctx context.Context, db bun.IDB, row int64) (n int64, err error) {
	err = db.NewSelect().Model((*itemRow)(nil)).Column("version").Where("id = ?", row).Scan(ctx, &n)
	return n, err
}

// commit writes a row in a transaction of its own, and returns its version then.
func commit(ctx context.Context, db *bun.DB, row int64) (n int64, err error) {
	err = db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewUpdate().Model((*itemRow)(nil)).Set("version = version + 1").Where("id = ?", row).Exec(ctx); err != nil {
			return err
		}
		n, err = version(ctx, tx, row)
		return err
	})
	return n, err
}
