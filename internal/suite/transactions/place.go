package transactions

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/tap"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// soon bounds what has to happen, on however busy a machine.
const soon = 60 * time.Second

// place is a database with a writing process and a reading one.
type place struct {
	writes.Database
	db     *bun.DB               // hooked
	admin  *bun.DB               // of the same database, unseen by the cache
	writer *cacheme.Cache        // of the hook
	reader *cacheme.Cache        // another process
	rdb    redis.UniversalClient // to look at tokens
	prefix string

	afterCommit bool
	broken      *atomic.Bool // while it is set every call of the hooked database finds its connection gone
}

// setup says how a place differs from the usual.
type setup struct {
	hold    time.Duration
	install []bunhooks.Option
	rules   guard.Set // off, in the hook and in its cache
	// calls and trips are taps into the writer's lines; nil: none.
	calls func(ctx context.Context, c tap.Call, do func() error) error
	trips func(ctx context.Context, t tap.Trip, send func(...redis.Cmder) error) error
}

// newPlace makes a place with empty tables. It is to be called from the test's own goroutine.
func newPlace(t testing.TB, d writes.Database, s setup) *place {
	t.Helper()
	p := &place{Database: d, prefix: suite.Prefix(), admin: openBun(t, d, d.Connector())}
	if err := p.create(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.hold == 0 {
		// What is loaded under a new token is kept no longer than this, for a hold might have been lost with the one before.
		s.hold = 10 * time.Minute
	}
	options := suite.Patient(cacheme.Options{Prefix: p.prefix, Hold: s.hold})
	p.rdb = d.Redis.Client(suite.PatientClient)
	p.reader = suite.NewCache(t, d.Redis.Client(suite.PatientClient), options, declarations()...)
	if s.trips == nil {
		s.trips = func(_ context.Context, trip tap.Trip, send func(...redis.Cmder) error) error {
			return send(trip.Cmds...)
		}
	}
	if s.calls == nil {
		s.calls = func(_ context.Context, _ tap.Call, do func() error) error { return do() }
	}
	rdb := d.Redis.Client(suite.PatientClient)
	rdb.AddHook(&tap.Redis{Around: s.trips})
	p.writer = suite.NewCache(t, broken(rdb, s.rules), options, declarations()...)
	connector := &guard.Connector{Connector: &tap.Connector{Connector: d.Connector(), Around: s.calls}, Rules: s.rules}
	var err error
	// It warns of connections that break, which is what the suite does to them.
	install := append([]bunhooks.Option{bunhooks.WithLogger(slog.New(slog.DiscardHandler))}, s.install...)
	p.db, err = bunhooks.Install(openBun(t, d, bunhooks.WrapConnector(connector)), p.writer, install...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// broken wraps the client only where there is something to carry, since a wrapped one is bounded in another way.
func broken(rdb redis.UniversalClient, rules guard.Set) redis.UniversalClient {
	if rules == 0 {
		return rdb
	}
	return &guard.Client{UniversalClient: rdb, Rules: rules}
}

func openBun(t testing.TB, d writes.Database, connector driver.Connector) *bun.DB {
	t.Helper()
	sqldb := sql.OpenDB(connector)
	sqldb.SetMaxOpenConns(24)
	db := bun.NewDB(sqldb, d.Bun())
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return db
}

func (p *place) create(ctx context.Context) error {
	for _, model := range []any{(*Slip)(nil), (*Item)(nil)} {
		if _, err := p.admin.NewDropTable().Model(model).IfExists().Exec(ctx); err != nil {
			return err
		}
	}
	if _, err := p.admin.NewCreateTable().Model((*Item)(nil)).Exec(ctx); err != nil {
		return err
	}
	slips := p.admin.NewCreateTable().Model((*Slip)(nil))
	if p.Dialect != writes.MariaDB { // which knows no constraint that waits for the COMMIT
		slips.ForeignKey("(item) REFERENCES items (id) DEFERRABLE INITIALLY DEFERRED")
	}
	if _, err := slips.Exec(ctx); err != nil {
		return err
	}
	_, err := p.admin.ExecContext(ctx, "CREATE INDEX items_shelf ON items (shelf)")
	return err
}

// tokens are what Redis knows of some invalid nodes, by their keys.
type tokens map[string]token

// token is the state of one: whether it is held, and which it is.
type token struct {
	held  bool
	nonce string // empty: there is none
}

// look reads tokens as they stand in Redis.
func (p *place) look(ctx context.Context, keys []string) (tokens, error) {
	records, err := p.rdb.MGet(ctx, keys...).Result()
	if err != nil {
		return nil, fmt.Errorf("look at tokens: %w", err)
	}
	all := make(tokens, len(keys))
	for i, r := range records {
		text, _ := r.(string)
		if text == "" {
			all[keys[i]] = token{}
			continue
		}
		parts := strings.Split(text, "|") // see internal/store/lua/token.lua
		if len(parts) < 4 {
			return nil, fmt.Errorf("the token %s reads %q", keys[i], text)
		}
		all[keys[i]] = token{held: parts[0] == "h", nonce: parts[3]}
	}
	return all, nil
}

// version gets the version of an item as another process does, and tells whether it had to be loaded.
func (p *place) version(ctx context.Context, id int64) (version int64, loaded bool, err error) {
	version, err = cacheme.GetFrom(ctx, p.reader, ItemVersion{ID: id}, func(ctx context.Context, v ItemVersion) (int64, error) {
		loaded = true
		return versionOf(ctx, p.db, v.ID)
	})
	return version, loaded, err
}

// versionOf asks the database.
func versionOf(ctx context.Context, db bun.IDB, id int64) (version int64, err error) {
	err = db.NewSelect().Model((*Item)(nil)).Column("version").Where("id = ?", id).Scan(ctx, &version)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return version, err
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
