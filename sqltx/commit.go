package sqltx

import (
	"context"
	"database/sql/driver"
	"errors"
)

// errUncommitted is what a program gets if its Handler's Commit returns nil without having committed.
var errUncommitted = errors.New("sqltx: the Handler returned from Commit without having committed: the transaction is rolled back")

// inCommit runs what ends the open transaction within the Handler's Commit, if there are both. It reports whether it was
// run.
func (c *Conn) inCommit(ctx context.Context, end func() error) (called bool, err error) {
	h, tx := c.connector.handling.Load(), c.tx
	if h == nil || tx == nil {
		return true, end()
	}
	returned := false
	defer c.guard(&returned)
	var outcome error
	err = h.Commit(ctx, c, tx, func() error {
		if !called {
			called = true
			outcome = end()
		}
		return outcome
	})
	returned = true
	switch {
	case err != nil:
		return called, err
	case !called:
		return false, errUncommitted
	default:
		return true, outcome
	}
}

// rollBack ends a transaction whose COMMIT was refused, so that nobody takes it for his own.
func (c *Conn) rollBack(ctx context.Context) {
	_, err := c.Exec(context.WithoutCancel(ctx), "ROLLBACK", nil)
	c.rolledBack(err)
}

func (c *Conn) rolledBack(err error) {
	if err != nil {
		c.inDoubt()
		c.Discard()
		return
	}
	c.tx = nil
}

// transaction is the driver.Tx of a wrapped connection.
type transaction struct {
	c   *Conn
	in  driver.Tx
	ctx context.Context //nolint:containedctx // of BeginTx, without its cancellation: driver.Tx has no other way to give Commit its values
}

// Commit commits what is open on the connection. If a text has ended that already, the driver has its say alone.
func (t *transaction) Commit() error {
	called := false
	defer func() {
		// Refused, or the Handler panicked: database/sql never comes back to this transaction.
		if !called {
			t.c.rolledBack(t.in.Rollback())
		}
	}()
	_, err := t.c.inCommit(t.ctx, func() error {
		called = true
		err := t.in.Commit()
		if err != nil {
			t.c.unended(t.ctx, err)
		} else {
			t.c.ended(false)
		}
		return err
	})
	return err
}

// Rollback rolls back what is open on the connection; its entries are gone.
func (t *transaction) Rollback() error {
	err := t.in.Rollback()
	if err != nil {
		t.c.unended(t.ctx, err)
	} else {
		t.c.ended(false)
	}
	return err
}

// beginTx begins a transaction by the driver's own means.
func (c *Conn) beginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	notice(ctx)
	var in driver.Tx
	begin := func() (err error) {
		in, err = begin(ctx, c.in, opts)
		if err != nil {
			c.failed(ctx, err)
			return err
		}
		c.begun(c.dialect())
		c.tx.Options, c.tx.ctx = opts, context.WithoutCancel(ctx)
		return nil
	}
	var err error
	if c.tx != nil && c.dialect() == MySQL {
		// START TRANSACTION commits what a text left open.
		_, err = c.inCommit(ctx, begin)
	} else {
		err = begin()
	}
	if err != nil {
		return nil, err
	}
	return &transaction{c: c, in: in, ctx: context.WithoutCancel(ctx)}, nil
}
