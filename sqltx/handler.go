package sqltx

import (
	"context"
	"database/sql/driver"
)

// Handler stands between a pool and its driver. Its methods run while database/sql holds the connection: they may use
// that connection through c, but must not ask the pool for another (a pool of one connection would wait for itself), and
// must not keep c, s or tx beyond the call, [Buffer] and rows that are still open excepted. They are called for several
// connections at once, for one connection one at a time.
//
// What a method returns is what the caller of database/sql gets. An error that is driver.ErrBadConn makes database/sql
// run the statement again on another connection, so it must not be returned once the statement may have been applied. A
// panic is not swallowed: it reaches the caller, and the pool does not use the connection again.
type Handler interface {
	// Exec stands in place of a statement that is executed; s.Exec(ctx) goes on with it as written. Statements that
	// do nothing but control the transaction (BEGIN, SAVEPOINT, ROLLBACK ..) do not come here.
	//
	// A text of several statements comes as one. If it has transaction control in it, Commit is not called for it:
	// its transactions are Exec's business, c.Tx() is the one that is open before s.Exec and the one that the text
	// left open after. If such a text fails, its transaction is in doubt and the connection is discarded; SQLite's is
	// neither, because it can be asked what is open.
	//
	// A statement that commits the open transaction by itself (MySQL: schema statements, TRUNCATE, LOCK TABLES)
	// comes here first, with c.Tx() set; s.Exec(ctx) then runs it in Commit. One that may (CALL on MySQL, a text that is
	// not understood) comes the same way, and leaves the transaction open and in doubt ([Tx.InDoubt]).
	Exec(ctx context.Context, c *Conn, s *Statement) (driver.Result, error)

	// Query stands in place of a statement that is queried, in the same way; s.Query(ctx) goes on with it. The
	// statement may write all the same (RETURNING).
	Query(ctx context.Context, c *Conn, s *Statement) (driver.Rows, error)

	// Commit stands in place of every COMMIT of a transaction: that of a sql.Tx, the text COMMIT or END, SQLite's
	// RELEASE of a savepoint that began the transaction, and statements that commit implicitly. commit does it and
	// may be called once; tx and c are still in the transaction before it, and c.Tx() is what came after it once it
	// has returned. Its error may mean that the outcome is not known.
	//
	// If commit is not called, nothing is committed: the transaction is rolled back, or, if a statement would have
	// committed implicitly, that statement is not run and the transaction stays open. An error of commit's is
	// returned to the caller even if Commit returns nil.
	//
	// The context of a sql.Tx is that of its BeginTx, without its cancellation: database/sql does not interrupt a
	// COMMIT either.
	Commit(ctx context.Context, c *Conn, tx *Tx, commit func() error) error
}
