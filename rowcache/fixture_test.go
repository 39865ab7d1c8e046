package rowcache_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"
	"go.uber.org/goleak"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/tap"
	"github.com/cacheme/cacheme/internal/suite/writes"
	"github.com/cacheme/cacheme/rowcache"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var background = context.Background()

// The models. A shop has books, which have an author, a cover, readers, and are in a series under a number.
type (
	Author struct {
		bun.BaseModel `bun:"table:authors"`

		ID      int64 `bun:",pk,autoincrement"`
		Name    string
		Country *string
		Books   []*Book `bun:"rel:has-many"`
	}
	Book struct {
		bun.BaseModel `bun:"table:books"`

		ID       int64  `bun:",pk,autoincrement"`
		Slug     string `bun:",unique"`
		Width    int64  `bun:",unique"`
		Series   string `bun:",unique:place"`
		Number   int64  `bun:",unique:place"`
		Price    int64
		AuthorID int64     `bun:",nullzero"`
		Deleted  time.Time `bun:",soft_delete,nullzero"`

		Author  *Author `bun:"rel:belongs-to"`
		Cover   *Cover  `bun:"rel:has-one"`
		Readers []User  `bun:"m2m:readings,join:Book=User"`
	}
	Cover struct {
		bun.BaseModel `bun:"table:covers"`

		ID     int64 `bun:",pk,autoincrement"`
		BookID int64
		Colour string
	}
	User struct {
		bun.BaseModel `bun:"table:users"`

		ID    string `bun:",pk"`
		Name  string
		Books []*Book `bun:"m2m:readings,join:User=Book"`
	}
	Reading struct {
		bun.BaseModel `bun:"table:readings"`

		UserID string `bun:",pk"`
		User   *User  `bun:"rel:belongs-to"`
		BookID int64  `bun:",pk"`
		Book   *Book  `bun:"rel:belongs-to"`
		Page   int64
	}
	// Session is cached by nobody.
	Session struct {
		bun.BaseModel `bun:"table:sessions"`

		ID int64 `bun:",pk"`
	}
)

// world is a database with all models cached.
type world struct {
	t       *testing.T
	db      *bun.DB
	cache   *cacheme.Cache
	rc      *rowcache.Cache
	selects atomic.Int64
	trips   atomic.Int64

	authors  *rowcache.Rows[Author]
	books    *rowcache.Rows[Book]
	covers   *rowcache.Rows[Cover]
	users    *rowcache.Rows[User]
	readings *rowcache.Rows[Reading]
}

// counting counts SELECTs that are sent through bun.
type counting struct{ n *atomic.Int64 }

func (c counting) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }
func (c counting) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	if strings.HasPrefix(e.Query, "SELECT") {
		c.n.Add(1)
	}
}

func newWorld(t *testing.T, o rowcache.Options) *world {
	t.Helper()
	d := writes.Embedded(t)
	sqldb := sql.OpenDB(bunhooks.WrapConnector(d.Connector()))
	t.Cleanup(func() { _ = sqldb.Close() })
	db := bun.NewDB(sqldb, d.Bun())
	db.RegisterModel((*Reading)(nil))
	w := &world{t: t}
	for _, model := range []any{(*Author)(nil), (*Book)(nil), (*Cover)(nil), (*User)(nil), (*Reading)(nil), (*Session)(nil)} {
		_, err := db.NewCreateTable().Model(model).Exec(background)
		w.must(err)
	}
	client := d.Redis.Client()
	client.AddHook(&tap.Redis{Around: func(_ context.Context, trip tap.Trip, send func(...redis.Cmder) error) error {
		w.trips.Add(1)
		return send(trip.Cmds...)
	}})
	w.cache = suite.NewCache(t, client, suite.Patient(cacheme.Options{}))
	db, err := bunhooks.Install(db, w.cache)
	w.must(err)
	w.db = db.WithQueryHook(counting{&w.selects})
	w.rc, err = rowcache.New(w.cache, w.db, o)
	w.must(err)
	w.authors = forRows[Author](w, rowcache.Model{})
	w.books = forRows[Book](w, rowcache.Model{Criteria: [][]string{{"price"}}})
	w.covers = forRows[Cover](w, rowcache.Model{})
	w.users = forRows[User](w, rowcache.Model{})
	w.readings = forRows[Reading](w, rowcache.Model{})
	return w
}

func forRows[T any](w *world, m rowcache.Model) *rowcache.Rows[T] {
	w.t.Helper()
	r, err := rowcache.For[T](w.rc, m)
	w.must(err)
	return r
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) insert(models ...any) {
	w.t.Helper()
	for _, m := range models {
		_, err := w.db.NewInsert().Model(m).Exec(background)
		w.must(err)
	}
}

func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	_, err := w.db.NewRaw(query, args...).Exec(background)
	w.must(err)
}

// costs reports how many SELECTs something is.
func (w *world) costs(what string, want int64, do func()) {
	w.t.Helper()
	before := w.selects.Load()
	do()
	if n := w.selects.Load() - before; n != want {
		w.t.Errorf("%s costs %d SELECTs, want %d", what, n, want)
	}
}

func isNotFound(err error) bool {
	return errors.Is(err, cacheme.ErrNotFound) && errors.Is(err, sql.ErrNoRows)
}

// shop has two authors, three books, and readers.
func (w *world) shop() {
	w.t.Helper()
	be := "be"
	w.insert(
		&[]Author{{ID: 1, Name: "Ann", Country: &be}, {ID: 2, Name: "Bob"}},
		&[]Book{
			{ID: 1, Slug: "emma", Width: 2, Series: "s", Number: 1, Price: 5, AuthorID: 1},
			{ID: 2, Slug: "persuasion", Width: 1, Series: "s", Number: 2, Price: 6, AuthorID: 1},
			{ID: 3, Slug: "orphan", Width: 9, Series: "t", Number: 1, Price: 5},
		},
		&Cover{ID: 1, BookID: 1, Colour: "red"},
		&[]User{{ID: "u1", Name: "Una"}, {ID: "u2", Name: "Uwe"}},
		&[]Reading{{UserID: "u1", BookID: 1}, {UserID: "u1", BookID: 2}, {UserID: "u2", BookID: 1}},
	)
}
