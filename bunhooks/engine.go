package bunhooks

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/sqltext"
	"github.com/cacheme/cacheme/sqltx"
)

// engine turns the writes on one database's connections into invalidations of one cache. It is the connector's
// sqltx.Handler.
type engine struct {
	options
	cache   *cacheme.Cache
	db      *bun.DB
	dialect dialect
	rules   guard.Set
	warn    warner

	watched atomic.Pointer[watch]
	mu      sync.Mutex // of making a new watch
	catalog *catalog
	shadows sync.Map // names of temporary tables that this process made, in lower case
}

var _ sqltx.Handler = (*engine)(nil)

// answer is what a statement gives its caller.
type answer struct {
	rows   driver.Rows
	result driver.Result
}

// Exec runs a statement that gives no rows.
func (e *engine) Exec(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement) (driver.Result, error) {
	a, err := e.run(ctx, c, s, false)
	return a.result, err
}

// Query runs a statement that gives rows.
func (e *engine) Query(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement) (driver.Rows, error) {
	a, err := e.run(ctx, c, s, true)
	return a.rows, err
}

func (e *engine) run(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement, query bool) (answer, error) {
	if r := rehearsalOf(ctx); r != nil {
		return e.rehearse(ctx, c, s, r)
	}
	hints := touched(ctx)
	passed(ctx)
	e.doNotStore(ctx, c)
	e.fromReplica(ctx, c, s)
	look := e.observe(ctx, c, s)
	var a answer
	var err error
	if hints == nil && s.IsRead() {
		a, err = plain(ctx, s, query)
	} else {
		a, err = e.write(ctx, c, s, hints, query)
	}
	a.rows = look.watch(a.rows)
	if err != nil && c.Tx() != nil && e.dialect.fails(err) {
		// Until a rollback to a savepoint before it, the COMMIT will be a ROLLBACK.
		c.Tx().Add(&written{failed: true})
	}
	return a, err
}

// doNotStore keeps what is loaded in a transaction for its caller alone: its snapshot may be old, and its rows may be
// uncommitted. The load is that of the statement's context, or of what began the transaction: its statements need
// not pass a context on.
func (e *engine) doNotStore(ctx context.Context, c *sqltx.Conn) {
	const reason = "the load ran in a transaction"
	if tx := c.Tx(); tx != nil && !e.rules.Off(guard.TransactionBypasses) {
		cacheme.DoNotStore(ctx, reason)
		cacheme.DoNotStore(tx.Context(), reason) //nolint:contextcheck // the load may be known by it alone
	}
}

// write runs what may write.
func (e *engine) write(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement, hints []string, query bool) (answer, error) {
	watching := e.watch()
	v := watching.judge(s.Script(), hints, e.dialect.text == sqltext.MySQL && !c.Moved())
	e.unknown(watching, hints)
	e.shadow(s)
	if v.exact != nil && (e.isShadowed(v.exact.Tables[0]) || c.Locked() || c.Disguised()) {
		v.exact = nil
	}
	v.alone = v.alone && !c.Locked()
	if !v.nothing() {
		v.by = e.provenance(ctx, s, v)
	}
	commits := v.commits || v.may && e.dialect.text == sqltext.MySQL
	switch {
	case c.Tx() != nil && len(s.Script().Statements) > 1 && (commits || mayCommit(s.Script())):
		// No Commit is called for it, not even where it writes nothing itself.
		return e.opaque(ctx, c, s, v, query)
	case v.nothing():
		return plain(ctx, s, query)
	case c.Tx() == nil && v.alone:
		return e.alone(ctx, c, s, v, query)
	case c.Tx() == nil || s.Script().Controls():
		return e.opaque(ctx, c, s, v, query)
	case commits:
		// The transaction ends with it, or may, by way of Commit, which has to know of it.
		e.note(c.Tx(), v.whole())
		return whole(ctx, s, query)
	case v.stays, c.Tx().InDoubt():
		// What is written may be committed at once, and may still be rolled back: it is both.
		return e.opaque(ctx, c, s, v, query)
	case v.partial:
		e.note(c.Tx(), v.whole())
		return whole(ctx, s, query)
	}
	a, w, err := e.learn(ctx, c, s, v, query)
	if err == nil && c.Tx() != nil {
		e.note(c.Tx(), w)
	}
	return a, err
}

// mayCommit reports whether one of several statements may be a COMMIT, in the words of any database.
func mayCommit(script sqltext.Script) bool {
	return slices.ContainsFunc(script.Statements, func(s sqltext.Statement) bool {
		switch s.Kind {
		case sqltext.Commit, sqltext.Release, sqltext.Begin, sqltext.Autocommit, sqltext.Unknown:
			return true
		default:
			return false
		}
	})
}

// shadow remembers the names of temporary tables: a statement that names one need not mean the table that is watched.
func (e *engine) shadow(s *sqltx.Statement) {
	script := s.Script()
	for i := range script.Statements {
		st := &script.Statements[i]
		if st.Kind != sqltext.Schema && st.Kind != sqltext.Wide { // SELECT INTO makes them too
			continue
		}
		if st.Mentions("temp") || st.Mentions("temporary") || st.Mentions("pg_temp") {
			for _, name := range st.Tables {
				e.shadows.Store(strings.ToLower(name.Table), true)
			}
		}
	}
}

func (e *engine) isShadowed(name sqltext.Name) bool {
	_, shadowed := e.shadows.Load(strings.ToLower(name.Table))
	return shadowed
}

// unknown warns of tables that a caller says he writes and that nobody watches.
func (e *engine) unknown(w *watch, hints []string) {
	for _, hint := range hints {
		id := idOf(hint, "")
		if tables, _ := w.find(sqltext.Name{Schema: id.schema, Table: id.table}, false); len(tables) == 0 {
			e.warn.once("touches "+hint, "cacheme: a context of bunhooks.Touches names a table that no invalid node names, and nothing becomes wrong by it; look at its spelling",
				"table", hint)
		}
	}
}

// plain runs the statement as it is.
func plain(ctx context.Context, s *sqltx.Statement, query bool) (a answer, err error) {
	if query {
		a.rows, err = s.Query(ctx)
	} else {
		a.result, err = s.Exec(ctx)
	}
	return a, err
}

// whole runs the statement as it is, to its end: rows are read before it returns.
func whole(ctx context.Context, s *sqltx.Statement, query bool) (answer, error) {
	a, err := plain(ctx, s, query)
	if err == nil && query {
		a.rows, _, err = sqltx.Buffer(a.rows, 0, nil)
	}
	return a, err
}

// Commit stands in place of every COMMIT: fence, hold, COMMIT, release.
func (e *engine) Commit(ctx context.Context, c *sqltx.Conn, tx *sqltx.Tx, commit func() error) error {
	all := allOf(tx)
	// In doubt it may have been rolled back to a savepoint before the failure that nobody saw.
	failed := !tx.InDoubt() && slices.ContainsFunc(all, func(w *written) bool { return w.failed })
	if len(all) == 0 || failed {
		return commit()
	}
	err := e.settle(ctx, c, all, ofProgram, commit)
	if err == nil && changesSchema(all) {
		e.relearn(ctx, c)
	}
	return err
}

// watch is what to look for: of all that is declared by now.
func (e *engine) watch() *watch {
	if w := e.watched.Load(); w.declared == len(e.cache.Watched()) {
		return w
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	watched := e.cache.Watched()
	declared, err := declarations(e.db, watched, &e.warn)
	if err != nil {
		// Install told those that were there; one that is declared later has nobody else to tell.
		e.warn.once(err.Error(), "cacheme cannot watch a declaration", "err", err)
	}
	w := newWatch(declared, e.tables, e.catalog)
	w.declared = len(watched)
	e.watched.Store(w)
	return w
}

// learnCatalog asks the database for its tables, and watches accordingly.
func (e *engine) learnCatalog(ctx context.Context, q ask) error {
	c, err := e.dialect.catalog(ctx, q)
	if err != nil {
		return err
	}
	c.leaveOut(e.outbox)
	if err := e.dialect.learnUniques(ctx, q, c); err != nil {
		// Without them more is told of reads by a unique column than is true, and nothing else differs.
		e.warn.once("uniques", "cacheme cannot ask the database which columns are unique", "err", err)
	}
	watched := e.cache.Watched()
	declared, bad := declarations(e.db, watched, &e.warn)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.catalog = c
	w := newWatch(declared, e.tables, c)
	w.declared = len(watched)
	e.watched.Store(w)
	return errors.Join(bad, missing(declared, c))
}

// missing tells the columns that declarations name and a table that is there does not have.
func missing(declared []declaration, c *catalog) error {
	var problems []error
	for _, d := range declared {
		facts, known := c.tables[idOf(d.table, c.standard)]
		for _, column := range d.columns {
			if _, ok := facts.columns[strings.ToLower(column)]; known && !ok {
				problems = append(problems, &InstallError{Node: d.node, Reason: fmt.Sprintf(
					"names the column %s, which the table %s does not have in the database; migrate it first, or name another column", column, d.table)})
			}
		}
	}
	return errors.Join(problems...)
}

func changesSchema(all []*written) bool {
	return slices.ContainsFunc(all, func(w *written) bool { return w.schema })
}

// patience bounds what the hook does on a connection after the statement itself.
const patience = 5 * time.Second

// relearn reads the catalog again once tables have changed, on a connection that is between transactions. Where that
// fails the tables that are not known are written as a whole.
func (e *engine) relearn(ctx context.Context, c *sqltx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := e.learnCatalog(ctx, askConn(c)); err != nil {
		e.warn.once("catalog", "cacheme cannot read the database's tables again after they changed", "err", err)
	}
}

// opaque runs what may commit by itself, or cannot run in a transaction of the hook's own: its tables are held as a whole
// before it and released after it. No limit in the database stands behind that hold.
func (e *engine) opaque(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement, v verdict, query bool) (a answer, err error) {
	var all []*written
	if tx := c.Tx(); tx != nil {
		all = allOf(tx)
	}
	all = append(all, v.whole())
	err = e.settle(ctx, c, all, outside, func() (err error) {
		a, err = whole(ctx, s, query)
		return err
	})
	switch tx := c.Tx(); {
	case tx != nil:
		// The text has begun it, or is a part of it: of what it wrote nothing is committed for sure. What it did to the
		// schema is to be learned only then.
		e.note(tx, v.whole())
	case err == nil && changesSchema(all):
		e.relearn(ctx, c)
	}
	return a, err
}
