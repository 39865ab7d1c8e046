package bunhooks_test

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/sqliteshim"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/embedded"
)

// WouldInvalidate asks before a write what it would make wrong: here the end of all of an author's books.
func ExampleWouldInvalidate() {
	ctx := context.Background()
	server, err := embedded.Start(embedded.Options{}) // a service has its own Redis client
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	cache, err := cacheme.New(server.Client(), cacheme.Options{Budget: time.Second})
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
	db, err := bunhooks.Install(bun.NewDB(sqldb, sqlitedialect.New()), cache)
	if err != nil {
		fmt.Println(err)
		return
	}

	impact, err := bunhooks.WouldInvalidate(ctx, db, db.NewDelete().Model((*Book)(nil)).Where("author_id = 1"))
	fmt.Println(err)
	fmt.Print(impact)
	books, err := db.NewSelect().Model((*Book)(nil)).Count(ctx)
	fmt.Println("still there:", books, err)
	// Output:
	// <nil>
	// DELETE books rows 1, 2 would make wrong
	//   row:book:1
	//   row:book:author:1
	//   rows:books
	//   row:book:2
	// on which depend
	//   book:<id> (bunhooks_test.BookText) by bunhooks_test.BookChanged
	//   list:<author> (bunhooks_test.ListText) by bunhooks_test.BooksOf
	// still there: 3 <nil>
}
