package queries

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/tap"
	"github.com/cacheme/cacheme/internal/suite/writes"
	"github.com/cacheme/cacheme/rowcache"
)

// soon bounds what has to happen, on however busy a machine.
const soon = 60 * time.Second

// place is a database with the hook installed and all models cached.
type place struct {
	writes.Database
	cached
	db    *bun.DB // hooked; what is asked of it is counted
	admin *bun.DB // of the same database, unseen by the cache
	cache *cacheme.Cache
	rc    *rowcache.Cache
	rdb   redis.UniversalClient
	name  string // of the database in keys

	connections []*sql.DB
}

// setup says how a place differs from the usual.
type setup struct {
	options rowcache.Options
	model   rowcache.Model // of all models
	redis   redis.Hook
	folding bool // MariaDB compares texts as it usually does, by which A is a, and which costs narrowness
}

// newPlace makes a place with empty tables. It is to be called from the test's own goroutine.
func newPlace(t testing.TB, d writes.Database, s setup) *place {
	t.Helper()
	p := &place{Database: d, admin: openBun(t, d, d.Connector())}
	check(t, p.create(t.Context(), s.folding))
	p.rdb = d.Redis.Client(patient)
	if s.redis != nil {
		p.rdb.AddHook(s.redis)
	}
	// An entry whose token is new is kept no longer than Hold, for a hold might have been lost with the one before.
	p.cache = suite.NewCache(t, p.rdb, suite.Patient(cacheme.Options{Prefix: suite.Prefix(), Hold: 10 * time.Minute}))
	db, err := bunhooks.Install(openBun(t, d, bunhooks.WrapConnector(d.Connector())), p.cache, bunhooks.WithLogger(slog.New(slog.DiscardHandler)))
	check(t, err)
	p.db = db.WithQueryHook(counting{})
	p.rc, err = rowcache.New(p.cache, p.db, s.options)
	check(t, err)
	p.cached, err = cacheAll(p.rc, s.model)
	check(t, err)
	return p
}

// patient has a client wait for a Redis on a busy machine.
func patient(o *redis.Options) { o.DialTimeout, o.ReadTimeout, o.WriteTimeout = soon, soon, soon }

func openBun(t testing.TB, d writes.Database, connector driver.Connector) *bun.DB {
	t.Helper()
	sqldb := sql.OpenDB(connector)
	sqldb.SetMaxOpenConns(8)
	sqldb.SetMaxIdleConns(8)
	db := bun.NewDB(sqldb, d.Bun())
	db.RegisterModel((*MessageTag)(nil))
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return db
}

// create makes the tables.
func (p *place) create(ctx context.Context, folding bool) error {
	if p.Dialect == writes.MariaDB {
		collation := "utf8mb4_nopad_bin" // by which texts are equal when their bytes are, as in the other databases
		if folding {
			collation = "utf8mb4_general_ci"
		}
		if _, err := p.admin.DB.ExecContext(ctx, "ALTER DATABASE COLLATE "+collation); err != nil {
			return err
		}
	}
	for _, model := range models() {
		if _, err := p.admin.NewDropTable().Model(model).IfExists().Exec(ctx); err != nil {
			return err
		}
		if _, err := p.admin.NewCreateTable().Model(model).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// plant empties the tables, unseen by the cache, and fills them with these rows.
func (p *place) plant(ctx context.Context, rows ...any) error {
	return p.admin.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		for _, model := range models() {
			if _, err := tx.NewDelete().Model(model).Where("1 = 1").ForceDelete().Exec(ctx); err != nil {
				return err
			}
		}
		for _, some := range rows {
			if _, err := tx.NewInsert().Model(some).Returning("NULL").Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// counting counts the SELECTs that the load of a caller sends, in what the caller's context has for it.
type counting struct{}

type countKey struct{}

func (counting) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (counting) AfterQuery(ctx context.Context, e *bun.QueryEvent) {
	if n, ok := ctx.Value(countKey{}).(*atomic.Int64); ok && e.Operation() == "SELECT" {
		n.Add(1)
	}
}

// selects returns how many SELECTs something sends.
func selects(ctx context.Context, do func(context.Context) error) (int64, error) {
	var n atomic.Int64
	err := do(context.WithValue(ctx, countKey{}, &n))
	return n.Load(), err
}

// trips counts the round trips of a client.
func trips(n *atomic.Int64) *tap.Redis {
	return &tap.Redis{Around: func(_ context.Context, trip tap.Trip, send func(...redis.Cmder) error) error {
		n.Add(1)
		return send(trip.Cmds...)
	}}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// insert inserts rows by the hooked database.
func (p *place) insert(ctx context.Context, db bun.IDB, rows any) error {
	if _, err := db.NewInsert().Model(rows).Returning("NULL").Exec(ctx); err != nil {
		return fmt.Errorf("insert %+v: %w", rows, err)
	}
	return nil
}
