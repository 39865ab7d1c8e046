// Package writecost holds what bunhooks costs: round trips to Redis and to the database, counted by taps in both lines,
// and time, measured call by call in turn with the same write without the hook.
//
// A database opens as for package writes.
package writecost

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite"
	"github.com/cacheme/cacheme/internal/suite/tap"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

// Run counts.
func Run(t *testing.T, open writes.Open) {
	t.Run("round trips", func(t *testing.T) {
		t.Parallel()
		roundTrips(t, open(t))
	})
	t.Run("dependents", func(t *testing.T) {
		t.Parallel()
		dependents(t, open(t))
	})
}

// Member is what nodes depend on.
type Member struct {
	bun.BaseModel `bun:"table:members"`

	ID   int64 `bun:",pk"`
	Name string
}

// Visit is what no node names.
type Visit struct {
	bun.BaseModel `bun:"table:visits"`

	ID   int64 `bun:",pk"`
	Page string
}

// Profile is one of many entries that depend on a member.
type Profile struct {
	cacheme.Node[string]
	Member int64 `cacheme:"field"`
	Part   int64 `cacheme:"field"`
}

// Meta is the declaration.
func (Profile) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "profile:<member>:<part>", TTL: time.Hour}
}

// InvalidNodes names the member.
func (p Profile) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{MemberChanged{ID: p.Member}}
}

// MemberChanged is one member.
type MemberChanged struct {
	cacheme.ModelInvalidNode
	ID int64 `cacheme:"field"`
}

// Meta is the declaration.
func (MemberChanged) Meta() cacheme.Meta { return cacheme.Meta{Model: (*Member)(nil)} }

// members is how many there are: as many as the default row cap.
const members = 1000

// way is how a database is opened: without the hook, or with it.
type way struct {
	name    string
	bare    bool
	empty   bool // with a hook that does nothing: what bun itself takes for having one
	install []bunhooks.Option
	forgets bool // Options.ForgetWrites
	trips   int  // to Redis, at most
}

func ways() []way {
	return []way{
		{name: "bare", bare: true},
		{name: "after commit", install: []bunhooks.Option{bunhooks.AfterCommit()}, trips: 1},
		{name: "fenced", trips: 2},
		{name: "fenced, without provenance", trips: 2, forgets: true},
	}
}

type emptyHook struct{}

func (emptyHook) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }
func (emptyHook) AfterQuery(context.Context, *bun.QueryEvent)                        {}

// shape is a kind of write, to the first n members.
type shape struct {
	name string
	do   func(ctx context.Context, db *bun.DB, n int64, name string) error
}

func shapes() []shape {
	update := func(ctx context.Context, db bun.IDB, n int64, name string) error {
		_, err := db.NewUpdate().Model((*Member)(nil)).Set("name = ?", name).Where("id <= ?", n).Exec(ctx)
		return err
	}
	return []shape{
		{"autocommit", func(ctx context.Context, db *bun.DB, n int64, name string) error { return update(ctx, db, n, name) }},
		{"transaction", func(ctx context.Context, db *bun.DB, n int64, name string) error {
			return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return update(ctx, tx, n, name) })
		}},
	}
}

// table makes the tables and fills them.
func table(t testing.TB, d writes.Database) {
	t.Helper()
	db := bun.NewDB(sql.OpenDB(d.Connector()), d.Bun())
	defer func() { _ = db.Close() }() // it has done its work
	ctx := t.Context()
	for _, model := range []any{(*Member)(nil), (*Visit)(nil)} {
		if _, err := db.NewCreateTable().Model(model).Exec(ctx); err != nil {
			t.Fatal(err)
		}
	}
	all := make([]Member, members)
	for i := range all {
		all[i] = Member{ID: int64(i) + 1, Name: "nobody"}
	}
	for _, rows := range []any{&all, &[]Visit{{ID: 1, Page: "/"}}} {
		if _, err := db.NewInsert().Model(rows).Exec(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// lane is a database opened in one way.
type lane struct {
	way
	db     *bun.DB
	cache  *cacheme.Cache
	counts *counts
}

// counts are the round trips of a lane.
type counts struct {
	mu       sync.Mutex
	redis    []string
	commands int
	database []string
}

// openLane opens one. With counts it is slower.
func openLane(t testing.TB, d writes.Database, w way, c *counts) lane {
	t.Helper()
	l := lane{way: w, counts: c}
	connector := d.Connector()
	if c != nil {
		connector = &tap.Connector{Connector: connector, Around: c.call}
	}
	if w.bare || w.empty {
		l.db = openBun(t, d, connector)
		if w.empty {
			l.db = l.db.WithQueryHook(emptyHook{})
		}
		return l
	}
	rdb := d.Redis.Client(func(o *redis.Options) {
		o.ReadTimeout, o.WriteTimeout = 30*time.Second, 30*time.Second
	})
	if c != nil {
		rdb.AddHook(&tap.Redis{Around: c.trip})
	}
	o := cacheme.Options{
		Prefix: suite.Prefix(), Hold: 10 * time.Minute, Lease: time.Minute, Budget: time.Minute, WriteBudget: time.Minute,
		ForgetWrites: w.forgets,
	}
	l.cache = suite.NewCache(t, rdb, o, Profile{}, MemberChanged{})
	install := append([]bunhooks.Option{bunhooks.WithLogger(slog.New(slog.DiscardHandler))}, w.install...)
	var err error
	l.db, err = bunhooks.Install(openBun(t, d, bunhooks.WrapConnector(connector)), l.cache, install...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func openBun(t testing.TB, d writes.Database, connector driver.Connector) *bun.DB {
	t.Helper()
	sqldb := sql.OpenDB(connector)
	sqldb.SetMaxOpenConns(1) // a connection is not opened while something is measured
	db := bun.NewDB(sqldb, d.Bun())
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return db
}

func (c *counts) call(_ context.Context, call tap.Call, do func() error) error {
	name := [...]string{"begin", "commit", "rollback", "exec", "query", "prepare"}[call.Kind]
	if call.Text != "" {
		name += " " + call.Text
	}
	c.mu.Lock()
	c.database = append(c.database, name)
	c.mu.Unlock()
	return do()
}

func (c *counts) trip(_ context.Context, t tap.Trip, send func(...redis.Cmder) error) error {
	name := string(t.Purpose)
	if t.Purpose == tap.Other {
		name = t.Cmds[0].Name()
	}
	c.mu.Lock()
	c.redis = append(c.redis, fmt.Sprintf("%s of %d commands", name, len(t.Cmds)))
	c.commands += len(t.Cmds)
	c.mu.Unlock()
	return send(t.Cmds...)
}

// during returns the round trips that f makes.
func (c *counts) during(f func() error) (redis, database []string, err error) {
	c.mu.Lock()
	c.redis, c.database, c.commands = nil, nil, 0
	c.mu.Unlock()
	err = f()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.redis, c.database, err
}
