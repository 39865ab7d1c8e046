package rowcache

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/bunhooks"
	"github.com/cacheme/cacheme/internal/sqltext"
)

// Policy says what of a model is cached.
type Policy int8

// The policies.
const (
	// Default is what Options say, which is Gets unless set.
	Default Policy = iota
	// Gets caches rows by key, relations and what Query asks.
	Gets
	// Everything caches what Rows.Select asks as well.
	Everything
	// Never caches nothing: everything goes to the database, Query on the model's table included.
	Never
)

// Options of a Cache. The zero value is ready for use.
type Options struct {
	// Database names the database in keys, so that two of them with tables of the same name can share a cacheme.Cache.
	// Defaults to the name that the database has for itself; of SQLite, to the name of its file without its folder. Two
	// databases that share a cacheme.Cache and have the same name need this.
	Database string
	// Caches is what is cached of models that do not say it themselves. Defaults to Gets.
	Caches Policy
	// Never are tables of which nothing is cached, whatever their models say: sessions, say. With or without their schema;
	// tables that nobody has a model of may be among them.
	Never []string
	// TTL is how long an entry lives at most, and also how long "there is no such row" is kept. Defaults to that of the
	// cacheme.Cache.
	TTL time.Duration
	// Stale is as cacheme.Meta has it.
	Stale time.Duration
}

// Cache caches rows of one database.
type Cache struct {
	options Options
	cache   *cacheme.Cache
	db      *bun.DB
	dialect sqltext.Dialect
	name    string // of the database, as a part of keys

	mu     sync.Mutex
	tables map[string]*table // by name in lower case, without its schema
	memos  sync.Map          // memoKey to *cacheme.Bound
}

// New returns a Cache for db, in which bunhooks.Install has put the same cacheme.Cache. It asks the database for its name,
// where Options do not give one. Errors are *cacheme.UsageError, or what the database said.
func New(c *cacheme.Cache, db *bun.DB, o Options) (*Cache, error) {
	wrong := func(reason string) (*Cache, error) {
		return nil, &cacheme.UsageError{Node: "rowcache.New", Reason: reason}
	}
	switch {
	case c == nil:
		return wrong("got a nil cache; give it what cacheme.New returned")
	case db == nil:
		return wrong("got a nil database; give it what bunhooks.Install returned")
	}
	ctx, cancel := context.WithTimeout(context.Background(), newTime)
	defer cancel()
	switch installed, err := bunhooks.Installed(ctx, db, c); {
	case err != nil:
		return nil, fmt.Errorf("rowcache: look at the database's connections: %w", err)
	case !installed:
		return wrong("got a database whose writes this cache is not told; open it with sql.OpenDB(bunhooks.WrapConnector(connector)) and give it what bunhooks.Install(db, cache) returned")
	}
	rc := &Cache{cache: c, db: db, tables: map[string]*table{}}
	var ask string
	switch name := db.Dialect().Name(); name {
	case dialect.SQLite:
		rc.dialect, ask = sqltext.SQLite, "SELECT file FROM pragma_database_list WHERE name = 'main'"
	case dialect.PG:
		rc.dialect, ask = sqltext.Postgres, "SELECT current_database()"
	case dialect.MySQL:
		rc.dialect, ask = sqltext.MySQL, "SELECT DATABASE()"
	default:
		return wrong("knows SQLite, PostgreSQL, MySQL and MariaDB, and not the dialect " + name.String())
	}
	if o.Database == "" {
		if err := db.QueryRowContext(ctx, ask).Scan(&o.Database); err != nil {
			return nil, fmt.Errorf("rowcache: ask the database for its name: %w", err)
		}
		o.Database = o.Database[strings.LastIndexAny(o.Database, `/\`)+1:]
	}
	rc.options, rc.name = o, literal(o.Database)
	return rc, nil
}

// newTime bounds what New asks of the database.
const newTime = 30 * time.Second

// literal is a name as a part of a key's template, which holds letters, digits and few other characters.
func literal(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "~%02x", c)
		}
	}
	return b.String()
}

// tag is on all entries of the Cache.
func (rc *Cache) tag() string { return "rowcache:" + rc.name }

// FlushAll makes all entries of this Cache wrong, in every process, in one small write. They are loaded again as they are
// asked for, or stand in as stale meanwhile, where Stale says so. Errors are those of cacheme.Invalidate.
func (rc *Cache) FlushAll(ctx context.Context) error {
	return rc.cache.Invalidate(ctx, cacheme.Tag(rc.tag()))
}

// RemoveAll takes all entries of this Cache away, and returns how many there were. Nothing of them is served stale. It
// scans Redis, and costs as much as there are keys in it.
func (rc *Cache) RemoveAll(ctx context.Context) (removed int, err error) {
	for _, kind := range []string{"row", "list", "query"} {
		n, err := rc.cache.RemovePattern(ctx, kind+":"+rc.name+":*")
		removed += n
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// meta is that of all nodes.
func (rc *Cache) meta(key string) cacheme.Meta {
	// This package works out by itself what its queries depend on, or is told by On and Reads, and is believed.
	return cacheme.Meta{Key: key, TTL: rc.options.TTL, Stale: rc.options.Stale, Observe: cacheme.Off}
}

// tableName is a table's name as package cacheme has it.
func tableName(t *schema.Table) string { return strings.ReplaceAll(t.Name, `"`, "") }

// told explains an error of cacheme.Memo. All keys begin with the database's name and are made by one Cache, so that two
// that meet are of two.
func (rc *Cache) told(err error) error {
	var d *cacheme.DeclarationError
	if errors.As(err, &d) && d.Field == "Key" {
		return fmt.Errorf("%w: another rowcache.Cache of the same cacheme.Cache calls its database %q too; use that one, or name this database in Options.Database", err, rc.options.Database)
	}
	return err
}
