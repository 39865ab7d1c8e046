package sqltx

import (
	"context"
	"database/sql/driver"
	"errors"
)

// What follows calls a driver as database/sql does, whichever of its optional interfaces it has.

// tryExec executes a text on a driver that can; driver.ErrSkip means that it wants to prepare it.
func tryExec(ctx context.Context, in driver.Conn, text string, args []driver.NamedValue) (driver.Result, error) {
	if e, ok := in.(driver.ExecerContext); ok {
		return e.ExecContext(ctx, text, args)
	}
	e, ok := in.(driver.Execer) //nolint:staticcheck // Drivers of old have nothing else.
	if !ok {
		return nil, driver.ErrSkip
	}
	values, err := unnamed(ctx, args)
	if err != nil {
		return nil, err
	}
	return e.Exec(text, values)
}

func tryQuery(ctx context.Context, in driver.Conn, text string, args []driver.NamedValue) (driver.Rows, error) {
	if q, ok := in.(driver.QueryerContext); ok {
		return q.QueryContext(ctx, text, args)
	}
	q, ok := in.(driver.Queryer) //nolint:staticcheck // Drivers of old have nothing else.
	if !ok {
		return nil, driver.ErrSkip
	}
	values, err := unnamed(ctx, args)
	if err != nil {
		return nil, err
	}
	return q.Query(text, values)
}

// execText executes a text, prepared if the driver wants that; raw are the arguments before they were converted, nil if
// they are to be taken as they are.
func execText(ctx context.Context, in driver.Conn, text string, args, raw []driver.NamedValue) (driver.Result, error) {
	r, err := tryExec(ctx, in, text, args)
	if err != driver.ErrSkip { //nolint:errorlint // The driver's contract is this very value.
		return r, err
	}
	s, args, err := prepareFor(ctx, in, text, args, raw)
	if err != nil {
		return nil, err
	}
	defer s.Close() //nolint:errcheck // As database/sql: the statement has had its effect.
	return execStmt(ctx, s, args)
}

func queryText(ctx context.Context, in driver.Conn, text string, args, raw []driver.NamedValue) (driver.Rows, error) {
	r, err := tryQuery(ctx, in, text, args)
	if err != driver.ErrSkip { //nolint:errorlint // The driver's contract is this very value.
		return r, err
	}
	s, args, err := prepareFor(ctx, in, text, args, raw)
	if err != nil {
		return nil, err
	}
	r, err = queryStmt(ctx, s, args)
	if err != nil {
		_ = s.Close() // As database/sql: the query's own error is the one to tell.
		return nil, err
	}
	return &rows{in: r, stmt: s}, nil
}

func prepareFor(ctx context.Context, in driver.Conn, text string, args, raw []driver.NamedValue) (driver.Stmt, []driver.NamedValue, error) {
	s, err := prepare(ctx, in, text)
	if err != nil {
		return nil, nil, err
	}
	if raw != nil {
		args, err = convert(in, s, raw)
	}
	if err == nil {
		err = count(s, args)
	}
	if err != nil {
		_ = s.Close() // Nothing was run with it, and what is wrong is told.
		return nil, nil, err
	}
	return s, args, nil
}

func prepare(ctx context.Context, in driver.Conn, text string) (driver.Stmt, error) {
	if p, ok := in.(driver.ConnPrepareContext); ok {
		return p.PrepareContext(ctx, text)
	}
	s, err := in.Prepare(text)
	if err == nil && ctx.Err() != nil {
		_ = s.Close() // The caller has gone.
		return nil, ctx.Err()
	}
	return s, err
}

func execStmt(ctx context.Context, s driver.Stmt, args []driver.NamedValue) (driver.Result, error) {
	if e, ok := s.(driver.StmtExecContext); ok {
		return e.ExecContext(ctx, args)
	}
	values, err := unnamed(ctx, args)
	if err != nil {
		return nil, err
	}
	return s.Exec(values) //nolint:staticcheck // Drivers of old have nothing else.
}

func queryStmt(ctx context.Context, s driver.Stmt, args []driver.NamedValue) (driver.Rows, error) {
	if q, ok := s.(driver.StmtQueryContext); ok {
		return q.QueryContext(ctx, args)
	}
	values, err := unnamed(ctx, args)
	if err != nil {
		return nil, err
	}
	return s.Query(values) //nolint:staticcheck // Drivers of old have nothing else.
}

func begin(ctx context.Context, in driver.Conn, opts driver.TxOptions) (driver.Tx, error) {
	if b, ok := in.(driver.ConnBeginTx); ok {
		return b.BeginTx(ctx, opts)
	}
	switch {
	case opts.Isolation != 0:
		return nil, errors.New("sql: driver does not support non-default isolation level")
	case opts.ReadOnly:
		return nil, errors.New("sql: driver does not support read-only transactions")
	}
	tx, err := in.Begin() //nolint:staticcheck // Drivers of old have nothing else.
	if err == nil && ctx.Err() != nil {
		_ = tx.Rollback() // The caller has gone.
		return nil, ctx.Err()
	}
	return tx, err
}

// unnamed are the arguments for a driver that knows neither names nor contexts.
func unnamed(ctx context.Context, args []driver.NamedValue) ([]driver.Value, error) {
	values := make([]driver.Value, len(args))
	for i, a := range args {
		if a.Name != "" {
			return nil, errors.New("sql: driver does not support the use of Named Parameters")
		}
		values[i] = a.Value
	}
	return values, ctx.Err()
}
