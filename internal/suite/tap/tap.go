// Package tap sits on the two lines that a service has, the one to its database and the one to its Redis, and lets a
// suite see what passes, in which order, count it, and stop at any point of it.
//
// [Connector] goes below bunhooks.WrapConnector, so that it sees what bunhooks itself sends. [Redis] is a hook for a
// client, and tells the round trips of a writer apart by their scripts.
package tap

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
)

// Kind says which method of a driver was called.
type Kind uint8

// The kinds of a Call.
const (
	Begin Kind = iota
	Commit
	Rollback
	Exec
	Query
	Prepare
)

// errOld is for drivers that have nothing but what has been deprecated since Go 1.8.
var errOld = errors.New("tap: the driver takes no contexts")

// Call is one call of a driver. Over a network each is one round trip, more where the driver prepares a text on its own.
type Call struct {
	Kind Kind
	Text string // of Exec, Query and Prepare
}

// Commits reports whether it is a COMMIT, by whichever method.
func (c Call) Commits() bool {
	return c.Kind == Commit || c.Kind == Exec && strings.EqualFold(strings.TrimRight(c.Text, "; "), "COMMIT")
}

// Connector passes everything through to a driver's Connector. Its connections have all optional interfaces. Drivers that
// lack ExecerContext or QueryerContext are asked to prepare, as database/sql would; those that take no contexts at all
// are not for it.
type Connector struct {
	driver.Connector
	// Around is called in place of each call, on its goroutine, and calls do for it to be made. What it returns is what
	// the caller gets. A COMMIT or ROLLBACK of a driver.Tx has no context of its own: it comes with the background's.
	Around func(ctx context.Context, c Call, do func() error) error
}

// Connect connects.
func (t *Connector) Connect(ctx context.Context) (driver.Conn, error) {
	in, err := t.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: in, around: t.Around}, nil
}

type conn struct {
	driver.Conn
	around func(ctx context.Context, c Call, do func() error) error
}

var (
	_ driver.ExecerContext      = (*conn)(nil)
	_ driver.QueryerContext     = (*conn)(nil)
	_ driver.ConnBeginTx        = (*conn)(nil)
	_ driver.ConnPrepareContext = (*conn)(nil)
	_ driver.Pinger             = (*conn)(nil)
	_ driver.SessionResetter    = (*conn)(nil)
	_ driver.Validator          = (*conn)(nil)
	_ driver.NamedValueChecker  = (*conn)(nil)
)

// through makes a call that returns a value.
func through[T any](ctx context.Context, around func(context.Context, Call, func() error) error, c Call, do func() (T, error)) (v T, err error) {
	err = around(ctx, c, func() (err error) {
		v, err = do()
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return v, nil
}

func (c *conn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	in, ok := c.Conn.(driver.ExecerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	return through(ctx, c.around, Call{Exec, text}, func() (driver.Result, error) { return in.ExecContext(ctx, text, args) })
}

func (c *conn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	in, ok := c.Conn.(driver.QueryerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	return through(ctx, c.around, Call{Query, text}, func() (driver.Rows, error) { return in.QueryContext(ctx, text, args) })
}

func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return through(ctx, c.around, Call{Kind: Begin}, func() (driver.Tx, error) {
		in, err := c.begin(ctx, opts)
		if err != nil {
			return nil, err
		}
		return transaction{in, c.around}, nil
	})
}

func (c *conn) begin(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if in, ok := c.Conn.(driver.ConnBeginTx); ok {
		return in.BeginTx(ctx, opts)
	}
	return nil, errOld
}

func (c *conn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	return through(ctx, c.around, Call{Prepare, text}, func() (driver.Stmt, error) {
		in, err := c.prepare(ctx, text)
		if err != nil {
			return nil, err
		}
		return &stmt{Stmt: in, conn: c, text: text}, nil
	})
}

func (c *conn) prepare(ctx context.Context, text string) (driver.Stmt, error) {
	if in, ok := c.Conn.(driver.ConnPrepareContext); ok {
		return in.PrepareContext(ctx, text)
	}
	return c.Prepare(text)
}

func (c *conn) Ping(ctx context.Context) error {
	if in, ok := c.Conn.(driver.Pinger); ok {
		return in.Ping(ctx)
	}
	return nil
}

func (c *conn) ResetSession(ctx context.Context) error {
	if in, ok := c.Conn.(driver.SessionResetter); ok {
		return in.ResetSession(ctx)
	}
	return nil
}

func (c *conn) IsValid() bool {
	in, ok := c.Conn.(driver.Validator)
	return !ok || in.IsValid()
}

func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	if in, ok := c.Conn.(driver.NamedValueChecker); ok {
		return in.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

type transaction struct {
	in     driver.Tx
	around func(ctx context.Context, c Call, do func() error) error
}

func (t transaction) Commit() error {
	return t.around(context.Background(), Call{Kind: Commit}, t.in.Commit)
}

func (t transaction) Rollback() error {
	return t.around(context.Background(), Call{Kind: Rollback}, t.in.Rollback)
}
