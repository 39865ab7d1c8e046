package cacheme_test

import (
	"context"
	"fmt"
	"log/slog"
	"path"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/driver/sqliteshim"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
)

type (
	Band struct {
		ID   int64 `bun:",pk"`
		Name string
	}
	Record struct {
		ID     int64 `bun:",pk"`
		Title  string
		BandID int64
	}
)

// RecordPage is a record with the name of its band, and forgets that a band may change its name.
type RecordPage struct {
	cacheme.Node[string]
	ID int64 `cacheme:"field"`
}

func (RecordPage) Meta() cacheme.Meta { return cacheme.Meta{Key: "record:<id>:page"} }

func (p RecordPage) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{RecordChanged{ID: p.ID}}
}

// RecordChanged is one row of the records, BandChanged one of the bands.
type (
	RecordChanged struct {
		cacheme.ModelInvalidNode
		ID int64 `cacheme:"field"`
	}
	BandChanged struct {
		cacheme.ModelInvalidNode
		ID int64 `cacheme:"field"`
	}
)

func (RecordChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Record)(nil)} }
func (BandChanged) Meta() cacheme.Meta   { return cacheme.Meta{Model: (*Band)(nil)} }

// SeenPage is the same page, which declares nothing.
type SeenPage struct {
	cacheme.Node[string]
	ID int64 `cacheme:"field"`
}

func (SeenPage) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "record:<id>:seen-page", Observe: cacheme.Auto}
}

// records is a database with one record, and how often it was asked for the page.
type records struct {
	db      *bun.DB
	queries int
}

// openRecords makes a cache on a database.
func openRecords(name string, o cacheme.Options, declarations ...cacheme.Declaration) (*records, *cacheme.Cache, func()) {
	rdb, closeRedis := openRedis()
	o.Budget, o.WriteBudget = 5*time.Second, 5*time.Second
	cache, err := cacheme.New(rdb, o)
	ok(err)
	cache.MustRegister(declarations...)
	sqldb, err := bunhooks.Open(sqliteshim.ShimName, "file:"+name+"?mode=memory&cache=shared")
	ok(err)
	plain := bun.NewDB(sqldb, sqlitedialect.New())
	ctx := context.Background()
	for _, model := range []any{(*Band)(nil), (*Record)(nil)} {
		_, err := plain.NewCreateTable().Model(model).Exec(ctx)
		ok(err)
	}
	db, err := bunhooks.Install(plain, cache, bunhooks.WithLogger(slog.New(slog.DiscardHandler)))
	ok(err)
	_, err = db.NewInsert().Model(&Band{ID: 5, Name: "The Quintet"}).Exec(ctx)
	ok(err)
	_, err = db.NewInsert().Model(&Record{ID: 1, Title: "Kind of Blue", BandID: 5}).Exec(ctx)
	ok(err)
	return &records{db: db}, cache, func() {
		ok(cache.Close(ctx))
		ok(db.Close())
		closeRedis()
	}
}

func ok(err error) {
	if err != nil {
		panic(err)
	}
}

// load asks for a record and its band.
func (r *records) load(ctx context.Context, id int64) (page string, err error) {
	r.queries++
	err = r.db.NewSelect().TableExpr("records AS r").Join("JOIN bands AS b ON b.id = r.band_id").
		ColumnExpr("r.title || ' by ' || b.name").Where("r.id = ?", id).Scan(ctx, &page)
	return page, err
}

// A loader reads a table that its node does not declare. The first time that it does there is a warning in the log, and an
// event: it names the node, the table, the line of the query, and what to declare.
func Example_undeclared() {
	db, cache, end := openRecords("undeclared", cacheme.Options{Observer: func(_ context.Context, e cacheme.Event) {
		if e.Kind == cacheme.EventUndeclared {
			file, _, _ := strings.Cut(path.Base(e.Line), ":")
			what, remedy, _ := strings.Cut(e.Reason, ": ")
			remedy, _, _ = strings.Cut(remedy, ";")
			fmt.Printf("%s %s\n(%s):\n%s\n", e.Node, what, file, remedy)
		}
	}}, RecordPage{}, RecordChanged{}, BandChanged{})
	defer end()

	page, err := cacheme.GetFrom(context.Background(), cache, RecordPage{ID: 1}, func(ctx context.Context, p RecordPage) (string, error) {
		return db.load(ctx, p.ID)
	})
	fmt.Println(page, err)
	// Output:
	// cacheme_test.RecordPage reads the table bands and depends on nothing of it
	// (example_observe_test.go):
	// add cacheme_test.BandChanged to InvalidNodes or ResultInvalidNodes
	// Kind of Blue by The Quintet <nil>
}

// A node with Observe: Auto declares nothing: what its loader is seen to read makes it wrong.
func Example_auto() {
	db, cache, end := openRecords("auto", cacheme.Options{}, SeenPage{})
	defer end()
	ctx := context.Background()
	get := func() {
		page, err := cacheme.GetFrom(ctx, cache, SeenPage{ID: 1}, func(ctx context.Context, p SeenPage) (string, error) {
			return db.load(ctx, p.ID)
		})
		fmt.Println(page, err)
	}

	get()
	_, err := db.db.NewUpdate().Model(&Band{ID: 5, Name: "The Sextet"}).WherePK().Exec(ctx)
	ok(err)
	get()
	get()
	before := db.queries
	get()
	fmt.Println("loaded once more:", db.queries > before)
	// Output:
	// Kind of Blue by The Quintet <nil>
	// Kind of Blue by The Sextet <nil>
	// Kind of Blue by The Sextet <nil>
	// Kind of Blue by The Sextet <nil>
	// loaded once more: false
}
