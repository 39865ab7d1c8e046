package bunhooks

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/sqltx"
)

// WrapConnector returns a connector whose connections Install can watch. Until then they do what the given ones do. It is
// sqltx.Wrap; code that needs the driver's own connection gets it from sqltx.Unwrap.
func WrapConnector(c driver.Connector) driver.Connector { return sqltx.Wrap(c) }

// Open is sql.Open with connections that Install can watch.
func Open(driverName, dsn string) (*sql.DB, error) {
	db, err := sql.Open(driverName, dsn)
	if err != nil {
		return nil, err
	}
	d := db.Driver()
	if err := db.Close(); err != nil {
		return nil, err
	}
	if opener, ok := d.(driver.DriverContext); ok {
		c, err := opener.OpenConnector(dsn)
		if err != nil {
			return nil, err
		}
		return sql.OpenDB(WrapConnector(c)), nil
	}
	return sql.OpenDB(WrapConnector(plainConnector{d, dsn})), nil
}

// plainConnector is for a driver that has none.
type plainConnector struct {
	driver driver.Driver
	dsn    string
}

func (c plainConnector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }
func (c plainConnector) Driver() driver.Driver                        { return c.driver }

// installTime bounds what Install asks of the database.
const installTime = 30 * time.Second

// Install joins a database and a cache, and returns db with the hook in it: use that one. It checks every declaration
// against bun's tables, and asks the database for its tables, foreign keys and views; so call it once declarations are
// registered. Tables that are made later, through the same database, are found then.
//
// The errors are joined: an *InstallError for each declaration that does not fit, for a nil cache, for a database that is
// joined already, for one that bun knows and this package does not; else what the database said. A db whose connections
// are not wrapped is served as far as it goes, and warned of; see NewQueryHook. That such a one is joined already shows
// only in the *bun.DB that the first Install returned, not in the one that it was given.
func Install(db *bun.DB, cache *cacheme.Cache, opts ...Option) (*bun.DB, error) {
	if db == nil {
		return nil, &InstallError{Reason: "Install got a nil database; give it what bun.NewDB returned"}
	}
	h := NewQueryHook(cache, opts...)
	if err := h.install(db); err != nil {
		return nil, err
	}
	return db.WithQueryHook(h), nil
}

// install joins h with the database, once.
func (h *QueryHook) install(db *bun.DB) error {
	if h.engine.cache == nil {
		return &InstallError{Reason: "got a nil cache; give it what cacheme.New returned"}
	}
	if h.installed {
		if h.engine.db.DB != db.DB {
			return &InstallError{Reason: "is one hook for two databases; give each a hook of its own"}
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), installTime)
	defer cancel()
	e := h.engine
	e.db = db
	q := askPool(db.DB)
	d, err := dialectOf(ctx, db, q)
	if err != nil {
		return err
	}
	e.dialect = d
	if err := e.learnCatalog(ctx, q); err != nil {
		return err
	}
	c, err := sqltx.Of(ctx, db.DB)
	if err != nil {
		return fmt.Errorf("bunhooks: look at the database's connections: %w", err)
	}
	if e.outbox != nil {
		if c == nil {
			return &InstallError{Reason: "needs wrapped connections for WithOutbox; open the database with sql.OpenDB(bunhooks.WrapConnector(connector)) or bunhooks.Open"}
		}
		if !e.outbox.claimed.CompareAndSwap(false, true) {
			return &InstallError{Reason: "is given an Outbox that is installed already; give each database, and each cache, one of its own"}
		}
		defer func() {
			if !h.installed {
				e.outbox.claimed.Store(false)
			}
		}()
		if err := e.outbox.check(ctx, d, db.DB, e.cache.Prefix()); err != nil {
			return err
		}
	}
	if c == nil {
		joined, err := hasHook(ctx, db)
		switch {
		case err != nil:
			return fmt.Errorf("bunhooks: ask the database for its hooks: %w", err)
		case joined:
			return &InstallError{Reason: "is installed in this database already; use the *bun.DB that the first Install returned"}
		}
		h.unwrapped()
	} else {
		_, e.rules = guard.UnwrapConnector(c.Unwrap())
		if err := c.Handle(e, d.text); err != nil {
			return &InstallError{Reason: "is installed in this database already, and " + err.Error() + "; use the *bun.DB that the first Install returned, or wrap a connector of its own"}
		}
	}
	if e.outbox != nil {
		e.outbox.start(e)
	}
	h.installed = true
	return nil
}

// rollCall is a query at which hooks of this package say that they are there: bun does not tell which hooks it has.
const rollCall = "SELECT 'cacheme'"

type rollCallKey struct{}

func hasHook(ctx context.Context, db *bun.DB) (found bool, err error) {
	_, err = db.ExecContext(context.WithValue(ctx, rollCallKey{}, &found), rollCall)
	return found, err
}

// answer answers a rollCall.
func (h *QueryHook) answer(ctx context.Context, event *bun.QueryEvent) {
	if event.Query != rollCall {
		return
	}
	if found, ok := ctx.Value(rollCallKey{}).(*bool); ok {
		*found = true
	}
}

// askPool asks a database, or in a transaction of it, as its user does.
func askPool(db pool) ask {
	return func(ctx context.Context, query string) (all [][]string, err error) {
		rows, err := db.QueryContext(ctx, query)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		columns, err := rows.Columns()
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			row := make([]any, len(columns))
			dest := make([]any, len(columns))
			for i := range row {
				dest[i] = &row[i]
			}
			if err := rows.Scan(dest...); err != nil {
				return nil, err
			}
			values := make([]string, len(row))
			for i, v := range row {
				values[i] = text(v)
			}
			all = append(all, values)
		}
		return all, rows.Err()
	}
}

// declarations checks what is registered against bun's tables. It returns those that fit even if there are others.
func declarations(db *bun.DB, watched []cacheme.Watched, warn *warner) (all []declaration, err error) {
	var problems []error
	for _, w := range watched {
		wrong := func(field, reason string) {
			problems = append(problems, &InstallError{Node: w.Node, Field: field, Reason: reason})
		}
		if w.Every {
			all = append(all, declaration{node: w.Node, every: true})
			continue
		}
		t, err := bunTable(db, w)
		if err != nil {
			wrong("Model", err.Error())
			continue
		}
		if name := bunTableName(t); !strings.EqualFold(name, w.Table) {
			wrong("Model", fmt.Sprintf("is %v, whose table is %s for bun and %s by its tags: a naming rule was changed with bun.SetTableNameInflector; name the table in the model, bun:\"table:%s\"", w.Model, name, w.Table, name))
			continue
		}
		for _, column := range w.Columns {
			if t.FieldMap[column] == nil {
				wrong("", fmt.Sprintf("names the column %s, which bun does not find in %v; it has %s", column, w.Model, columnNames(t)))
			}
		}
		unwatchedJoins(t, watched, warn)
		all = append(all, declaration{node: w.Node, table: w.Table, columns: w.Columns, model: t, cacheKeys: w.Keys, refill: w.Refill})
	}
	return all, errors.Join(problems...)
}

// unwatchedJoins warns of the join tables of a model that nobody watches: what their rows relate is in lists that nothing
// makes wrong.
func unwatchedJoins(t *schema.Table, watched []cacheme.Watched, warn *warner) {
	for _, r := range t.Relations {
		if r.Type != schema.ManyToManyRelation || r.M2MTable == nil {
			continue
		}
		name := bunTableName(r.M2MTable)
		if !slices.ContainsFunc(watched, func(w cacheme.Watched) bool { return strings.EqualFold(w.Table, name) }) {
			warn.once("join "+name, "cacheme: no invalid node names a join table, so that nothing becomes wrong when its rows are written; "+
				"declare a ModelInvalidNode with Meta{Model: (*"+r.M2MTable.TypeName+")(nil), M2M: true}, or bunhooks.WithTables", "table", name)
		}
	}
}

// bunTable asks bun, which panics at a model that it does not understand.
func bunTable(db *bun.DB, w cacheme.Watched) (t *schema.Table, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("is %v, which is no model for bun: %v", w.Model, r)
		}
	}()
	return db.Table(w.Model), nil
}

// bunTableName is a table's name as the cache has it.
func bunTableName(t *schema.Table) string {
	return strings.ReplaceAll(t.Name, `"`, "")
}

func columnNames(t *schema.Table) string {
	var names []string
	for _, f := range t.Fields {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
