package integration_test

import (
	"context"
	"database/sql/driver"
	"log/slog"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/crash"
)

// stock is a table of rows that have a version, in a database to which things happen, with a Redis to which nothing does.
type stock struct {
	t      *testing.T
	redis  *kit.RedisServer
	prefix string
	hold   time.Duration
	bun    func() schema.Dialect
	admin  *bun.DB // unseen by caches
}

// stockRow is the one that most rows of the matrix need.
const stockRow = 1

func newStock(t *testing.T, connector driver.Connector, dialect func() schema.Dialect, hold time.Duration) *stock {
	t.Helper()
	s := &stock{t: t, redis: kit.Redis(t), prefix: suite.Prefix(), hold: hold, bun: dialect}
	s.admin = bun.NewDB(kit.Pool(t, connector), dialect())
	_, err := s.admin.NewCreateTable().Model((*crash.Row)(nil)).Exec(t.Context())
	check(t, err)
	_, err = s.admin.NewInsert().Model(&crash.Row{ID: stockRow, Version: 1}).Exec(t.Context())
	check(t, err)
	return s
}

// service is a process of an application.
type service struct {
	t     *testing.T
	cache *cacheme.Cache
	db    *bun.DB // hooked; its loaders read it
}

// service starts a process whose database is reached by connector.
func (s *stock) service(connector driver.Connector, observe func(context.Context, cacheme.Event)) *service {
	s.t.Helper()
	rdb := s.redis.Client(suite.PatientClient)
	cache := suite.NewCache(s.t, rdb, suite.Patient(cacheme.Options{Prefix: s.prefix, Hold: s.hold, Lease: time.Second, Observer: observe}),
		crash.RowVersion{}, crash.RowChanged{})
	return &service{t: s.t, cache: cache, db: s.install(cache, connector)}
}

func (s *stock) install(cache *cacheme.Cache, connector driver.Connector, opts ...bun.DBOption) *bun.DB {
	s.t.Helper()
	db := bun.NewDB(kit.Pool(s.t, bunhooks.WrapConnector(connector)), s.bun(), opts...)
	db, err := bunhooks.Install(db, cache, bunhooks.WithLogger(slog.New(slog.DiscardHandler)))
	check(s.t, err)
	return db
}

// get reads a row's version through the cache, and tells where it came from.
func (v *service) get(ctx context.Context, load func(context.Context, crash.RowVersion) (int64, error)) (cacheme.Result[int64], error) {
	b, err := cacheme.Bind(v.cache, load)
	if err != nil {
		return cacheme.Result[int64]{}, err
	}
	return b.GetResult(ctx, crash.RowVersion{ID: stockRow})
}

// load reads it from the process's own database.
func (v *service) load(ctx context.Context, r crash.RowVersion) (int64, error) {
	return versionIn(ctx, v.db, r.ID)
}

func versionIn(ctx context.Context, db bun.IDB, id int64) (version int64, err error) {
	err = db.NewSelect().Model((*crash.Row)(nil)).Column("version").Where("id = ?", id).Scan(ctx, &version)
	return version, err
}

// write gives the row a version.
func (v *service) write(ctx context.Context, version int64) error { return writeTo(ctx, v.db, version) }

func writeTo(ctx context.Context, db bun.IDB, version int64) error {
	_, err := db.NewUpdate().Model((*crash.Row)(nil)).Set("version = ?", version).Where("id = ?", stockRow).Exec(ctx)
	return err
}

// wants fails unless the process is given this version.
func (v *service) wants(want int64, when string) cacheme.Tier {
	v.t.Helper()
	r, err := v.get(v.t.Context(), v.load)
	if err != nil || r.Value != want {
		v.t.Errorf("%s: Get() = %d (%s), %v; want %d", when, r.Value, r.Tier, err, want)
	}
	return r.Tier
}

// caches waits until the version comes from Redis, and from nowhere else.
func (v *service) caches(want int64, when string) {
	v.t.Helper()
	within(v.t, 20*time.Second, when+": it is cached", func() bool { return v.wants(want, when) == cacheme.TierRedis || v.t.Failed() })
}

// within waits for what has to come.
func within(t testing.TB, limit time.Duration, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %v this had not come: %s", limit, what)
		}
	}
}
