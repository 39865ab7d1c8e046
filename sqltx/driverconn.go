package sqltx

import (
	"context"
	"database/sql/driver"

	"github.com/cacheme/cacheme/internal/sqltext"
)

// driverConn is what database/sql holds: it always has the interfaces whose absence can be expressed in an answer.
// Whether a connection runs a text without preparing it cannot: database/sql converts the arguments before it asks. So
// there are four of them.
type (
	driverConn struct{ c *Conn }
	execConn   struct{ driverConn }
	queryConn  struct{ driverConn }
	fullConn   struct{ execConn }
)

var (
	_ driver.ConnPrepareContext = driverConn{}
	_ driver.ConnBeginTx        = driverConn{}
	_ driver.Pinger             = driverConn{}
	_ driver.SessionResetter    = driverConn{}
	_ driver.Validator          = driverConn{}
	_ driver.NamedValueChecker  = driverConn{}
	_ wrapped                   = driverConn{}
	_ driver.ExecerContext      = execConn{}
	_ driver.QueryerContext     = queryConn{}
	_ driver.ExecerContext      = fullConn{}
	_ driver.QueryerContext     = fullConn{}
)

func newDriverConn(c *Conn) driver.Conn {
	_, exec := c.in.(driver.ExecerContext)
	if !exec {
		_, exec = c.in.(driver.Execer) //nolint:staticcheck // Drivers of old have nothing else.
	}
	_, query := c.in.(driver.QueryerContext)
	if !query {
		_, query = c.in.(driver.Queryer) //nolint:staticcheck // Drivers of old have nothing else.
	}
	base := driverConn{c}
	switch {
	case exec && query:
		return fullConn{execConn{base}}
	case exec:
		return execConn{base}
	case query:
		return queryConn{base}
	default:
		return base
	}
}

func (d driverConn) wrapper() *Conn { return d.c }

// Prepare prepares without a context.
func (d driverConn) Prepare(text string) (driver.Stmt, error) {
	return d.PrepareContext(context.Background(), text)
}

// PrepareContext prepares on the driver.
func (d driverConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	notice(ctx)
	in, err := prepare(ctx, d.c.in, text)
	if err != nil {
		return nil, err
	}
	return newStmt(d.c, in, text), nil
}

// Begin begins without options.
func (d driverConn) Begin() (driver.Tx, error) {
	return d.c.beginTx(context.Background(), driver.TxOptions{})
}

// BeginTx begins on the driver.
func (d driverConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return d.c.beginTx(ctx, opts)
}

// Close closes the driver's connection; an open transaction goes with it.
func (d driverConn) Close() error {
	d.c.tx = nil
	return d.c.in.Close()
}

// Ping asks the driver. One that cannot tell is taken to be well.
func (d driverConn) Ping(ctx context.Context) error {
	if p, ok := d.c.in.(driver.Pinger); ok {
		return p.Ping(ctx)
	}
	return nil
}

// ResetSession asks the driver, unless the connection is not to be used again.
func (d driverConn) ResetSession(ctx context.Context) error {
	if d.c.discarded.Load() {
		return driver.ErrBadConn
	}
	if r, ok := d.c.in.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

// IsValid asks the driver, unless the connection is not to be used again.
func (d driverConn) IsValid() bool {
	if d.c.discarded.Load() {
		return false
	}
	if v, ok := d.c.in.(driver.Validator); ok {
		return v.IsValid()
	}
	return true
}

// CheckNamedValue asks the driver. One that does not check leaves it to the default.
func (d driverConn) CheckNamedValue(nv *driver.NamedValue) error {
	given := *nv
	err := checkByConn(d.c.in, nv)
	if d.c.connector.handling.Load() != nil && err != driver.ErrRemoveArgument { //nolint:errorlint // The driver's contract is this very value.
		d.c.keep(given)
	}
	return err
}

func checkByConn(in driver.Conn, nv *driver.NamedValue) error {
	if n, ok := in.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(nv)
	}
	return driver.ErrSkip
}

// ExecContext runs a text past the Handler.
func (d execConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	notice(ctx)
	c := d.c
	h, read := c.connector.handling.Load(), sqltext.IsRead(text)
	if h == nil && read && !c.manual {
		r, err := tryExec(ctx, c.in, text, args)
		c.failed(ctx, err)
		return r, err
	}
	defer c.forget()
	return c.exec(ctx, h, &Statement{conn: c, Text: text, written: text, Args: args, read: read, handled: h != nil})
}

// QueryContext runs a text past the Handler.
func (d queryConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	return d.c.queryContext(ctx, text, args)
}

// QueryContext runs a text past the Handler.
func (d fullConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	return d.c.queryContext(ctx, text, args)
}

func (c *Conn) queryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	notice(ctx)
	h, read := c.connector.handling.Load(), sqltext.IsRead(text)
	if h == nil && read && !c.manual {
		r, err := tryQuery(ctx, c.in, text, args)
		c.failed(ctx, err)
		return r, err
	}
	defer c.forget()
	return c.query(ctx, h, &Statement{conn: c, Text: text, written: text, Args: args, read: read, handled: h != nil})
}
