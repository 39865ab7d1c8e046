package bunhooks

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
)

// triggerMark is a word in the text of each trigger that writes an outbox, by which it is known.
const triggerMark = "cacheme_outbox_trigger"

// CreateTriggers has the database itself write into the outbox what is written to the tables that invalid nodes name, by
// whomever: psql, a job, a program in another language. Writes through a hooked database are not told twice. It is run
// once, as a migration, behind Create, with a cache that has the declarations; run it again when they name other tables or
// columns. opts are those of Install. For SQLite there are none, since whoever writes needs this process's Redis then too.
//
// A program whose write cannot be kept, because the outbox is not there for one, has its statement refused.
func (o *Outbox) CreateTriggers(ctx context.Context, db *bun.DB, cache *cacheme.Cache, opts ...Option) error {
	up, _, err := o.Triggers(ctx, db, cache, opts...)
	if err != nil {
		return err
	}
	return o.execAll(ctx, db, up)
}

// DropTriggers takes the triggers away that CreateTriggers makes for the same declarations.
func (o *Outbox) DropTriggers(ctx context.Context, db *bun.DB, cache *cacheme.Cache, opts ...Option) error {
	_, down, err := o.Triggers(ctx, db, cache, opts...)
	if err != nil {
		return err
	}
	return o.execAll(ctx, db, down)
}

// execAll has an Outbox that is installed know of what was made: other processes learn it when they start.
func (o *Outbox) execAll(ctx context.Context, db *bun.DB, statements []string) error {
	for _, s := range statements {
		if _, err := db.DB.ExecContext(ctx, s); err != nil {
			first, _, _ := strings.Cut(s, "\n")
			return fmt.Errorf("bunhooks: triggers: %s: %w", first, err)
		}
	}
	if e := o.engine.Load(); e != nil {
		return e.learnCatalog(ctx, askPool(e.db.DB))
	}
	return nil
}

// Triggers returns the statements of CreateTriggers and DropTriggers, for whoever keeps migrations as SQL. It asks the
// database for its tables and changes nothing.
func (o *Outbox) Triggers(ctx context.Context, db *bun.DB, cache *cacheme.Cache, opts ...Option) (up, down []string, err error) {
	if cache == nil {
		return nil, nil, &InstallError{Reason: "got a nil cache for triggers; give them the one that has the declarations"}
	}
	q := askPool(db.DB)
	e := NewQueryHook(cache, append(slices.Clip(opts), WithOutbox(o))...).engine
	e.db = db
	if e.dialect, err = dialectOf(ctx, db, q); err != nil {
		return nil, nil, err
	}
	maker, ok := e.dialect.server.(triggerMaker)
	if !ok {
		return nil, nil, &InstallError{Reason: "has triggers for PostgreSQL, MariaDB and MySQL alone"}
	}
	if err := e.learnCatalog(ctx, q); err != nil {
		return nil, nil, err
	}
	home, err := o.find(ctx, e.dialect, q)
	if err != nil {
		return nil, nil, o.unusable(err)
	}
	tables, err := e.watch().triggering()
	if err != nil {
		return nil, nil, err
	}
	up, down = maker.triggers(triggerPlan{dialect: e.dialect, home: home, cache: cache.Prefix(), tables: tables})
	return up, down, nil
}

// triggerMaker is a database that has triggers for an outbox.
type triggerMaker interface {
	triggers(p triggerPlan) (up, down []string)
}

// triggerPlan is what triggers are made for.
type triggerPlan struct {
	dialect
	home   outboxHome // of the outbox
	cache  string     // its prefix
	tables []triggering
}

// name is one for a thing of this outbox and this cache.
func (p triggerPlan) name(what string, of ...string) string {
	return beside(p.home.name, what, append([]string{p.cache}, of...)...)
}

// triggering is a table whose writes matter.
type triggering struct {
	sql     string   // quoted, with its schema
	names   []string // as the cache has them
	columns []string
	facts   map[string]columnFacts
}

// triggering lists the tables: those that are named, those from which the database writes to one that is named, and the
// parts of both, whose own triggers alone see what is written to them directly.
//
// A table that is named without its schema may be in any, as far as invalidations go, and with it what refers to it there.
// Triggers are for where it is.
func (w *watch) triggering() (all []triggering, err error) {
	named := map[string]bool{}
	for _, t := range w.all {
		if len(t.names) > 0 {
			named[t.id.schema] = true
		}
	}
	for _, t := range w.all {
		if len(t.names) == 0 && !named[t.id.schema] {
			continue
		}
		facts, known := w.catalog.tables[t.id]
		if !known {
			if w.catalog.views[t.id.table] != "" || w.catalog.aliases[t.id.table] != nil {
				continue // a view: its tables are here too
			}
			return nil, &InstallError{Reason: fmt.Sprintf("finds no table %s to make triggers for; migrate it first, or name its schema in the model", t.id.name())}
		}
		names := t.names
		if len(names) == 0 {
			names = []string{t.id.name()}
		}
		one := triggering{sql: facts.sql, names: names, facts: facts.columns}
		for i, c := range t.columns {
			if t.tells(i) || i < t.keys || slices.ContainsFunc(t.children, func(k child) bool { return slices.Contains(k.parentCols, c) }) {
				one.columns = append(one.columns, c)
			}
		}
		all = append(all, one)
		for id, part := range w.catalog.tables {
			if id != t.id && slices.Contains(w.catalog.aliases[id.table], t.id) {
				one.sql = part.sql
				all = append(all, one)
			}
		}
	}
	slices.SortFunc(all, func(a, b triggering) int { return strings.Compare(a.sql, b.sql) })
	return all, nil
}
