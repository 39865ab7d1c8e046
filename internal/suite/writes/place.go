package writes

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/suite"
)

// soon bounds what has to happen, on however busy a machine.
const soon = 30 * time.Second

// place is a seeded database with the hook installed, a cache, and all nodes of the world.
type place struct {
	Database
	db    *bun.DB // hooked
	admin *bun.DB // of the same database, unseen by the cache
	cache *cacheme.Cache
	rdb   redis.UniversalClient

	prefix  string
	gone    int // connections of db that are lost
	version int // of the schema
	classes []*class
	seed    map[string][]row // by table
}

// setup says how a place differs from the usual.
type setup struct {
	options cacheme.Options
	install []bunhooks.Option
	bare    bool // without the hook
	single  bool // with a pool of one connection
	redis   redis.Hook
	more    []cacheme.Declaration
}

// newPlace makes a place with cold nodes. It is to be called from the test's own goroutine.
func newPlace(t testing.TB, d Database, s setup) *place {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	p := &place{Database: d, admin: openBun(t, d, d.Connector()), classes: world()}
	if err := create(ctx, d.Dialect, p.admin); err != nil {
		t.Fatal(err)
	}
	if err := run(ctx, p.admin, []string{view}); err != nil {
		t.Fatal(err)
	}
	if err := plant(ctx, p.admin); err != nil {
		t.Fatal(err)
	}
	var err error
	if p.seed, err = p.dump(ctx); err != nil {
		t.Fatal(err)
	}
	if s.options.Prefix == "" {
		s.options.Prefix = suite.Prefix()
	}
	if s.options.Hold == 0 {
		// An entry whose token is new is kept no longer than this, for a hold might have been lost with the one before.
		s.options.Hold = 10 * time.Minute
	}
	p.prefix = s.options.Prefix
	p.rdb = d.Redis.Client(suite.PatientClient)
	if s.redis != nil {
		p.rdb.AddHook(s.redis)
	}
	p.cache = suite.NewCache(t, p.rdb, suite.Patient(s.options), append(declarations(), s.more...)...)
	if s.bare {
		p.db = openBun(t, d, d.Connector())
	} else {
		p.db, err = bunhooks.Install(openBun(t, d, bunhooks.WrapConnector(d.Connector())), p.cache, s.install...)
		if err != nil {
			t.Fatal(err)
		}
	}
	if s.single {
		p.db.SetMaxOpenConns(1)
	}
	return p
}

// dump returns all rows.
func (p *place) dump(ctx context.Context) (map[string][]row, error) {
	all := make(map[string][]row)
	for _, table := range tables() {
		rows, err := fetch(ctx, p.admin, table, p.version)
		if err != nil {
			return nil, fmt.Errorf("look at %s: %w", table, err)
		}
		slices.SortFunc(rows, func(a, b row) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		all[table] = rows
	}
	return all, nil
}

// changed returns the tables whose rows differ.
func changed(a, b map[string][]row) (tables []string) {
	for table := range a {
		if fmt.Sprint(a[table]) != fmt.Sprint(b[table]) {
			tables = append(tables, table)
		}
	}
	slices.Sort(tables)
	return tables
}

// look gets every node and returns the values, and the names of those that were loaded.
func (p *place) look(ctx context.Context) (values map[string]string, loaded []string, err error) {
	return p.lookAt(ctx, p.classes)
}

func (p *place) lookAt(ctx context.Context, classes []*class) (values map[string]string, loaded []string, err error) {
	values = make(map[string]string)
	for _, c := range classes {
		got, indexes, err := c.look(ctx, p.cache, func(ctx context.Context) ([]row, error) { return fetch(ctx, p.db, c.table, p.version) })
		if err != nil {
			return nil, nil, fmt.Errorf("get %s and so on: %w", c.names[0], err)
		}
		for i, name := range c.names {
			values[name] = got[i]
		}
		for _, i := range indexes {
			loaded = append(loaded, c.names[i])
		}
	}
	slices.Sort(loaded)
	return values, loaded, nil
}

// truth is what every node has to be.
func (p *place) truth(all map[string][]row) map[string]string {
	values := make(map[string]string)
	for _, c := range p.classes {
		for i, v := range c.truth(all[c.table]) {
			values[c.names[i]] = v
		}
	}
	return values
}

// warm fills the cache, until nothing has to be loaded.
func (p *place) warm(ctx context.Context, classes []*class) error {
	var loaded []string
	for range 4 {
		var err error
		if _, loaded, err = p.lookAt(ctx, classes); err != nil || len(loaded) == 0 {
			return err
		}
	}
	return fmt.Errorf("the cache does not keep %s", strings.Join(loaded, ", "))
}

// reset brings back the seed, unseen by the hook, and the cache up to it. values are those that the cache has, now the
// rows that the database has.
func (p *place) reset(ctx context.Context, values map[string]string, now map[string][]row, again bool) error {
	if again {
		p.version++
		if err := create(ctx, p.Dialect, p.admin); err != nil {
			return err
		}
		// The hook looks at the schema anew when it sees it change, so the last change is one that it sees.
		if err := run(ctx, p.db, []string{view}); err != nil {
			return err
		}
	}
	if again || len(changed(now, p.seed)) > 0 {
		if err := plant(ctx, p.admin); err != nil {
			return err
		}
	}
	var old []cacheme.Declaration
	var of []*class
	truth := p.truth(p.seed)
	for _, c := range p.classes {
		for i, name := range c.names {
			if values[name] != truth[name] {
				old = append(old, c.nodes[i])
				of = append(of, c)
			}
		}
	}
	if again {
		of = p.classes // a view was made, which the hook may take for a write
	}
	if len(of) == 0 {
		return nil
	}
	if err := p.cache.Remove(ctx, old...); err != nil {
		return err
	}
	return p.warm(ctx, slices.Compact(of))
}

// of returns the names of all nodes on some tables.
func (p *place) of(tables ...string) (names []string) {
	for _, c := range p.classes {
		if slices.Contains(tables, c.table) {
			names = append(names, c.names...)
		}
	}
	return names
}

// withWhole adds, to the names of nodes that become wrong, those that are about the whole of their tables.
func (p *place) withWhole(names []string) ([]string, error) {
	tableOf := make(map[string]string)
	for _, c := range p.classes {
		for _, name := range c.names {
			tableOf[name] = c.table
		}
	}
	all := slices.Clone(names)
	for _, name := range names {
		table, ok := tableOf[name]
		if !ok {
			return nil, fmt.Errorf("no node is called %q", name)
		}
		for _, c := range p.classes {
			if c.whole() && c.table == table {
				all = append(all, c.names...)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// pool hands places to tests that run side by side.
type pool chan *place

func newPool(t testing.TB, open Open) (places pool, d Dialect) {
	t.Helper()
	n := min(4, runtime.GOMAXPROCS(0))
	places = make(pool, n)
	for range n {
		p := newPlace(t, open(t), setup{})
		d = p.Dialect
		if err := p.warm(t.Context(), p.classes); err != nil {
			t.Fatal(err)
		}
		places <- p
	}
	return places, d
}

// openBun opens a pool with bun on it, closed when the test ends.
func openBun(t testing.TB, d Database, connector driver.Connector) *bun.DB {
	t.Helper()
	sqldb := sql.OpenDB(connector)
	sqldb.SetMaxOpenConns(8)
	db := bun.NewDB(sqldb, d.Bun())
	db.RegisterModel((*UserBook)(nil), (*Follow)(nil))
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return db
}
