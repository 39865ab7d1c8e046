package sqltx

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"

	"github.com/cacheme/cacheme/internal/sqltext"
)

// carry runs a statement that changes the transaction, by send, and lets the state of the connection follow.
func (c *Conn) carry(ctx context.Context, s *Statement, send func() error) error {
	switch s.course {
	case several, control:
		err := send()
		c.after(ctx, s, err)
		return err
	default:
		called, err := c.inCommit(ctx, func() error {
			err := send()
			c.after(ctx, s, err)
			return err
		})
		if !called && s.course == commit {
			c.rollBack(ctx)
		}
		return err
	}
}

// after is what a statement that changes the transaction left behind.
func (c *Conn) after(ctx context.Context, s *Statement, err error) {
	switch {
	case errors.Is(err, driver.ErrSkip):
		// It was not run: database/sql prepares it, and it comes again.
	case err == nil:
		script, d := s.Script(), c.dialect()
		for i := range script.Statements {
			c.follow(ctx, &script.Statements[i], d)
		}
		if c.tx != nil && c.tx.ctx == nil {
			c.tx.ctx = context.WithoutCancel(ctx)
		}
	case s.course == several:
		// Which of them were run is not known, nor whether the database took them back.
		c.doubt(ctx)
		if s.handled && c.dialect() != SQLite {
			c.Discard()
		}
	case s.course == implicit, s.course == possible, s.course == anew:
		// MySQL commits before it finds out that a table exists already, but not before it finds a syntax error.
		c.doubt(ctx)
	case s.course == commit, s.ends():
		c.unendedText(ctx, err)
	default:
		c.failed(ctx, err)
	}
}

// ends reports whether the statement is one that leaves no transaction when it fails.
func (s *Statement) ends() bool {
	st, ok := s.Script().Single()
	return ok && (st.Kind == sqltext.Rollback || st.Kind == sqltext.PrepareTransaction)
}

// follow is what one statement that succeeded did to the transaction.
func (c *Conn) follow(ctx context.Context, st *sqltext.Statement, d Dialect) {
	switch st.Kind {
	case sqltext.Begin:
		c.begun(d)
	case sqltext.Commit, sqltext.Rollback:
		c.ended(st.Chain)
	case sqltext.PrepareTransaction:
		c.tx = nil
	case sqltext.Savepoint:
		if c.tx == nil {
			c.beginBySavepoint(d)
		}
		if c.tx != nil {
			c.tx.set(st.Savepoint)
		}
	case sqltext.Release:
		switch {
		case c.tx == nil:
		case c.tx.ends(st.Savepoint, d):
			c.tx = nil
		default:
			c.tx.release(st.Savepoint, d)
		}
	case sqltext.RollbackTo:
		if c.tx != nil {
			c.tx.rollbackTo(st.Savepoint, d)
		}
	case sqltext.Autocommit:
		if st.On && c.manual {
			c.tx = nil
		}
		c.manual = !st.On
	default:
		c.followOther(ctx, st, d)
	}
}

func (c *Conn) followOther(ctx context.Context, st *sqltext.Statement, d Dialect) {
	one := sqltext.Script{Statements: []sqltext.Statement{*st}}
	if locks, unlocks := locking(st, d); locks || unlocks {
		c.locked = locks
	}
	switch {
	case st.Implicit:
		c.tx = nil
	case d == MySQL && c.tx != nil && st.Kind == sqltext.Call, st.Kind == sqltext.Unknown && (c.tx != nil && d == MySQL || one.Controls()):
		c.doubt(ctx)
	case c.manual && c.tx == nil && st.Kind != sqltext.Session:
		c.tx = c.connector.newTx()
	}
}

// locking reports whether a statement of MySQL's locks tables, or unlocks them.
func locking(st *sqltext.Statement, d Dialect) (locks, unlocks bool) {
	if d != MySQL || st.Kind != sqltext.Session || !st.Mentions("tables") && !st.Mentions("table") {
		return false, false
	}
	return st.Mentions("lock"), st.Mentions("unlock")
}

// begun is the state after a BEGIN. In an open transaction MySQL has committed that one, PostgreSQL has warned and gone
// on with it, SQLite has refused.
func (c *Conn) begun(d Dialect) {
	c.locked = false
	if c.tx == nil || d == MySQL {
		c.tx = c.connector.newTx()
	}
	c.tx.doubt = false
}

// beginBySavepoint: a savepoint outside of a transaction begins one on SQLite, is nothing on MySQL, and fails on
// PostgreSQL.
func (c *Conn) beginBySavepoint(d Dialect) {
	if d == SQLite || d == Unknown {
		c.tx = c.connector.newTx()
		c.tx.bySavepoint, c.tx.doubt = true, d == Unknown
	}
}

func (c *Conn) ended(chain bool) {
	before := c.tx
	c.tx = nil
	if chain && before != nil {
		c.tx = c.connector.newTx()
		c.tx.Options = before.Options
	}
}

// doubt is the state after something that may have begun or ended a transaction.
func (c *Conn) doubt(ctx context.Context) {
	if c.dialect() == SQLite {
		c.ask(ctx)
		return
	}
	c.inDoubt()
}

func (c *Conn) inDoubt() {
	if c.tx == nil {
		c.tx = c.connector.newTx()
	}
	c.tx.doubt = true
}

// failed is the state after a statement failed, if it did, that does not end the transaction when it succeeds. It may
// have all the same: SQLite rolls back on a full disk, an interrupt or OR ROLLBACK, MySQL on a deadlock.
func (c *Conn) failed(ctx context.Context, err error) {
	switch {
	case err == nil, c.tx == nil, err == driver.ErrSkip: //nolint:errorlint // The driver's contract is this very value.
	case c.dialect() == Postgres: // Aborted, but open until it is rolled back.
	case c.dialect() == MySQL && statementAlone(err):
	default:
		c.doubt(ctx)
	}
}

// unendedText is unended for a text. Where its context is cancelled before, a driver gives up without having sent it: the
// transaction is over only if the server has said so.
func (c *Conn) unendedText(ctx context.Context, err error) {
	if c.tx != nil && (c.dialect() == Postgres || c.dialect() == MySQL) && !errors.Is(err, driver.ErrBadConn) && !answered(err) {
		c.inDoubt()
		c.Discard()
		return
	}
	c.unended(ctx, err)
}

// unended is the state after a COMMIT or ROLLBACK that failed. PostgreSQL and MySQL have no transaction then.
func (c *Conn) unended(ctx context.Context, err error) {
	switch {
	case c.tx == nil:
	case errors.Is(err, driver.ErrBadConn):
		c.tx = nil
		c.Discard()
	case c.dialect() == SQLite, c.dialect() == Unknown:
		c.doubt(ctx)
	default:
		c.tx = nil
	}
}

// ask finds out whether SQLite has a transaction open. There is no statement that tells, but a BEGIN fails within a
// transaction and touches nothing.
func (c *Conn) ask(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	_, err := c.Exec(ctx, "BEGIN", nil)
	switch {
	case err == nil:
		// COMMIT, not ROLLBACK: rows that are being read go on. It has nothing to write.
		if _, err := c.Exec(ctx, "COMMIT", nil); err != nil {
			c.Discard()
		}
		c.tx = nil
	case !strings.Contains(err.Error(), "within a transaction"):
		c.inDoubt()
	case c.tx == nil:
		c.tx = c.connector.newTx()
	}
}

// answered reports whether an error is surely the server's own word, by the drivers that are usual.
func answered(err error) bool {
	var state interface{ SQLState() string }  // of pgx and pq
	var field interface{ Field(byte) string } // of pgdriver
	if errors.As(err, &state) || errors.As(err, &field) {
		return true
	}
	text := err.Error()
	_, mysql, found := strings.Cut(text, "Error ")
	return found && mysql != "" && mysql[0] >= '0' && mysql[0] <= '9' || // its number comes next
		strings.Contains(text, "commit unexpectedly resulted in rollback") // of pgx, to a COMMIT that was answered by ROLLBACK
}

// statementAlone reports whether an error of MySQL's undid no more than its own statement: its SQLSTATE is of the class
// of bad values (22), constraints (23) or syntax and access (42). Drivers write it in parentheses after the number.
func statementAlone(err error) bool {
	text := err.Error()
	return strings.Contains(text, "(22") || strings.Contains(text, "(23") || strings.Contains(text, "(42")
}
