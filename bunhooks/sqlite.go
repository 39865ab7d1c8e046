package bunhooks

import (
	"context"
	"database/sql/driver"
	"time"

	"github.com/cacheme/cacheme/internal/sqltext"
	"github.com/cacheme/cacheme/sqltx"
)

// sqlite has one writer at a time, and no limit on how long a transaction waits for its COMMIT.
type sqlite struct{}

func newSQLite() dialect {
	return dialect{
		features: features{insertReturns: true, updateReturns: true, deleteReturns: true, upsertCounts: true, failsOpen: true},
		server:   sqlite{},
		text:     sqltext.SQLite,
		open:     '"',
	}
}

func (sqlite) begin(time.Duration) string { return "BEGIN IMMEDIATE" }

func (sqlite) fence(context.Context, *sqltx.Conn, time.Duration) (bool, error) { return false, nil }

func (sqlite) unfence(context.Context, *sqltx.Conn) error { return nil }

func (sqlite) lock(*sqltext.Statement) string { return "" }

// lockFirst becomes the writer: a transaction that has read before it writes fails, without waiting, if another one has
// written in between.
func (sqlite) lockFirst(ctx context.Context, c *sqltx.Conn, t *table) error {
	_, err := c.Exec(ctx, "DELETE FROM "+t.sql+" WHERE 0", nil)
	return err
}

func (sqlite) replica() (query string, lasts bool) { return "", true }

func (sqlite) result(ctx context.Context, c *sqltx.Conn, n int64, _ driver.Value, _ map[string]bool) driver.Result {
	rows, err := askConn(c)(ctx, "SELECT last_insert_rowid()")
	return newResult(rows, err, n)
}

func (sqlite) fails(error) bool { return false }

// rolledBack: a COMMIT that fails leaves the transaction open.
func (sqlite) rolledBack(error) bool { return false }
