package sqltx_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"

	"github.com/cacheme/cacheme/sqltx"
)

// journal is a Handler that keeps the text of each write with its transaction, and prints what a commit contains.
type journal struct{}

func (journal) Exec(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement) (driver.Result, error) {
	result, err := s.Exec(ctx)
	if err == nil && !s.IsRead() {
		if tx := c.Tx(); tx != nil {
			tx.Add(s.Text)
		} else {
			fmt.Println("at once:", s.Text)
		}
	}
	return result, err
}

func (journal) Query(ctx context.Context, _ *sqltx.Conn, s *sqltx.Statement) (driver.Rows, error) {
	return s.Query(ctx)
}

func (journal) Commit(_ context.Context, _ *sqltx.Conn, tx *sqltx.Tx, commit func() error) error {
	if err := commit(); err != nil {
		return err
	}
	fmt.Println("committed:")
	for _, text := range tx.Entries() {
		fmt.Println("  ", text)
	}
	return nil
}

func Example() {
	connector := sqltx.Wrap(dsn{":memory:"}) // The driver's own connector.
	if err := connector.Handle(journal{}, sqltx.SQLite); err != nil {
		panic(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	db.SetMaxOpenConns(1)

	ctx := context.Background()
	exec := func(on interface {
		ExecContext(context.Context, string, ...any) (sql.Result, error)
	}, text string, args ...any,
	) {
		if _, err := on.ExecContext(ctx, text, args...); err != nil {
			panic(err)
		}
	}
	exec(db, "CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT)")

	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		panic(err)
	}
	exec(tx, "INSERT INTO books (title) VALUES (?)", "Emma")
	exec(tx, "SAVEPOINT doubtful")
	exec(tx, "DELETE FROM books")
	exec(tx, "ROLLBACK TO doubtful")
	exec(tx, "UPDATE books SET title = 'Persuasion'")
	if err := tx.Commit(); err != nil {
		panic(err)
	}

	tx, err = db.BeginTx(ctx, nil)
	if err != nil {
		panic(err)
	}
	exec(tx, "DELETE FROM books")
	if err := tx.Rollback(); err != nil {
		panic(err)
	}

	// Output:
	// at once: CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT)
	// committed:
	//    INSERT INTO books (title) VALUES (?)
	//    UPDATE books SET title = 'Persuasion'
}
