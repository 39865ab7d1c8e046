package bunhooks

import (
	"slices"
	"strings"

	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/sqltext"
)

// tableID names a table of the database: lower case, without the schema that is the default one.
type tableID struct{ schema, table string }

func newTableID(schema, table, standard string) tableID {
	schema, table = strings.ToLower(schema), strings.ToLower(table)
	if schema == strings.ToLower(standard) {
		schema = ""
	}
	return tableID{schema, table}
}

// idOf reads a name as the cache has it, "books" or "shop.books".
func idOf(name, standard string) tableID {
	if space, bare, dotted := strings.Cut(name, "."); dotted {
		return newTableID(space, bare, standard)
	}
	return newTableID("", name, standard)
}

// table is one that matters: an invalid node names it, or writing to it changes one that is named.
type table struct {
	id      tableID
	sql     string   // its name, quoted, with its schema
	names   []string // as the cache calls it
	columns []string // that are read of its rows: the primary key first, then what invalid nodes and children refer to
	keys    int      // how many of the columns are the primary key
	told    []string // the columns that invalid nodes are told: those whose equal values are equal byte for byte
	at      []int    // where these stand among columns
	exact   bool     // its rows can be read
	locks   bool     // ... and locked
	marks   bool     // an upsert can tell which of its rows were there before
	serial  string   // the column that the database numbers, where a caller may ask for the number; empty: none
	// keyed are models that tell which keys a row makes wrong, and refills those that tell what to load again: for these
	// all columns are read.
	keyed    []*schema.Table
	refills  []refill
	rowid    bool // the key has SQLite's other names
	children []child
	drags    []*table // that triggers of the table may write
	// derived: a write may change columns that are read without naming them, as generated columns and triggers have it.
	derived  bool
	volatile bool     // what is written to it stays, whatever becomes of the transaction
	keysets  []keyset // by which nodes with Observe: Auto know its rows
	untold   []string // columns that invalid nodes are not told
	replaces bool     // rows in the way of a write are deleted, by the table's own rule
}

// child is a foreign key by which the database itself changes rows when one of the table is deleted or renamed.
type child struct {
	table      *table
	parentCols []string
	columns    []string // of the child
	// loose: the child may be in another schema than the one that is watched.
	loose    bool
	onDelete action
	onUpdate action
}

// action is what the database does with a child.
type action uint8

const (
	noAction action = iota
	cascades
	setsNull
	setsDefault
)

// position of a column among those that are read, or -1.
func (t *table) position(column string) int {
	at := slices.IndexFunc(t.columns, func(c string) bool { return strings.EqualFold(c, column) })
	if at < 0 && t.rowid && slices.Contains(rowidNames, strings.ToLower(column)) {
		return 0
	}
	return at
}

// rowidNames are SQLite's other names for a key of one integer.
var rowidNames = []string{"rowid", "_rowid_", "oid"}

// reads reports whether one of the columns is among those that are read.
func (t *table) reads(columns []string) bool {
	return slices.ContainsFunc(columns, func(c string) bool { return t.position(c) >= 0 })
}

// readsAll reports whether all of the columns are.
func (t *table) readsAll(columns []string) bool {
	return !slices.ContainsFunc(columns, func(c string) bool { return t.position(c) < 0 })
}

// renames reports whether setting these columns changes what children refer to.
func (t *table) renames(columns []string) bool {
	return slices.ContainsFunc(t.children, func(c child) bool {
		return c.onUpdate != noAction && slices.ContainsFunc(c.parentCols, func(p string) bool {
			return slices.ContainsFunc(columns, func(s string) bool { return strings.EqualFold(p, s) })
		})
	})
}

// family is the table and all whose rows the database changes with its rows.
func (t *table) family(into []*table) []*table {
	if slices.Contains(into, t) {
		return into
	}
	into = append(into, t)
	for _, other := range t.drags {
		into = other.family(into)
	}
	for _, c := range t.children {
		into = c.table.family(into)
	}
	return into
}

// watch is what an engine looks for, compiled from the cache's declarations and the database's catalog.
type watch struct {
	catalog  *catalog
	declared int                 // how many declarations it was made from
	byName   map[string][]*table // by the name without its schema, in lower case
	aliases  map[string][]*table // views and parts of tables: writing to them writes to these, nobody knows which rows
	all      []*table
	// failsHalfway: a statement may fail and leave what it wrote, if it says OR FAIL.
	failsHalfway bool
	failing      map[string]bool // ... or if it writes to one of these tables and views: by name, in lower case
	standard     string          // the schema that is meant where none is named
}

// fails reports whether a write to this table may fail and leave what it wrote, whatever the statement says.
func (w *watch) fails(name sqltext.Name) bool { return w.failing[strings.ToLower(name.Table)] }

// find returns the tables that a name in a statement may mean, and whether it can only mean this one. Which schema is meant
// where none is named changes with the session (search_path, USE): a table that is watched without one may be in any,
// unless home says that the session surely means the standard one.
func (w *watch) find(name sqltext.Name, home bool) (tables []*table, certain bool) {
	key := strings.ToLower(name.Table)
	id := newTableID(name.Schema, name.Table, w.standard)
	for _, t := range w.byName[key] {
		if name.Schema == "" && !home || t.id.schema == "" || t.id.schema == id.schema {
			tables = append(tables, t)
		}
	}
	certain = len(tables) == 1 && tables[0].id.schema == id.schema
	if aliased := w.aliases[key]; aliased != nil {
		tables, certain = append(tables, aliased...), false
	}
	return tables, certain
}

// invalidsOf are tables as a whole.
func invalidsOf(tables []*table) (invalids []cacheme.Invalid) {
	for _, t := range tables {
		for _, name := range t.names {
			invalids = append(invalids, cacheme.Table(name))
		}
	}
	return invalids
}
