package bunhooks

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cacheme/cacheme/internal/sqltext"
	"github.com/cacheme/cacheme/sqltx"
)

type postgres struct{}

func newPostgres() dialect {
	return dialect{
		features: features{
			insertReturns: true, updateReturns: true, deleteReturns: true, upsertCounts: true,
			qualifies: true, fencesAtBegin: true, numbers: true,
		},
		server:   postgres{},
		text:     sqltext.Postgres,
		open:     '"',
		lockRows: " FOR UPDATE",
	}
}

// idleLimit is the setting that ends a transaction which waits for its next command: the session is ended, and what it has
// not committed is gone. statement_timeout does not reach a COMMIT (its work is done after the timer was stopped), and
// transaction_timeout is of PostgreSQL 17: the rest of the hold is what a COMMIT that has arrived may take.
const idleLimit = "idle_in_transaction_session_timeout"

// setLimit sets it for this transaction alone, unless the user's own limit is lower.
func setLimit(limit time.Duration) string {
	ms := max(1, limit.Milliseconds())
	return fmt.Sprintf("SELECT set_config('%[1]s', CASE WHEN current_setting('%[1]s')::interval BETWEEN interval '1 ms' AND interval '%[2]d ms' "+
		"THEN current_setting('%[1]s') ELSE '%[2]dms' END, true)", idleLimit, ms)
}

// begin is one text, and so one round trip: the limit counts from each pause anew, the last of which is the one between
// the hold and the COMMIT.
func (postgres) begin(limit time.Duration) string {
	if limit <= 0 {
		return "BEGIN"
	}
	return "BEGIN; " + setLimit(limit)
}

func (postgres) fence(ctx context.Context, c *sqltx.Conn, limit time.Duration) (failed bool, err error) {
	_, err = c.Exec(ctx, setLimit(limit), nil)
	if isAborted(err) {
		return true, nil
	}
	return false, err
}

func (postgres) unfence(context.Context, *sqltx.Conn) error { return nil }

// lock keeps others from the rows: from referring to them too where they go away.
func (postgres) lock(s *sqltext.Statement) string {
	if s.Kind == sqltext.Delete {
		return "FOR UPDATE OF " + s.Target()
	}
	return "FOR NO KEY UPDATE OF " + s.Target()
}

func (postgres) lockFirst(context.Context, *sqltx.Conn, *table) error { return nil }

// replica: who is promoted keeps his connections; nobody begins to follow another server without being started anew.
func (postgres) replica() (query string, lasts bool) {
	return "SELECT CASE WHEN pg_is_in_recovery() THEN 1 ELSE 0 END", true
}

func (postgres) result(_ context.Context, _ *sqltx.Conn, n int64, _ driver.Value, _ map[string]bool) driver.Result {
	return driver.RowsAffected(n)
}

// fails: whatever the server refuses, it refuses the whole transaction.
func (postgres) fails(err error) bool { return sqlState(err) != "" }

// rolledBack: the server's own answer says that it rolled back, unless it says that it is going away.
func (postgres) rolledBack(err error) bool {
	state := sqlState(err)
	return state != "" && !strings.HasPrefix(state, "08") && !strings.HasPrefix(state, "57P") && state != "40003" ||
		err != nil && strings.Contains(err.Error(), "commit unexpectedly resulted in rollback") // of pgx, which this module does not import
}

// isAborted reports whether the transaction had failed already when the statement came: its COMMIT will be a ROLLBACK.
func isAborted(err error) bool { return sqlState(err) == "25P02" }

// sqlState is the code of an error that a server sent, by whichever driver; empty for any other error.
func sqlState(err error) string {
	var pgx interface{ SQLState() string }
	if errors.As(err, &pgx) {
		return pgx.SQLState()
	}
	var pgdriver interface{ Field(byte) string }
	if errors.As(err, &pgdriver) {
		return pgdriver.Field('C')
	}
	return ""
}
