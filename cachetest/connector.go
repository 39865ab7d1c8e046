package cachetest

import (
	"context"
	"database/sql/driver"
	"strings"

	"github.com/cacheme/cacheme/sqltx"
)

// Connector wraps the connector of a test's database, so that others may come in before each statement and each COMMIT,
// and after it. With bunhooks it is the inner one:
//
//	sql.OpenDB(bunhooks.WrapConnector(w.Connector(connector)))
//
// A statement that waits for a lock of the database waits outside of Go: give a SQLite database one connection
// (db.SetMaxOpenConns(1)), so that those who wait do so in the pool.
func (w *World) Connector(c driver.Connector) driver.Connector {
	wrapped := sqltx.Wrap(c)
	if err := wrapped.Handle(statements{w}); err != nil {
		w.Fatalf("cachetest: Connector: %v", err)
	}
	// A type of its own: sqltx takes one that it knows for wrapped.
	return connector{wrapped}
}

type connector struct{ driver.Connector }

// statements makes a step of each statement.
type statements struct{ w *World }

func (s statements) Exec(ctx context.Context, _ *sqltx.Conn, q *sqltx.Statement) (driver.Result, error) {
	s.w.stop(ctx, does, sentence(q.Text))
	defer s.w.stop(ctx, hears, "hears from the database")
	return q.Exec(ctx)
}

func (s statements) Query(ctx context.Context, _ *sqltx.Conn, q *sqltx.Statement) (driver.Rows, error) {
	s.w.stop(ctx, does, sentence(q.Text))
	defer s.w.stop(ctx, hears, "hears from the database")
	return q.Query(ctx)
}

func (s statements) Commit(ctx context.Context, _ *sqltx.Conn, _ *sqltx.Tx, commit func() error) error {
	s.w.stop(ctx, does, "COMMIT")
	defer s.w.stop(ctx, hears, "hears from the database")
	return commit()
}

// sentence is a statement in one line.
func sentence(text string) string {
	const most = 80
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}
