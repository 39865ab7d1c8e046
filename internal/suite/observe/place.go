package observe

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// soon bounds what has to happen, on however busy a machine.
const soon = 60 * time.Second

// place is a bookstore.
type place struct {
	writes.Database
	hooked source // what loaders load from
	admin  source // the same database, unseen by the cache
	cache  *cacheme.Cache
	events *events
	loads  map[string]int // by ask
}

// events are those that tell of reads.
type events struct {
	mu   sync.Mutex
	told []cacheme.Event
}

func (e *events) observe(_ context.Context, event cacheme.Event) {
	if event.Kind == cacheme.EventUndeclared || event.Kind == cacheme.EventUnseen {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.told = append(e.told, event)
	}
}

func (e *events) all() []cacheme.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]cacheme.Event(nil), e.told...)
}

// newPlace makes a place with empty tables. rules are taken out.
func newPlace(t testing.TB, d writes.Database, rules guard.Set) *place {
	t.Helper()
	p := &place{Database: d, events: &events{}, loads: map[string]int{}}
	admin := openBun(t, d, d.Connector())
	for i := range tables {
		_, err := admin.NewDropTable().Model(tables[len(tables)-1-i].model).IfExists().Exec(t.Context())
		check(t, err)
	}
	for _, table := range tables {
		q := admin.NewCreateTable().Model(table.model)
		for _, key := range table.keys {
			q = q.ForeignKey(key)
		}
		_, err := q.Exec(t.Context())
		check(t, err)
	}
	rdb := d.Redis.Client(suite.PatientClient)
	p.cache = suite.NewCache(t, rdb, suite.Patient(cacheme.Options{Prefix: suite.Prefix(), Hold: 10 * time.Minute, Observer: p.events.observe}), invalidNodes()...)
	inner := d.Connector()
	if rules != 0 {
		inner = &guard.Connector{Connector: inner, Rules: rules}
	}
	hooked, err := bunhooks.Install(openBun(t, d, bunhooks.WrapConnector(inner)), p.cache, bunhooks.WithLogger(slog.New(slog.DiscardHandler)))
	check(t, err)
	p.hooked, p.admin = newSource(t, d, hooked), newSource(t, d, admin)
	return p
}

func newSource(t testing.TB, d writes.Database, db *bun.DB) source {
	t.Helper()
	s := source{db: db, name: "SELECT name FROM authors WHERE id = ?"}
	title := "SELECT title FROM books AS b WHERE b.id = ?"
	if d.Dialect == writes.Postgres {
		s.name, title = "SELECT name FROM authors WHERE id = $1", "SELECT title FROM books AS b WHERE b.id = $1"
	}
	var err error
	s.titles, err = db.DB.PrepareContext(t.Context(), title)
	check(t, err)
	t.Cleanup(func() { _ = s.titles.Close() })
	return s
}

func openBun(t testing.TB, d writes.Database, connector driver.Connector) *bun.DB {
	t.Helper()
	sqldb := sql.OpenDB(connector)
	sqldb.SetMaxOpenConns(8)
	sqldb.SetMaxIdleConns(8)
	db := bun.NewDB(sqldb, d.Bun())
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return db
}

// declare has everything cached in one manner, from the hooked database.
func (p *place) declare(t testing.TB, how manner) []cached {
	t.Helper()
	all, err := declare(p.cache, how, func(a ask) func(context.Context, int64) (page, error) {
		return func(ctx context.Context, id int64) (page, error) {
			p.loads[a.name]++
			return a.load(p.hooked, ctx, id)
		}
	})
	check(t, err)
	return all
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
