package sqltx

import (
	"context"
	"database/sql/driver"

	"github.com/cacheme/cacheme/internal/sqltext"
)

// maxOthers bounds the texts that are kept prepared in place of one statement. A Handler has one or two; one that makes
// a new text each time must not fill the database with statements.
const maxOthers = 8

// stmt is a prepared statement. columnStmt is one whose driver converts arguments by column: having that interface
// changes what database/sql does even where it converts nothing.
type (
	stmt struct {
		c      *Conn
		in     driver.Stmt
		text   string
		read   bool
		parsed bool
		script sqltext.Script
		spoken Dialect // the one that script was parsed in: Handle may come after Prepare
		others map[string]driver.Stmt
	}
	columnStmt struct{ *stmt }
)

var (
	_ driver.StmtExecContext   = (*stmt)(nil)
	_ driver.StmtQueryContext  = (*stmt)(nil)
	_ driver.NamedValueChecker = (*stmt)(nil)
)

func newStmt(c *Conn, in driver.Stmt, text string) driver.Stmt {
	s := &stmt{c: c, in: in, text: text, read: sqltext.IsRead(text)}
	if _, ok := in.(driver.ColumnConverter); ok { //nolint:staticcheck // Drivers of old have nothing else.
		return columnStmt{s}
	}
	return s
}

func (s *stmt) parse() sqltext.Script {
	if d := s.c.dialect(); !s.parsed || s.spoken != d {
		s.script, s.parsed, s.spoken = sqltext.Parse(d, s.text), true, d
	}
	return s.script
}

// with returns the driver's statement for the text of o, which is this one's or stands instead of it.
func (s *stmt) with(ctx context.Context, o *Statement) (driver.Stmt, error) {
	if o.Text == s.text {
		return s.in, nil
	}
	other, ok := s.others[o.Text]
	if !ok {
		var err error
		if other, err = prepare(ctx, s.c.in, o.Text); err != nil {
			return nil, err
		}
		s.keep(o.Text, other)
	}
	return other, count(other, o.Args)
}

func (s *stmt) keep(text string, other driver.Stmt) {
	if s.others == nil {
		s.others = make(map[string]driver.Stmt)
	}
	if len(s.others) >= maxOthers {
		for t, old := range s.others {
			_ = old.Close() // It has no rows open, as Instead demands.
			delete(s.others, t)
			break
		}
	}
	s.others[text] = other
}

// Close closes the driver's statement and those that stood instead of it.
func (s *stmt) Close() error {
	for _, other := range s.others {
		_ = other.Close() // The program knows nothing of it.
	}
	s.others = nil
	return s.in.Close()
}

// NumInput is the driver's.
func (s *stmt) NumInput() int { return s.in.NumInput() }

// CheckNamedValue asks the driver's statement, else its connection. Where neither checks, it is left to the default.
func (s *stmt) CheckNamedValue(nv *driver.NamedValue) error {
	if n, ok := s.in.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(nv)
	}
	return checkByConn(s.c.in, nv)
}

// ColumnConverter is the driver's.
func (s columnStmt) ColumnConverter(i int) driver.ValueConverter {
	return s.in.(driver.ColumnConverter).ColumnConverter(i) //nolint:staticcheck,forcetypeassert // newStmt looked.
}

// Exec is for whoever has no context.
func (s *stmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), ordinal(args))
}

// Query is for whoever has no context.
func (s *stmt) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), ordinal(args))
}

// ExecContext runs the statement past the Handler.
func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	notice(ctx)
	h := s.c.connector.handling.Load()
	if h == nil && s.read && !s.c.manual {
		r, err := execStmt(ctx, s.in, args)
		s.c.failed(ctx, err)
		return r, err
	}
	return s.c.exec(ctx, h, s.statement(args, h))
}

// QueryContext runs the statement past the Handler.
func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	notice(ctx)
	h := s.c.connector.handling.Load()
	if h == nil && s.read && !s.c.manual {
		r, err := queryStmt(ctx, s.in, args)
		s.c.failed(ctx, err)
		return r, err
	}
	return s.c.query(ctx, h, s.statement(args, h))
}

func (s *stmt) statement(args []driver.NamedValue, h *handling) *Statement {
	return &Statement{conn: s.c, prepared: s, Text: s.text, written: s.text, Args: args, read: s.read, handled: h != nil}
}

func ordinal(values []driver.Value) []driver.NamedValue {
	args := make([]driver.NamedValue, len(values))
	for i, v := range values {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return args
}
