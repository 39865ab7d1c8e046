package sqltx

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// What [Connector.Handle] refuses.
var (
	// ErrHandled says that the Connector has its Handler already.
	ErrHandled = errors.New("sqltx: the connector has a Handler already: give it one, once, and compose inside it")
	// ErrHandler says that what was given cannot be a Handler's: it is nil, or there is more than one Dialect.
	ErrHandler = errors.New("sqltx: Handle wants a Handler that is not nil and at most one Dialect")
)

// Connector is a driver.Connector whose connections follow their transactions and show what they run to a [Handler]. It
// is for sql.OpenDB and safe for concurrent use.
type Connector struct {
	in           driver.Connector
	handling     atomic.Pointer[handling]
	transactions atomic.Uint64
}

// handling is what Handle was given.
type handling struct {
	Handler
	dialect Dialect
}

var (
	_ driver.Connector = (*Connector)(nil)
	_ io.Closer        = (*Connector)(nil)
)

// Wrap returns a Connector over that of a driver, which must not be nil. One that is wrapped already is returned as it
// is.
func Wrap(c driver.Connector) *Connector {
	if wrapped, ok := c.(*Connector); ok {
		return wrapped
	}
	return &Connector{in: c}
}

// Handle gives the Connector its Handler, and says which SQL is spoken; no Dialect is [Unknown]. It holds for all
// connections, those that are open already included. Before it transactions are followed and statements pass through.
// A second call is [ErrHandled], a nil Handler or a second Dialect [ErrHandler].
func (c *Connector) Handle(h Handler, d ...Dialect) error {
	if h == nil || len(d) > 1 {
		return ErrHandler
	}
	given := &handling{Handler: h}
	if len(d) == 1 {
		given.dialect = d[0]
	}
	if !c.handling.CompareAndSwap(nil, given) {
		return ErrHandled
	}
	return nil
}

// Handler returns what [Connector.Handle] was given, or nil.
func (c *Connector) Handler() Handler {
	if h := c.handling.Load(); h != nil {
		return h.Handler
	}
	return nil
}

// Connect opens a connection of the driver's, with its errors.
func (c *Connector) Connect(ctx context.Context) (driver.Conn, error) {
	in, err := c.in.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return newDriverConn(&Conn{connector: c, in: in}), nil
}

// Driver returns the driver's own.
func (c *Connector) Driver() driver.Driver { return c.in.Driver() }

// Unwrap returns the connector that was given to [Wrap].
func (c *Connector) Unwrap() driver.Connector { return c.in }

// Close closes the driver's connector, if it can be closed. sql.DB.Close calls it.
func (c *Connector) Close() error {
	if closer, ok := c.in.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

func (c *Connector) newTx() *Tx { return &Tx{id: c.transactions.Add(1)} }

// Of returns the Connector below a pool, nil if its connections are not wrapped. It takes one connection from the pool
// and gives it back: it waits, as long as ctx allows, while there is none, and must not be called with the only
// connection in use. Its error is that of the pool.
func Of(ctx context.Context, db *sql.DB) (*Connector, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("sqltx: look below the pool: %w", err)
	}
	defer conn.Close() //nolint:errcheck // It gives the connection back, which cannot fail here.
	var found *Connector
	err = conn.Raw(func(c any) error {
		if w, ok := c.(wrapped); ok {
			found = w.wrapper().connector
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("sqltx: look below the pool: %w", err)
	}
	return found, nil
}

// Unwrap returns the driver's own connection below the one that [sql.Conn.Raw] shows: for COPY, LISTEN, backup and
// whatever else a driver offers beside database/sql. What is not wrapped is returned as it is; what is no connection at
// all gives nil. What is done with it passes by the Connector and its Handler.
func Unwrap(driverConn any) driver.Conn {
	for {
		w, ok := driverConn.(wrapped)
		if !ok {
			c, _ := driverConn.(driver.Conn)
			return c
		}
		driverConn = w.wrapper().in
	}
}

// wrapped is what all connections of a Connector are.
type wrapped interface{ wrapper() *Conn }
