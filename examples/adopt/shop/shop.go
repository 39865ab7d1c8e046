// Package shop has what both services of the example share, and what neither of them changes: a table and where it is.
package shop

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/driver/sqliteshim"
)

// Product is something to be sold.
type Product struct {
	bun.BaseModel `bun:"table:products" json:"-"`

	ID       int64  `bun:",pk,autoincrement" json:"id"`
	Name     string `json:"name"`
	Category string `json:"category"`
	Price    int64  `json:"price"` // in cents
	Stock    int64  `json:"stock"`
}

// String is what a visitor gets to see.
func (p Product) String() string {
	return fmt.Sprintf("%s, %d.%02d, %d left", p.Name, p.Price/100, p.Price%100, p.Stock)
}

// Open creates the table, with one product in it.
func Open(ctx context.Context, db *bun.DB) error {
	if _, err := db.NewCreateTable().Model((*Product)(nil)).Exec(ctx); err != nil {
		return err
	}
	_, err := db.NewInsert().Model(&Product{Name: "Mug", Category: "kitchen", Price: 1000, Stock: 5}).Exec(ctx)
	return err
}

// File is the database: a connector to an SQLite file, in which readers go on beside a writer.
type File string

// Connect opens a connection.
func (f File) Connect(context.Context) (driver.Conn, error) {
	return f.Driver().Open(string(f) + "?_pragma=journal_mode(wal)&_pragma=busy_timeout(10000)&_journal_mode=WAL&_busy_timeout=10000")
}

// Driver is one of the two SQLite drivers there are.
func (File) Driver() driver.Driver { return sqliteshim.Driver() }
