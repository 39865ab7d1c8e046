package sqltx_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// fake is a driver that does what a test says and writes down what it was asked. A shape decides which of the optional
// interfaces its connections, statements and rows have.
type fake struct {
	shape shape

	mu     sync.Mutex
	calls  []string
	errs   map[string][]error // by what is asked: a text, or BEGIN, COMMIT, ROLLBACK of a driver.Tx; one a time
	always map[string]error   // the same, each time
	gates  map[string]chan struct{}
	conns  int
	open   int
	stmts  int
	closed bool
}

type shape struct {
	name  string
	conn  func(*fakeConn) driver.Conn
	stmt  func(*fakeStmt) driver.Stmt
	rows  func(*fakeRows) driver.Rows
	skips bool // ExecContext and QueryContext want arguments prepared
}

func newFake() *fake { return &fake{shape: everything()} }

func everything() shape {
	return shape{
		name: "everything",
		conn: func(c *fakeConn) driver.Conn { return c },
		stmt: func(s *fakeStmt) driver.Stmt { return s },
		rows: func(r *fakeRows) driver.Rows { return r },
	}
}

func (f *fake) failOnce(what string, err error) *fake {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.errs == nil {
		f.errs = make(map[string][]error)
	}
	f.errs[what] = append(f.errs[what], err)
	return f
}

func (f *fake) failAlways(what string, err error) *fake {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.always == nil {
		f.always = make(map[string]error)
	}
	f.always[what] = err
	return f
}

// block makes what wait for its context, and returns a channel that is closed when it waits.
func (f *fake) block(what string) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gates == nil {
		f.gates = make(map[string]chan struct{})
	}
	f.gates[what] = make(chan struct{})
	return f.gates[what]
}

func (f *fake) log() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

func (f *fake) openConns() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open
}

func (f *fake) openStmts() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stmts
}

func (f *fake) note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
}

func (f *fake) outcome(ctx context.Context, what string) error {
	f.mu.Lock()
	gate := f.gates[what]
	delete(f.gates, what)
	var err error
	if queue := f.errs[what]; len(queue) > 0 {
		err, f.errs[what] = queue[0], queue[1:]
	} else {
		err = f.always[what]
	}
	f.mu.Unlock()
	if gate != nil {
		close(gate)
		<-ctx.Done()
		return ctx.Err()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (f *fake) Connect(context.Context) (driver.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns++
	f.open++
	return f.shape.conn(&fakeConn{f: f, id: f.conns}), nil
}

func (f *fake) Driver() driver.Driver { return fakeDriver{} }

func (f *fake) Close() error {
	f.closed = true
	return errClosed
}

var errClosed = errors.New("the connector is closed")

type fakeDriver struct{}

func (fakeDriver) Open(string) (driver.Conn, error) { return nil, errors.ErrUnsupported }

// fakeConn has all there is; shapes show a part of it.
type fakeConn struct {
	f  *fake
	id int
}

func show(args []driver.NamedValue) string {
	var b strings.Builder
	for _, a := range args {
		fmt.Fprintf(&b, " %s%d=%T:%v", a.Name, a.Ordinal, a.Value, a.Value)
	}
	return b.String()
}

func named(args []driver.Value) []driver.NamedValue {
	all := make([]driver.NamedValue, len(args))
	for i, a := range args {
		all[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return all
}

func (c *fakeConn) Prepare(text string) (driver.Stmt, error) {
	return c.prepare(context.Background(), "Prepare", text)
}

func (c *fakeConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	return c.prepare(ctx, "PrepareContext", text)
}

func (c *fakeConn) prepare(ctx context.Context, how, text string) (driver.Stmt, error) {
	c.f.note("%d %s %s", c.id, how, text)
	if err := c.f.outcome(ctx, "prepare "+text); err != nil {
		return nil, err
	}
	c.f.mu.Lock()
	c.f.stmts++
	c.f.mu.Unlock()
	return c.f.shape.stmt(&fakeStmt{c: c, text: text}), nil
}

func (c *fakeConn) Close() error {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	c.f.open--
	return nil
}

func (c *fakeConn) Begin() (driver.Tx, error) {
	c.f.note("%d Begin", c.id)
	return &fakeTx{c}, c.f.outcome(context.Background(), "BEGIN")
}

func (c *fakeConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	c.f.note("%d BeginTx %d %v", c.id, o.Isolation, o.ReadOnly)
	return &fakeTx{c}, c.f.outcome(ctx, "BEGIN")
}

func (c *fakeConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	c.f.note("%d ExecContext %s%s", c.id, text, show(args))
	return c.result(ctx, text, args)
}

func (c *fakeConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	c.f.note("%d QueryContext %s%s", c.id, text, show(args))
	return c.answer(ctx, text, args)
}

func (c *fakeConn) result(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	if c.f.shape.skips && len(args) > 0 {
		return nil, driver.ErrSkip
	}
	if err := c.f.outcome(ctx, text); err != nil {
		return nil, err
	}
	return fakeResult(len(text)), nil
}

func (c *fakeConn) answer(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if c.f.shape.skips && len(args) > 0 {
		return nil, driver.ErrSkip
	}
	if err := c.f.outcome(ctx, text); err != nil {
		return nil, err
	}
	return c.f.shape.rows(&fakeRows{f: c.f, text: text}), nil
}

func (c *fakeConn) Ping(ctx context.Context) error {
	c.f.note("%d Ping", c.id)
	return c.f.outcome(ctx, "PING")
}

func (c *fakeConn) ResetSession(ctx context.Context) error {
	c.f.note("%d ResetSession", c.id)
	return c.f.outcome(ctx, "RESET")
}

func (c *fakeConn) IsValid() bool { return c.f.outcome(context.Background(), "VALID") == nil }

// point is a type that only a checker knows, dropped is one that it takes out.
type (
	point   struct{ x, y int }
	dropped struct{}
)

func (c *fakeConn) CheckNamedValue(nv *driver.NamedValue) error { return checkPoint("conn", nv) }

func checkPoint(by string, nv *driver.NamedValue) error {
	switch v := nv.Value.(type) {
	case point:
		nv.Value = fmt.Sprintf("%s(%d %d)", by, v.x, v.y)
		return nil
	case dropped:
		return driver.ErrRemoveArgument
	}
	return driver.ErrSkip
}

// legacyConn has Execer and Queryer, whose methods are called as those of other interfaces are.
type legacyConn struct{ c *fakeConn }

func (l legacyConn) Exec(text string, args []driver.Value) (driver.Result, error) {
	l.c.f.note("%d Exec %s%s", l.c.id, text, show(named(args)))
	return l.c.result(context.Background(), text, named(args))
}

func (l legacyConn) Query(text string, args []driver.Value) (driver.Rows, error) {
	l.c.f.note("%d Query %s%s", l.c.id, text, show(named(args)))
	return l.c.answer(context.Background(), text, named(args))
}

type fakeTx struct{ c *fakeConn }

func (t *fakeTx) Commit() error {
	t.c.f.note("%d Commit", t.c.id)
	return t.c.f.outcome(context.Background(), "COMMIT")
}

func (t *fakeTx) Rollback() error {
	t.c.f.note("%d Rollback", t.c.id)
	return t.c.f.outcome(context.Background(), "ROLLBACK")
}

type fakeResult int64

func (r fakeResult) LastInsertId() (int64, error) { return int64(r) * 100, nil }
func (r fakeResult) RowsAffected() (int64, error) { return int64(r), nil }

type fakeStmt struct {
	c    *fakeConn
	text string
}

func (s *fakeStmt) Close() error {
	s.c.f.note("%d Stmt.Close %s", s.c.id, s.text)
	s.c.f.mu.Lock()
	defer s.c.f.mu.Unlock()
	s.c.f.stmts--
	return nil
}

// NumInput counts question marks; a text with "any" in it cannot be counted.
func (s *fakeStmt) NumInput() int {
	if strings.Contains(s.text, "any") {
		return -1
	}
	return strings.Count(s.text, "?")
}

func (s *fakeStmt) Exec(args []driver.Value) (driver.Result, error) {
	s.c.f.note("%d Stmt.Exec %s%s", s.c.id, s.text, show(named(args)))
	return s.result(context.Background())
}

func (s *fakeStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.c.f.note("%d Stmt.ExecContext %s%s", s.c.id, s.text, show(args))
	return s.result(ctx)
}

func (s *fakeStmt) result(ctx context.Context) (driver.Result, error) {
	if err := s.c.f.outcome(ctx, s.text); err != nil {
		return nil, err
	}
	return fakeResult(len(s.text)), nil
}

func (s *fakeStmt) Query(args []driver.Value) (driver.Rows, error) {
	s.c.f.note("%d Stmt.Query %s%s", s.c.id, s.text, show(named(args)))
	return s.answer(context.Background())
}

func (s *fakeStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.c.f.note("%d Stmt.QueryContext %s%s", s.c.id, s.text, show(args))
	return s.answer(ctx)
}

func (s *fakeStmt) answer(ctx context.Context) (driver.Rows, error) {
	if err := s.c.f.outcome(ctx, s.text); err != nil {
		return nil, err
	}
	return s.c.f.shape.rows(&fakeRows{f: s.c.f, text: s.text}), nil
}

func (s *fakeStmt) CheckNamedValue(nv *driver.NamedValue) error { return checkPoint("stmt", nv) }

func (s *fakeStmt) ColumnConverter(i int) driver.ValueConverter { return byColumn(i) }

// byColumn shows the type that it was given, so that one converted before is told apart.
type byColumn int

func (i byColumn) ConvertValue(v any) (driver.Value, error) {
	if v == "refused" {
		return nil, errors.New("the column refuses it")
	}
	return fmt.Sprintf("column %d %T %v", int(i), v, v), nil
}

// fakeRows are three rows of an id and a name, twice; "rows" and "close" fail if they are told to.
type fakeRows struct {
	f    *fake
	text string
	at   int
	set  int
}

func (r *fakeRows) Columns() []string { return []string{"id", "name"} }

func (r *fakeRows) Next(dest []driver.Value) error {
	if r.at == 3 {
		return io.EOF
	}
	if r.at == 1 {
		if err := r.f.outcome(context.Background(), "rows"); err != nil {
			return err
		}
	}
	r.at++
	dest[0], dest[1] = int64(r.at), fmt.Appendf(nil, "%d of %s", r.at, r.text)
	return nil
}

func (r *fakeRows) Close() error {
	r.f.note("Rows.Close")
	return r.f.outcome(context.Background(), "close")
}

func (r *fakeRows) HasNextResultSet() bool { return r.set == 0 }

func (r *fakeRows) NextResultSet() error {
	if r.set == 1 {
		return io.EOF
	}
	r.set, r.at = 1, 0
	return nil
}

func (r *fakeRows) ColumnTypeScanType(i int) reflect.Type {
	return []reflect.Type{reflect.TypeFor[int64](), reflect.TypeFor[[]byte]()}[i]
}

func (r *fakeRows) ColumnTypeDatabaseTypeName(i int) string      { return []string{"INT", "TEXT"}[i] }
func (r *fakeRows) ColumnTypeLength(i int) (int64, bool)         { return int64(i * 10), i == 1 }
func (r *fakeRows) ColumnTypeNullable(i int) (nullable, ok bool) { return i == 1, true }
func (r *fakeRows) ColumnTypePrecisionScale(i int) (p, s int64, ok bool) {
	return 10, 2, i == 0
}
