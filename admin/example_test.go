package admin_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/sqliteshim"
	"github.com/uptrace/bun/migrate"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/admin"
	"github.com/cacheme/cacheme/internal/embedded"
)

// The page beside an application's own: whoever the application's sign-in knows may look, and its operators may clear.
func ExampleNew() {
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
	cache.MustRegister(Detail{}, Note{}, BookChanged{})
	sqldb, err := sql.Open(sqliteshim.ShimName, "file::memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	sqldb.SetMaxOpenConns(1)
	defer sqldb.Close()
	db := bun.NewDB(sqldb, sqlitedialect.New())

	m := migrate.NewMigrator(db, admin.Migrations,
		migrate.WithTableName("cacheme_migrations"), migrate.WithLocksTableName("cacheme_migration_locks"))
	if err := m.Init(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := m.Migrate(ctx); err != nil {
		fmt.Println(err)
		return
	}

	page, err := admin.New(cache.Console(), db, admin.Options{
		Title: "Bookshop",
		Authorize: func(r *http.Request) (admin.Actor, error) {
			switch name, _, _ := r.BasicAuth(); name { // in place of the application's own sign-in
			case "ann":
				return admin.Actor{Name: name, Role: admin.Act | admin.Reveal}, nil
			case "bob":
				return admin.Actor{Name: name, Role: admin.Look}, nil
			}
			return admin.Actor{}, errors.New("nobody is signed in")
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer page.Close()
	mux := http.NewServeMux()
	mux.Handle("/ops/cache/", http.StripPrefix("/ops/cache", page))

	for _, ask := range [][2]string{{"", ""}, {"bob", ""}, {"bob", "clear"}, {"ann", "clear"}} {
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/ops/cache/"+ask[1], nil)
		r.SetBasicAuth(ask[0], "")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Printf("%q asks for /%s: %d\n", ask[0], ask[1], w.Code)
	}
	record, err := page.Invalidate(ctx, admin.Actor{Name: "deploy", Role: admin.Act}, admin.Request{Tags: []string{"catalogue"}})
	fmt.Println("from code:", record.Outcome, record.MadeWrong, err)
	// Output:
	// "" asks for /: 403
	// "bob" asks for /: 200
	// "bob" asks for /clear: 403
	// "ann" asks for /clear: 200
	// from code: done 1 <nil>
}
