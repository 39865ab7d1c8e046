package sqltx

import "github.com/cacheme/cacheme/internal/sqltext"

// Dialect is the SQL that the database below a [Connector] speaks. It decides how a text is read and which statements
// end a transaction. The zero value is [Unknown].
type Dialect = sqltext.Dialect

// The dialects. What speaks another one, or is not said, is Unknown: a text is then read cautiously, and a transaction
// in which something failed is in doubt ([Tx.InDoubt]).
const (
	Unknown  = sqltext.AnyDialect
	SQLite   = sqltext.SQLite
	Postgres = sqltext.Postgres
	MySQL    = sqltext.MySQL // also MariaDB
)
