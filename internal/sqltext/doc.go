// Package sqltext reads the text of SQL statements as a database driver gets it, far enough to tell what they write.
//
// It is no SQL parser: it knows where strings, comments and names begin and end in SQLite, PostgreSQL and MySQL
// (MariaDB included), and from there the few clauses that decide which rows of which table a statement writes. Whatever
// it does not understand it reports as something wider: an exact [Update] becomes [Wide], and a text that makes no sense
// becomes [Unknown]. It is wrong in one direction only, as far as a text can tell: functions, triggers, rules, views and
// cascades write behind a text's back, and are for the caller to know.
//
// A statement that is understood can be rewritten: [Statement.Returning] makes it tell the rows that it wrote, and
// [Statement.SelectOld] makes the query for the rows that it is about to write.
//
// [Reads] reads a query, far enough to tell which rows of which tables its result can depend on. It is as cautious: a
// condition that it does not understand restricts nothing, and a query that it does not understand is an error.
//
// MySQL's texts are read under its default sql_mode (a text that NO_BACKSLASH_ESCAPES would read differently is Unknown),
// PostgreSQL's with standard_conforming_strings on, which has been its default since 9.1.
package sqltext

// Dialect is whose SQL a text is written in.
type Dialect uint8

const (
	// AnyDialect is the cautious reading for a database that is not known: a text that dialects read differently is Unknown.
	AnyDialect Dialect = iota
	// SQLite is the SQL of SQLite 3.
	SQLite
	// Postgres is the SQL of PostgreSQL.
	Postgres
	// MySQL is the SQL of MySQL and MariaDB.
	MySQL
)
