package rowcache_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/sqliteshim"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/embedded"
	"github.com/cacheme/cacheme/rowcache"
)

// Film has one director.
type Film struct {
	ID         int64  `bun:",pk"`
	Slug       string `bun:",unique"`
	Title      string
	Year       int64
	DirectorID int64
	Director   *Director `bun:"rel:belongs-to"`
}

// Director makes films.
type Director struct {
	ID    int64 `bun:",pk"`
	Name  string
	Films []Film `bun:"rel:has-many"`
}

// cinema is a database with two tables, whose writes a cache is told.
func cinema() (rc *rowcache.Cache, db *bun.DB, done func()) {
	dir, err := os.MkdirTemp("", "cinema")
	must(err)
	server, err := embedded.Start(embedded.Options{})
	must(err)
	cache, err := cacheme.New(redis.UniversalClient(server.Client()), cacheme.Options{Budget: time.Second}) // a busy machine must not turn hits into loads
	must(err)
	sqldb, err := bunhooks.Open(sqliteshim.ShimName, "file:"+filepath.Join(dir, "cinema.db"))
	must(err)
	db = bun.NewDB(sqldb, sqlitedialect.New())
	ctx := context.Background()
	for _, model := range []any{(*Film)(nil), (*Director)(nil)} {
		_, err := db.NewCreateTable().Model(model).Exec(ctx)
		must(err)
	}
	db, err = bunhooks.Install(db, cache)
	must(err)
	for _, rows := range []any{
		&Director{ID: 1, Name: "Agnès Varda"},
		&[]Film{{1, "cleo", "Cléo from 5 to 7", 1962, 1, nil}, {2, "vagabond", "Vagabond", 1985, 1, nil}},
	} {
		_, err := db.NewInsert().Model(rows).Exec(ctx)
		must(err)
	}
	rc, err = rowcache.New(cache, db, rowcache.Options{})
	must(err)
	return rc, db, func() {
		must(errors.Join(cache.Close(ctx), db.Close(), os.RemoveAll(dir)))
		server.Close()
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// queries counts what a bun database is asked.
type queries struct{ n int }

func (q *queries) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }
func (q *queries) AfterQuery(context.Context, *bun.QueryEvent)                        { q.n++ }

func ExampleRows() {
	rc, db, done := cinema()
	defer done()
	films, err := rowcache.For[Film](rc, rowcache.Model{})
	must(err)
	ctx := context.Background()

	film, err := films.Get(ctx, 1)
	fmt.Println(film.Title, err)
	_, err = db.NewUpdate().Model((*Film)(nil)).Set("title = ?", "Cléo").Where("year < 1970").Exec(ctx)
	must(err)
	film, err = films.GetBy(ctx, "slug", "cleo")
	fmt.Println(film.Title, err)
	_, err = films.Get(ctx, 3)
	fmt.Println(errors.Is(err, sql.ErrNoRows))
	// Output:
	// Cléo from 5 to 7 <nil>
	// Cléo <nil>
	// true
}

func ExamplePreload() {
	rc, _, done := cinema()
	defer done()
	films, err := rowcache.For[Film](rc, rowcache.Model{})
	must(err)
	directors, err := rowcache.For[Director](rc, rowcache.Model{})
	must(err)
	director, err := rowcache.ToOne(films, "Director", directors)
	must(err)
	ctx := context.Background()

	page, err := films.GetMany(ctx, 1, 2)
	must(err)
	must(rowcache.Preload(ctx, page, director))
	for _, film := range page {
		fmt.Println(film.Title, "by", film.Director.Name)
	}
	// Output:
	// Cléo from 5 to 7 by Agnès Varda
	// Vagabond by Agnès Varda
}

func ExampleQuery() {
	rc, db, done := cinema()
	defer done()
	_, err := rowcache.For[Film](rc, rowcache.Model{})
	must(err)
	ctx := context.Background()
	asked := &queries{}
	db = db.WithQueryHook(asked)

	early := func() {
		before := asked.n
		films, err := rowcache.Query[Film](rc, db.NewSelect().Model((*Film)(nil)).
			Relation("Director").Where("film.director_id = ?", 1).Order("year").Limit(1)).All(ctx)
		must(err)
		fmt.Println(films[0].Title, "by", films[0].Director.Name+",", asked.n-before, "queries")
	}
	early()
	early()
	_, err = db.ExecContext(ctx, "UPDATE directors SET name = 'Varda' WHERE id = 1")
	must(err)
	early()
	// Output:
	// Cléo from 5 to 7 by Agnès Varda, 1 queries
	// Cléo from 5 to 7 by Agnès Varda, 0 queries
	// Cléo from 5 to 7 by Varda, 1 queries
}
