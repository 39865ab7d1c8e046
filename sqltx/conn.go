package sqltx

import (
	"context"
	"database/sql/driver"
	"sync/atomic"
)

// Conn is a wrapped connection as a [Handler] sees it. It is for one goroutine at a time: the one that database/sql
// holds the connection for.
type Conn struct {
	connector *Connector
	in        driver.Conn
	tx        *Tx
	locked    bool // MySQL: LOCK TABLES holds until it is taken back, or a transaction begins
	manual    bool // MySQL: autocommit is off, so that the next statement begins a transaction
	disguised bool // the program has set whom its statements run as
	moved     bool // the program may have chosen another database
	kept      any  // the Handler's
	discarded atomic.Bool
	raw       []driver.NamedValue // the arguments of the call at hand, before they were converted
}

// Tx returns the transaction that is open on the connection, nil if statements are committed one by one.
func (c *Conn) Tx() *Tx { return c.tx }

// Locked reports whether the program has locked tables on the connection (MySQL: LOCK TABLES): a transaction would
// unlock them, and only the locked tables can be read, by the names they were locked by.
func (c *Conn) Locked() bool { return c.locked }

// Disguised reports whether the program has ever set, by a text on this connection, whom its statements run as (SET ROLE,
// SET SESSION AUTHORIZATION): what the connection may do is not what its user may.
func (c *Conn) Disguised() bool { return c.disguised }

// Moved reports whether the program may ever have chosen another database for this connection by a text (USE): a table
// without a schema need not be in the one that the connection was opened for.
func (c *Conn) Moved() bool { return c.moved }

// Exec executes a statement of the Handler's own on the driver's connection: no Handler is called for it, and the
// connection's transaction does not follow it, so that a BEGIN sent here does not show in Tx. The arguments go to the
// driver as they are. A Handler that fails between a BEGIN and a COMMIT of its own calls Discard.
func (c *Conn) Exec(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	return execText(ctx, c.in, text, args, nil)
}

// Query queries a statement of the Handler's own, in the same way. Whoever gets the rows closes them.
func (c *Conn) Query(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	return queryText(ctx, c.in, text, args, nil)
}

// Keep remembers a value of the Handler's for as long as the connection is open, in place of what it kept before.
func (c *Conn) Keep(v any) { c.kept = v }

// Kept is what Keep was given last, or nil.
func (c *Conn) Kept() any { return c.kept }

// Discard makes the pool close the connection, once whoever has it gives it back.
func (c *Conn) Discard() { c.discarded.Store(true) }

func (c *Conn) dialect() Dialect {
	if h := c.connector.handling.Load(); h != nil {
		return h.dialect
	}
	return Unknown
}

// exec runs what the program executes: past the Handler, if there is one, or as a part of the transaction's control.
func (c *Conn) exec(ctx context.Context, h *handling, s *Statement) (driver.Result, error) {
	c.enter(s)
	if h == nil || s.course.controls() {
		return s.Exec(ctx)
	}
	returned := false
	defer c.guard(&returned)
	r, err := h.Exec(ctx, c, s)
	returned = true
	return r, err
}

func (c *Conn) query(ctx context.Context, h *handling, s *Statement) (driver.Rows, error) {
	c.enter(s)
	if h == nil || s.course.controls() {
		return s.Query(ctx)
	}
	returned := false
	defer c.guard(&returned)
	r, err := h.Query(ctx, c, s)
	returned = true
	return r, err
}

// enter finds the statement's course. Where autocommit is off, a statement begins the transaction that it then is in.
func (c *Conn) enter(s *Statement) {
	s.course = c.courseOf(s)
	if !s.read && !lonely(s.written) {
		c.disguised = c.disguised || mentions(s.Script(), "role", "authorization")
		c.moved = c.moved || mentions(s.Script(), "use")
	}
	if c.manual && c.tx == nil && !s.course.controls() {
		c.tx = c.connector.newTx()
		s.course = c.courseOf(s)
	}
}

// guard keeps a connection from being used again after a Handler panicked in the middle of something.
func (c *Conn) guard(returned *bool) {
	if !*returned {
		c.Discard()
	}
}

// keep remembers an argument as the program gave it: a driver that skips a text wants the arguments converted anew, for
// the statement that is then prepared.
func (c *Conn) keep(nv driver.NamedValue) {
	// An ordinal seen before is that of a new call: the last one ended with an argument that could not be converted.
	if nv.Ordinal <= len(c.raw) {
		c.raw = c.raw[:nv.Ordinal-1]
	}
	c.raw = append(c.raw, nv)
}

// given returns the arguments of the call as the program gave them, nil if they are not those of this call.
func (c *Conn) given(args []driver.NamedValue) []driver.NamedValue {
	if len(c.raw) != len(args) {
		return nil
	}
	return c.raw
}

func (c *Conn) forget() {
	clear(c.raw)
	c.raw = c.raw[:0]
}
