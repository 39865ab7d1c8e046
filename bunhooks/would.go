package bunhooks

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/sqltext"
	"github.com/cacheme/cacheme/sqltx"
)

// WouldInvalidate says what a query of bun would make wrong if it were run on db, and does not run it. What it asks the
// database is what the hook asks before such a write, without locking anything: which rows the query would write now.
// Where the hook would count the table as written as a whole, Impact.Why has the reason. Of an INSERT no rows are there
// yet, and of an UPDATE only the old values of what it sets are known; Impact.Note says so. The live entries among what
// would become wrong are found by Impact.Scan.
//
// It asks on a connection of db's pool, never on that of a transaction: it does not see rows that a transaction has written
// and not yet committed, and inside a transaction on a pool of one connection it waits until ctx ends.
//
// An *InstallError says that db is not joined with a cache, or its connections are not wrapped.
func WouldInvalidate(ctx context.Context, db *bun.DB, query bun.Query) (*cacheme.Impact, error) {
	c, err := sqltx.Of(ctx, db.DB)
	if err != nil {
		return nil, fmt.Errorf("bunhooks: look at the database's connections: %w", err)
	}
	var e *engine
	if c != nil {
		e, _ = c.Handler().(*engine)
	}
	if e == nil {
		return nil, &InstallError{Reason: "is not installed in this database, or its connections are not wrapped; see Install"}
	}
	text, err := query.AppendQuery(db.QueryGen(), nil)
	if err != nil {
		return nil, fmt.Errorf("bunhooks: would invalidate: %w", err)
	}
	r := &rehearsal{}
	if _, err := db.DB.ExecContext(context.WithValue(ctx, rehearsalKey{}, r), string(text)); err != nil {
		return nil, fmt.Errorf("bunhooks: would invalidate: %w", err)
	}
	return r.impact(e)
}

// rehearsal is a statement that is shown to the engine and not run.
type rehearsal struct {
	w         *written
	why, note string
}

type rehearsalKey struct{}

func rehearsalOf(ctx context.Context) *rehearsal {
	r, _ := ctx.Value(rehearsalKey{}).(*rehearsal)
	return r
}

// rehearse finds out what a statement would write, as learn does before it runs one.
func (e *engine) rehearse(ctx context.Context, c *sqltx.Conn, s *sqltx.Statement, r *rehearsal) (answer, error) {
	v := e.watch().judge(s.Script(), touched(ctx), e.dialect.text == sqltext.MySQL && !c.Moved())
	v.by = cacheme.Write{Operation: operationOf(s.Text, s.Script()), Table: v.target()}
	r.w = v.whole()
	if len(v.tables) > 0 {
		r.w.target = v.tables[0]
	}
	nothing := answer{result: driver.RowsAffected(0)}
	switch {
	case s.IsRead():
		r.w.by.Whole, r.why = false, "it is no write"
		return nothing, nil
	case v.nothing():
		r.w.by.Whole, r.why = false, "it writes no table that an invalid node names"
		return nothing, nil
	case v.exact == nil:
		r.why = "which rows it writes cannot be known from its text"
		return nothing, nil
	}
	t := v.exact
	if _, r.why = e.dialect.manner(t, v.tables[0], false); r.why != "" {
		return nothing, nil
	}
	if t.Kind == sqltext.Insert {
		r.w.by.Whole, r.note = false, "which rows become wrong is known once they are inserted and their keys are"
		r.w.whole = nil
		return nothing, nil
	}
	return nothing, e.rehearseRows(ctx, c, v, r)
}

func (e *engine) rehearseRows(ctx context.Context, c *sqltx.Conn, v verdict, r *rehearsal) error {
	t, stmt := v.tables[0], v.exact
	text, args, ok := stmt.SelectOld(e.dialect.columns(t, stmt.Target()), "")
	if !ok || len(args) > 0 {
		r.why = "the rows that it is about to write cannot be asked for"
		return nil
	}
	rows, over, err := e.fetch(ctx, c, text, nil)
	switch {
	case err != nil:
		return err
	case over:
		r.why = fmt.Sprintf("it writes more than %d rows, see WithRowCap", e.rowCap)
		return nil
	}
	w := &written{by: v.by, target: t}
	w.add(t, rows)
	for _, other := range t.drags {
		w.giveUp(other)
	}
	if stmt.Kind == sqltext.Delete {
		if err := e.children(ctx, c, w, t, rows, false, nil); err != nil {
			return err
		}
	}
	if e.cap(w); w.count > e.rowCap {
		r.why = fmt.Sprintf("it writes more than %d rows, see WithRowCap", e.rowCap)
	}
	if stmt.Kind == sqltext.Update && t.changes(stmt) {
		r.note = "what it would set is not known: what depends on the new values becomes wrong as well"
	}
	r.w = w
	return nil
}

func (r *rehearsal) impact(e *engine) (*cacheme.Impact, error) {
	w := r.w
	if w == nil { // a statement that the connection did not show
		return nil, &InstallError{Reason: "does not see this statement"}
	}
	invalids := invalidsIn(e.effects([]*written{w}))
	inserts := w.target != nil && len(w.rows) == 0 && len(w.whole) == 0 && r.note != ""
	if inserts {
		invalids = append([]cacheme.Invalid{cacheme.By(w.by)}, invalidsOf([]*table{w.target})...)
	}
	i, err := e.cache.WouldInvalidate(invalids...)
	if err != nil {
		return nil, err
	}
	i.Write, i.Why, i.Note = w.by, r.why, r.note
	if inserts {
		// Of the table it is only known that some row is written.
		i.Dependencies = slices.DeleteFunc(i.Dependencies, func(name string) bool { return !strings.HasPrefix(name, "rows:") })
	}
	return i, nil
}
