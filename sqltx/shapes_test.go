package sqltx_test

import (
	"database/sql/driver"
	"reflect"
)

// shapes are drivers of all ages: every optional interface is missing somewhere, and alone somewhere.
func shapes() []shape {
	type (
		connShape struct {
			name  string
			conn  func(*fakeConn) driver.Conn
			skips bool
		}
		stmtShape struct {
			name string
			stmt func(*fakeStmt) driver.Stmt
		}
		rowsShape struct {
			name string
			rows func(*fakeRows) driver.Rows
		}
	)
	conns := []connShape{
		{"bare", func(c *fakeConn) driver.Conn { return struct{ driver.Conn }{c} }, false},
		{"prepares", func(c *fakeConn) driver.Conn {
			return struct {
				driver.Conn
				driver.ConnPrepareContext
				driver.ConnBeginTx
			}{c, c, c}
		}, false},
		{"executes", func(c *fakeConn) driver.Conn {
			return struct {
				driver.Conn
				driver.ExecerContext
			}{c, c}
		}, false},
		{"queries", func(c *fakeConn) driver.Conn {
			return struct {
				driver.Conn
				driver.QueryerContext
				driver.Pinger
			}{c, c, c}
		}, false},
		{"executes as of old", func(c *fakeConn) driver.Conn {
			return struct {
				driver.Conn
				driver.Execer
				driver.SessionResetter
			}{c, legacyConn{c}, c}
		}, false},
		{"both as of old", func(c *fakeConn) driver.Conn {
			return struct {
				driver.Conn
				driver.Execer
				driver.Queryer
				driver.Validator
			}{c, legacyConn{c}, legacyConn{c}, c}
		}, false},
		{"both without a checker", func(c *fakeConn) driver.Conn {
			return struct {
				driver.Conn
				driver.ExecerContext
				driver.QueryerContext
			}{c, c, c}
		}, false},
		{"skips without a checker", func(c *fakeConn) driver.Conn {
			return struct {
				driver.Conn
				driver.ExecerContext
				driver.QueryerContext
			}{c, c, c}
		}, true},
		{"checks", func(c *fakeConn) driver.Conn {
			return struct {
				driver.Conn
				driver.NamedValueChecker
			}{c, c}
		}, false},
		{"everything", func(c *fakeConn) driver.Conn { return c }, false},
		{"everything, skips", func(c *fakeConn) driver.Conn { return c }, true},
	}
	stmts := []stmtShape{
		{"bare", func(s *fakeStmt) driver.Stmt { return struct{ driver.Stmt }{s} }},
		{"contexts", func(s *fakeStmt) driver.Stmt {
			return struct {
				driver.Stmt
				driver.StmtExecContext
				driver.StmtQueryContext
			}{s, s, s}
		}},
		{"columns", func(s *fakeStmt) driver.Stmt {
			return struct {
				driver.Stmt
				driver.ColumnConverter
			}{s, s}
		}},
		{"checks", func(s *fakeStmt) driver.Stmt {
			return struct {
				driver.Stmt
				driver.NamedValueChecker
			}{s, s}
		}},
		{"everything", func(s *fakeStmt) driver.Stmt { return s }},
	}
	rows := []rowsShape{
		{"bare", func(r *fakeRows) driver.Rows { return struct{ driver.Rows }{r} }},
		{"result sets", func(r *fakeRows) driver.Rows { return setRows{r, r} }},
		{"types", func(r *fakeRows) driver.Rows { return typedRows{r, r} }},
		{"everything", func(r *fakeRows) driver.Rows { return r }},
	}
	var all []shape
	for i, c := range conns {
		for j, s := range stmts {
			// Rows do not depend on who made them: each kind meets each connection, and each statement.
			r := rows[(i+j)%len(rows)]
			all = append(all, shape{
				name: "conn " + c.name + ", stmt " + s.name + ", rows " + r.name,
				conn: c.conn, stmt: s.stmt, rows: r.rows, skips: c.skips,
			})
		}
	}
	return all
}

// The optional interfaces of rows embed driver.Rows, so that they cannot be embedded beside it.
type (
	setRows struct {
		driver.Rows
		r *fakeRows
	}
	typedRows struct {
		driver.Rows
		r *fakeRows
	}
)

func (s setRows) HasNextResultSet() bool { return s.r.HasNextResultSet() }
func (s setRows) NextResultSet() error   { return s.r.NextResultSet() }

func (t typedRows) ColumnTypeScanType(i int) reflect.Type { return t.r.ColumnTypeScanType(i) }

func (t typedRows) ColumnTypeNullable(i int) (nullable, ok bool) { return t.r.ColumnTypeNullable(i) }
