// Package sqltx sees every statement and every transaction of a database/sql pool, at the driver.
//
// A query builder's hook knows what it built, but not on which connection it runs, in which transaction, and whether
// that transaction was committed. The driver's connection knows all of it: each statement of the pool passes through
// it as the text that the database gets, whoever wrote it (an ORM, a prepared statement, plain database/sql), and so do
// BEGIN, SAVEPOINT, ROLLBACK TO and COMMIT. [Wrap] puts a layer there:
//
//	connector := sqltx.Wrap(driversConnector)
//	db := sql.OpenDB(connector)
//	err := connector.Handle(handler, sqltx.Postgres)
//
// A [Handler] stands in place of every statement ([Handler.Exec], [Handler.Query]) and of every COMMIT
// ([Handler.Commit]). It may look and go on, change the text ([Statement.Instead]), run statements of its own on the
// same connection ([Conn.Exec]), and keep notes with the transaction ([Tx.Add]): what is rolled back, to a savepoint or
// as a whole, takes its notes with it, and Commit finds those that are left.
//
// Without a Handler, and with one that only goes on, a program gets the results, errors, scanned values and column types
// that it gets without the layer: each optional interface of the driver is passed through, and where the driver lacks
// one, what database/sql does without it happens. The type of the connection that [database/sql.Conn.Raw] shows is the
// one difference; [Unwrap] gives the driver's own.
//
// # What cannot be seen
//
// The layer follows what passes through it. A transaction that is begun or ended inside the database (a stored
// procedure, a default such as MySQL's completion_type, autocommit=0 in a DSN) is not seen; where a statement may
// have done that, the transaction is in doubt from then on ([Tx.InDoubt]). PREPARE TRANSACTION ends a transaction for its
// connection: its entries are gone, and COMMIT PREPARED comes to the Handler as a statement that may write anything.
//
// The package uses the standard library alone and knows no ORM and no cache.
package sqltx
