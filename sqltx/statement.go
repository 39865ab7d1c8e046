package sqltx

import (
	"context"
	"database/sql/driver"

	"github.com/cacheme/cacheme/internal/sqltext"
)

// Statement is what a program runs: a text, or a prepared statement with its text. It is for the call that it was given
// to.
type Statement struct {
	// Text is what is sent to the database.
	Text string
	// Args are its arguments, converted as the driver wants them. They must not be changed.
	Args []driver.NamedValue

	conn     *Conn
	prepared *stmt  // nil if the text is sent as it is
	written  string // the program's text, which Instead keeps
	read     bool
	parsed   bool
	handled  bool // a Handler stands before it, so that the driver's ErrSkip is answered here
	course   course
	script   sqltext.Script
}

// IsRead reports whether the program's text is surely one statement that writes nothing and controls no transaction. It
// is cheap, and known before the text is parsed.
func (s *Statement) IsRead() bool { return s.read }

// Script is the program's text as it was understood, whatever Instead put in its place. It is parsed at the first call,
// once for a prepared statement, and must not be changed.
func (s *Statement) Script() sqltext.Script {
	switch {
	case s.prepared != nil:
		return s.prepared.parse()
	case !s.parsed:
		s.script, s.parsed = sqltext.Parse(s.conn.dialect(), s.written), true
	}
	return s.script
}

// Instead returns the same statement with another text for the same arguments. If s is prepared, the other text is
// prepared too, once, and kept as long as s is, if it is one of the last few: so the rows of such a text are to be closed,
// or read by [Buffer], before the program runs s again. The transaction follows the program's text all the same.
func (s *Statement) Instead(text string) *Statement {
	other := *s
	other.Text = text
	return &other
}

// Exec executes the statement on the driver's connection and returns what the driver does. A driver that wants the
// statement prepared for that gets it so.
func (s *Statement) Exec(ctx context.Context) (driver.Result, error) {
	if s.course == plain {
		r, err := s.exec(ctx)
		s.conn.failed(ctx, err)
		return r, err
	}
	var r driver.Result
	err := s.conn.carry(ctx, s, func() (err error) { r, err = s.exec(ctx); return err })
	return r, err
}

// Query queries the statement on the driver's connection, as Exec executes it.
func (s *Statement) Query(ctx context.Context) (driver.Rows, error) {
	if s.course == plain {
		r, err := s.query(ctx)
		s.conn.failed(ctx, err)
		return s.attend(ctx, r), err
	}
	var r driver.Rows
	err := s.conn.carry(ctx, s, func() (err error) { r, err = s.query(ctx); return err })
	return s.attend(ctx, r), err
}

// attend returns rows such that an error among them is not missed where it tells of the transaction. Rows of a read
// are the driver's own: what fails there undoes nothing.
func (s *Statement) attend(ctx context.Context, in driver.Rows) driver.Rows {
	c := s.conn
	switch {
	case in == nil, s.read:
		return in
	case s.course == several:
		return &rows{in: in, lost: func(err error) { c.after(context.WithoutCancel(ctx), s, err) }}
	case c.tx == nil, c.dialect() == Postgres:
		return in
	default:
		return &rows{in: in, lost: func(err error) { c.failed(context.WithoutCancel(ctx), err) }}
	}
}

// exec sends the statement, and nothing else.
func (s *Statement) exec(ctx context.Context) (driver.Result, error) {
	switch {
	case s.prepared != nil:
		st, err := s.prepared.with(ctx, s)
		if err != nil {
			return nil, err
		}
		return execStmt(ctx, st, s.Args)
	case s.handled:
		return execText(ctx, s.conn.in, s.Text, s.Args, s.conn.given(s.Args))
	default:
		return tryExec(ctx, s.conn.in, s.Text, s.Args)
	}
}

func (s *Statement) query(ctx context.Context) (driver.Rows, error) {
	switch {
	case s.prepared != nil:
		st, err := s.prepared.with(ctx, s)
		if err != nil {
			return nil, err
		}
		return queryStmt(ctx, st, s.Args)
	case s.handled:
		return queryText(ctx, s.conn.in, s.Text, s.Args, s.conn.given(s.Args))
	default:
		return tryQuery(ctx, s.conn.in, s.Text, s.Args)
	}
}
