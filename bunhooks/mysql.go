package bunhooks

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"

	"github.com/cacheme/cacheme/internal/sqltext"
	"github.com/cacheme/cacheme/sqltx"
)

// mysql is MariaDB and MySQL. Only MariaDB can return rows of an INSERT or DELETE, and limit how long a transaction waits
// for its COMMIT.
type mysql struct{ maria bool }

func newMySQL(ctx context.Context, q ask) (dialect, error) {
	const tx, transaction = "@@tx_isolation", "@@transaction_isolation" // MySQL 8 has it by its other name alone
	isolation := tx
	rows, err := q(ctx, "SELECT VERSION(), @@autocommit, "+tx)
	if err != nil {
		isolation = transaction
		if rows, err = q(ctx, "SELECT VERSION(), @@autocommit, "+transaction); err != nil {
			return dialect{}, fmt.Errorf("bunhooks: ask the database for its version: %w", err)
		}
	}
	if len(rows) != 1 || len(rows[0]) != 3 {
		return dialect{}, fmt.Errorf("bunhooks: ask the database for its version: got %v", rows)
	}
	if rows[0][1] == "0" {
		return dialect{}, &InstallError{Reason: "cannot follow connections that begin with autocommit off; leave it on in the DSN and the server, and turn it off by SET autocommit = 0 where it is needed"}
	}
	maria := strings.Contains(rows[0][0], "MariaDB")
	return dialect{
		features: features{
			insertReturns: maria, deleteReturns: maria, asksForSerial: true,
			isolation: isolation,
		},
		server:   mysql{maria},
		text:     sqltext.MySQL,
		open:     '`',
		lockRows: " FOR UPDATE",
	}, nil
}

func (mysql) begin(time.Duration) string { return "START TRANSACTION" }

// fence limits the session, since there is no limit for one transaction; unfence puts back what was there. The server
// counts whole seconds.
func (m mysql) fence(ctx context.Context, c *sqltx.Conn, limit time.Duration) (failed bool, err error) {
	seconds := int64(limit / time.Second)
	if !m.maria {
		return false, nil
	}
	if seconds < 1 {
		return false, fmt.Errorf("a hold of %v is too short for a limit in whole seconds; raise cacheme.Options.Hold", limit*5/4)
	}
	_, err = c.Exec(ctx, fmt.Sprintf("SET @cacheme_limit := @@SESSION.idle_write_transaction_timeout, SESSION idle_write_transaction_timeout = "+
		"IF(@@SESSION.idle_write_transaction_timeout BETWEEN 1 AND %[1]d, @@SESSION.idle_write_transaction_timeout, %[1]d)", seconds), nil)
	return false, err
}

func (m mysql) unfence(ctx context.Context, c *sqltx.Conn) error {
	if !m.maria {
		return nil
	}
	_, err := c.Exec(ctx, "SET SESSION idle_write_transaction_timeout = @cacheme_limit", nil)
	return err
}

func (mysql) lock(*sqltext.Statement) string { return "FOR UPDATE" }

func (mysql) lockFirst(context.Context, *sqltx.Conn, *table) error { return nil }

// replica: what a server follows is told to few users, and that it takes no writes to all. A replica that takes writes is
// not noticed. A primary that becomes a replica keeps its connections. The setting is a number, and in new versions of MariaDB a
// word, of which there are several for yes.
func (mysql) replica() (query string, lasts bool) {
	return "SELECT IF(@@GLOBAL.read_only IN ('0', 'OFF'), '0', '1')", false
}

// result finds the id that the caller would have got: the first number that the statement generated, else the last one
// that it was given. LAST_INSERT_ID() is that of an earlier statement where this one generated none.
func (mysql) result(ctx context.Context, c *sqltx.Conn, n int64, last driver.Value, numbers map[string]bool) driver.Result {
	if n == 0 || last == nil {
		return result{n: n}
	}
	rows, err := askConn(c)(ctx, "SELECT LAST_INSERT_ID()")
	if err == nil && (len(rows) != 1 || len(rows[0]) != 1 || !numbers[rows[0][0]]) {
		rows = [][]string{{text(last)}}
	}
	return newResult(rows, err, n)
}

func (mysql) fails(error) bool { return false }

// rolledBack: the server's errors at COMMIT do not say.
func (mysql) rolledBack(error) bool { return false }
