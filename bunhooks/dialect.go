package bunhooks

import (
	"context"
	"database/sql/driver"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"
	bundialect "github.com/uptrace/bun/dialect"

	"github.com/cacheme/cacheme/internal/sqltext"
	"github.com/cacheme/cacheme/sqltx"
)

// features are what a database can do.
type features struct {
	insertReturns bool // INSERT .. RETURNING
	updateReturns bool
	deleteReturns bool
	upsertCounts  bool   // the rows that an upsert returns are as many as its result tells
	qualifies     bool   // columns of a RETURNING have to be qualified where other tables are in sight
	asksForSerial bool   // the caller's LastInsertId is found out from the returned numbers
	isolation     string // the variable that tells whether rows can come between two looks of one transaction; empty: it is seen
	fencesAtBegin bool   // the limit of a transaction of the hook's own is set where it begins
	failsOpen     bool   // a COMMIT that fails leaves the transaction open
	numbers       bool   // parameters are $1, $2
}

// server is what is particular to one database.
type server interface { //nolint:interfacebloat // what databases differ in, in one place
	// catalog asks for the tables.
	catalog(ctx context.Context, q ask) (*catalog, error)
	// begin opens a transaction for one statement.
	begin(limit time.Duration) string
	// fence makes the database give the open transaction up before a hold of it lapses. failed: it has failed already, and
	// its COMMIT will be a ROLLBACK.
	fence(ctx context.Context, c *sqltx.Conn, limit time.Duration) (failed bool, err error)
	// unfence takes the limit from the session, where fence has to put it there.
	unfence(ctx context.Context, c *sqltx.Conn) error
	// lock is the end of a SELECT that locks what the statement is about to write.
	lock(s *sqltext.Statement) string
	// lockFirst takes the locks without which a SELECT before a write may make that write fail.
	lockFirst(ctx context.Context, c *sqltx.Conn, t *table) error
	// replica asks whether the server follows another one: "0" is no. Empty: there are no replicas. lasts says that a
	// connection to one that follows none never becomes one to a replica.
	replica() (query string, lasts bool)
	// result is what the caller of a statement gets whose rows were returned to the hook.
	result(ctx context.Context, c *sqltx.Conn, n int64, last driver.Value, numbers map[string]bool) driver.Result
	// fails reports whether a statement that failed in this way has made its transaction fail.
	fails(err error) bool
	// outbox is how it keeps an outbox.
	outbox() outboxSQL
	// rolledBack reports whether an error of COMMIT proves that nothing was committed.
	rolledBack(err error) bool
}

// dialect is one kind of database.
type dialect struct {
	features
	server
	text     sqltext.Dialect
	open     byte // a quoted name begins with it, and ends with it
	lockRows string
}

// dialectOf finds what a bun.DB talks to.
func dialectOf(ctx context.Context, db *bun.DB, q ask) (dialect, error) {
	switch name := db.Dialect().Name(); name {
	case bundialect.SQLite:
		return newSQLite(), nil
	case bundialect.PG:
		return newPostgres(), nil
	case bundialect.MySQL:
		return newMySQL(ctx, q)
	default:
		return dialect{}, &InstallError{Reason: "knows SQLite, PostgreSQL, MySQL and MariaDB, and not the dialect " + name.String()}
	}
}

func (d dialect) quote(name string) string {
	q := string(d.open)
	return q + strings.ReplaceAll(name, q, q+q) + q
}

// name is a table as a statement names it: it is looked up where the statement's is.
func (d dialect) name(n sqltext.Name) string {
	if n.Schema == "" {
		return d.quote(n.Table)
	}
	return d.quote(n.Schema) + "." + d.quote(n.Table)
}

// columns are those that are read of a table, quoted and, if the qualifier is not empty, qualified by it as it stands.
func (d dialect) columns(t *table, qualifier string) []string {
	quoted := make([]string, len(t.columns))
	for i, c := range t.columns {
		quoted[i] = d.quote(c)
		if qualifier != "" {
			quoted[i] = qualifier + "." + quoted[i]
		}
	}
	return quoted
}

// in compares columns with n rows of arguments.
func (d dialect) in(columns []string, n int) string {
	var b strings.Builder
	at := 0
	argument := func() {
		at++
		if !d.numbers {
			b.WriteByte('?')
			return
		}
		b.WriteString("$" + strconv.Itoa(at))
	}
	if len(columns) == 1 {
		b.WriteString(d.quote(columns[0]) + " IN (")
		for i := range n {
			if i > 0 {
				b.WriteString(", ")
			}
			argument()
		}
		return b.String() + ")"
	}
	for i := range n {
		if i > 0 {
			b.WriteString(" OR ")
		}
		b.WriteByte('(')
		for j, c := range columns {
			if j > 0 {
				b.WriteString(" AND ")
			}
			b.WriteString(d.quote(c) + " = ")
			argument()
		}
		b.WriteByte(')')
	}
	return b.String()
}
