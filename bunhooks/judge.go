package bunhooks

import (
	"slices"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/sqltext"
)

// verdict is what a text does to the tables that are watched.
type verdict struct {
	home    bool               // tables without a schema are in the standard one
	tables  []*table           // that it writes, or may write
	exact   *sqltext.Statement // it is this one statement, whose rows can be named; tables[0] is where they are
	schema  bool               // it makes, changes or drops tables
	alone   bool               // without a transaction around it, it may be given one
	commits bool               // it commits the transaction that it runs in
	may     bool               // it may commit that, or not
	partial bool               // where it fails, what it wrote until then stays
	keeps   bool               // rows that others refer to stay, under the same key
	by      cacheme.Write      // what it says of itself
	stays   bool               // what it writes stays, whatever becomes of the transaction
}

func (v verdict) nothing() bool { return len(v.tables) == 0 && !v.schema }

// whole is what it writes, as whole tables.
func (v verdict) whole() *written {
	w := &written{by: v.by, schema: v.schema}
	w.by.Whole = true
	for _, t := range v.tables {
		w.giveUpAs(t, v.keeps)
	}
	return w
}

// giveUpAs names the table as a whole. keeps: rows that others refer to stay.
func (w *written) giveUpAs(t *table, keeps bool) {
	if keeps {
		w.giveUpRows(t)
	} else {
		w.giveUp(t)
	}
}

// judge reads a text. hints are tables that its caller says it writes; home is as find has it.
func (w *watch) judge(script sqltext.Script, hints []string, home bool) verdict {
	v := verdict{home: home, alone: len(script.Statements) == 1 && len(hints) == 0, keeps: len(hints) == 0}
	for i := range script.Statements {
		w.judgeOne(&v, &script.Statements[i])
	}
	for _, hint := range hints {
		id := idOf(hint, "")
		w.writes(&v, sqltext.Name{Schema: id.schema, Table: id.table})
	}
	// Of several statements that fail some may stay: PostgreSQL alone undoes them all.
	v.partial = v.partial || len(script.Statements) > 1
	v.stays = w.stays(v)
	v.alone = v.alone && !v.stays && !v.partial
	if v.exact != nil && (v.partial || v.stays || len(script.Statements) > 1 || len(hints) > 0 || len(v.tables) != 1 || !v.tables[0].exact) {
		v.exact = nil
	}
	return v
}

// stays reports whether a table that knows no transactions is written, be it by a trigger.
func (w *watch) stays(v verdict) bool {
	volatile := func(t *table) bool { return t.volatile }
	return slices.ContainsFunc(w.all, volatile) && slices.ContainsFunc(v.whole().whole, volatile)
}

func (w *watch) judgeOne(v *verdict, s *sqltext.Statement) {
	v.keeps = v.keeps && w.keeps(s, v.home)
	switch s.Kind {
	case sqltext.Insert, sqltext.Update, sqltext.Delete:
		if w.writes(v, s.Tables[0]) {
			v.exact = s
		}
		v.partial = v.partial || w.failsHalfway && s.Mentions("fail") || w.fails(s.Tables[0])
	case sqltext.Wide:
		for _, name := range s.Tables {
			w.writes(v, name)
			v.partial = v.partial || w.fails(name)
		}
		if s.Cascade {
			v.tables = union(v.tables, w.all)
		}
		v.alone = v.alone && !s.Implicit
	case sqltext.Schema:
		for _, name := range s.Tables {
			w.writes(v, name)
		}
		v.schema, v.alone = true, false
	case sqltext.Call:
		v.tables, v.alone, v.may = union(v.tables, w.all), false, true
	case sqltext.Unknown:
		for name, tables := range w.byName {
			if s.Mentions(name) {
				v.tables = union(v.tables, tables)
			}
		}
		for name, tables := range w.aliases {
			if s.Mentions(name) {
				v.tables = union(v.tables, tables)
			}
		}
		v.alone, v.may, v.partial = false, true, v.partial || w.failsHalfway
	}
	v.commits = v.commits || s.Implicit
}

// keeps reports whether no row that others may refer to goes away or gets another key.
func (w *watch) keeps(s *sqltext.Statement, home bool) bool {
	switch s.Kind {
	case sqltext.Read, sqltext.Session:
		return true
	case sqltext.Insert, sqltext.Update:
		tables, _ := w.find(s.Tables[0], home)
		return s.Conflict != sqltext.ConflictReplaces && !slices.ContainsFunc(tables, func(t *table) bool {
			return t.replaces || t.derived || t.renames(s.SetColumns)
		})
	default:
		return false
	}
}

// writes adds the tables that a name may mean, and reports whether it can only mean one.
func (w *watch) writes(v *verdict, name sqltext.Name) (certain bool) {
	tables, certain := w.find(name, v.home)
	v.tables = union(v.tables, tables)
	return certain
}

func union(to, more []*table) []*table {
	for _, t := range more {
		if !slices.Contains(to, t) {
			to = append(to, t)
		}
	}
	return to
}

// manner is how the rows of one statement are learned.
type manner struct {
	before bool // by a SELECT before it that locks them
	after  bool // by a RETURNING that is added to it
	again  bool // by a SELECT of the same keys after it
	moved  bool // the primary key is set: as many rows after as before are the same rows
	marked bool // the RETURNING also tells which rows were there before, of which nobody knows what they were
}

// manner says how to learn what a statement writes to a table, or why its rows cannot be named. query: its caller asks
// for rows, so that it need not have a result.
func (d features) manner(s *sqltext.Statement, t *table, query bool) (m manner, why string) {
	switch s.Kind {
	case sqltext.Insert:
		switch {
		case !d.insertReturns:
			return m, "this database has no INSERT .. RETURNING"
		case s.Conflict == sqltext.ConflictReplaces, t.replaces:
			return m, "the rows that it replaces are not told"
		case s.Conflict == sqltext.ConflictUpdates && t.changes(s) && t.marks && !t.renames(s.SetColumns):
			return manner{after: true, marked: true}, ""
		case s.Conflict == sqltext.ConflictUpdates && t.changes(s):
			return m, "it sets a column that an invalid node names, and what stood there is not told"
		case s.Conflict == sqltext.ConflictUpdates && !d.upsertCounts && !query:
			return m, "with RETURNING this database does not tell how many rows it updated"
		}
		return manner{after: true}, ""
	case sqltext.Update:
		changes := t.changes(s)
		switch {
		case t.replaces:
			return m, "the rows that it replaces are not told"
		case t.renames(s.SetColumns):
			return m, "it sets a column that other tables refer to, and these are changed by the database"
		case !changes && d.updateReturns:
			return manner{after: true}, ""
		case !t.locks:
			return m, "whoever writes it may not lock its rows"
		case !changes:
			return manner{before: true}, ""
		case t.keys == 0 || t.sets(s.SetColumns) && !d.updateReturns:
			return m, "the rows before and after cannot be told to be the same without a primary key that stays"
		}
		return manner{before: true, after: d.updateReturns, again: !d.updateReturns, moved: t.sets(s.SetColumns)}, ""
	default:
		if len(t.children) > 0 {
			if t.keys == 0 || !t.locks {
				return m, "the database changes rows of other tables with it, and its own cannot be locked one by one"
			}
			return manner{before: true, after: d.deleteReturns}, ""
		}
		return manner{before: !d.deleteReturns, after: d.deleteReturns}, ""
	}
}

// changes reports whether a statement that sets columns may change one that is read.
func (t *table) changes(s *sqltext.Statement) bool { return t.derived || t.reads(s.SetColumns) }

// sets reports whether one of the columns is part of the primary key.
func (t *table) sets(columns []string) bool {
	return slices.ContainsFunc(columns, func(c string) bool {
		at := t.position(c)
		return at >= 0 && at < t.keys
	})
}
