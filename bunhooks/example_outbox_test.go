package bunhooks_test

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/sqliteshim"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/embedded"
)

// WithOutbox keeps what a transaction makes wrong in the database until Redis is told: here Redis is gone when a book is
// written, and whichever process next reaches one finds the row.
func ExampleWithOutbox() {
	ctx := context.Background()
	server, err := embedded.Start(embedded.Options{}) // a service has its own Redis client
	if err != nil {
		fmt.Println(err)
		return
	}
	cache, err := cacheme.New(server.Client(), cacheme.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cache.Close(ctx)
	cache.MustRegister(BookText{}, ListText{}, BookChanged{}, BooksOf{})
	sqldb := sql.OpenDB(bunhooks.WrapConnector(connector("file::memory:")))
	sqldb.SetMaxOpenConns(1)
	defer sqldb.Close()
	if _, err := sqldb.ExecContext(ctx, tables); err != nil || !sqliteshim.HasDriver() {
		fmt.Println(err)
		return
	}

	db := bun.NewDB(sqldb, sqlitedialect.New())
	outbox := bunhooks.NewOutbox(bunhooks.OutboxOptions{})
	if err := outbox.Create(ctx, db); err != nil { // a migration: Migrations.MustRegister(outbox.Create, outbox.Drop)
		fmt.Println(err)
		return
	}
	db, err = bunhooks.Install(db, cache, bunhooks.WithOutbox(outbox))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer outbox.Close(ctx)

	server.Close()
	_, err = db.NewUpdate().Model((*Book)(nil)).Set("title = 'new'").Where("id = 1").Exec(ctx)
	fmt.Println("committed:", err == nil)
	rows, _, err := outbox.Depth(ctx)
	fmt.Println("kept until Redis is told:", rows, err)
	// Output:
	// committed: true
	// kept until Redis is told: 1 <nil>
}
