package tap

import (
	"context"
	"database/sql/driver"
)

// stmt is a prepared statement. Its calls are those of its text.
type stmt struct {
	driver.Stmt
	conn *conn
	text string
}

var (
	_ driver.StmtExecContext   = (*stmt)(nil)
	_ driver.StmtQueryContext  = (*stmt)(nil)
	_ driver.NamedValueChecker = (*stmt)(nil)
)

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return through(ctx, s.conn.around, Call{Exec, s.text}, func() (driver.Result, error) {
		if in, ok := s.Stmt.(driver.StmtExecContext); ok {
			return in.ExecContext(ctx, args)
		}
		return nil, errOld
	})
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return through(ctx, s.conn.around, Call{Query, s.text}, func() (driver.Rows, error) {
		if in, ok := s.Stmt.(driver.StmtQueryContext); ok {
			return in.QueryContext(ctx, args)
		}
		return nil, errOld
	})
}

func (s *stmt) CheckNamedValue(v *driver.NamedValue) error {
	if in, ok := s.Stmt.(driver.NamedValueChecker); ok {
		return in.CheckNamedValue(v)
	}
	return s.conn.CheckNamedValue(v)
}
