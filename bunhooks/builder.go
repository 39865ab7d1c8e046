package bunhooks

import (
	"database/sql"
	"reflect"
	"slices"
	"strings"

	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/sqltext"
)

// declaration is what one invalid node, or memo, names.
type declaration struct {
	node      string
	table     string
	columns   []string
	model     *schema.Table
	cacheKeys bool
	refill    func(row any) []cacheme.Declaration
	every     bool // there is no table: all of them count
}

// builder puts a watch together.
type builder struct {
	*watch
	catalog *catalog
	byID    map[tableID]*table
	linked  map[link]bool
	every   bool
}

// newWatch joins declarations and catalog.
func newWatch(declared []declaration, names []string, c *catalog) *watch {
	b := builder{
		watch:   &watch{catalog: c, byName: map[string][]*table{}, aliases: map[string][]*table{}, standard: c.standard, failsHalfway: c.failsHalfway, failing: c.failing},
		catalog: c,
		byID:    map[tableID]*table{},
		linked:  map[link]bool{},
	}
	for _, d := range declared {
		if d.every {
			b.everyTable()
			continue
		}
		t := b.named(d.table)
		b.read(t, d.columns...)
		for _, column := range d.columns {
			if f := d.model.FieldMap[column]; f != nil && isText(f.StructField.Type) && !b.column(t, column).text {
				t.untold = append(t.untold, column)
			}
		}
		if d.cacheKeys {
			t.keyed = append(t.keyed, d.model)
		}
		if d.refill != nil {
			t.refills = append(t.refills, refill{d.model, d.refill})
		}
		if d.cacheKeys || d.refill != nil {
			for _, f := range d.model.Fields {
				b.read(t, f.Name)
			}
		}
	}
	for _, name := range names {
		b.named(name)
	}
	// Whatever makes the database write one of the tables matters too, and so on upwards.
	for again := true; again; {
		again = b.followForeignKeys()
		again = b.followAliases() || again
		again = b.followTriggers() || again
	}
	for _, t := range b.all {
		b.settle(t)
	}
	return b.watch
}

func (b *builder) table(id tableID) *table {
	if t := b.byID[id]; t != nil {
		return t
	}
	facts := b.catalog.tables[id]
	t := &table{
		id: id, sql: facts.sql, exact: facts.returns, locks: facts.locks, marks: facts.marks, serial: facts.serial,
		replaces: facts.replaces, volatile: facts.volatile, rowid: b.catalog.rowid && len(facts.key) == 1,
		columns: slices.Clone(facts.key), keys: len(facts.key),
	}
	b.byID[id] = t
	b.all = append(b.all, t)
	b.byName[id.table] = append(b.byName[id.table], t)
	return t
}

// named is the table that the cache calls by this name.
func (b *builder) named(name string) *table {
	t := b.table(idOf(name, b.standard))
	if !slices.Contains(t.names, name) {
		t.names = append(t.names, name)
	}
	return t
}

func (b *builder) column(t *table, name string) columnFacts {
	return b.catalog.tables[t.id].columns[strings.ToLower(name)]
}

// read adds columns to those that are read, those aside that the database does not have: what depends on such a one
// becomes wrong with the table. A column goes by the name that the declaration has for it.
func (b *builder) read(t *table, columns ...string) {
	known := b.catalog.tables[t.id].columns
	for _, c := range columns {
		if at := t.position(c); at >= 0 {
			t.columns[at] = c
		} else if _, ok := known[strings.ToLower(c)]; ok {
			t.columns = append(t.columns, c)
		}
	}
}

// settle is what is known of a table once all of its columns are. Invalid nodes are told those columns alone whose equal
// values are equal byte for byte: what depends on another one becomes wrong with the table.
func (b *builder) settle(t *table) {
	for i, c := range t.columns {
		facts := b.column(t, c)
		if !facts.folded && !slices.Contains(t.untold, c) {
			t.told, t.at = append(t.told, c), append(t.at, i)
		}
		t.derived = t.derived || facts.derived
	}
	t.derived = t.derived || slices.ContainsFunc(b.catalog.triggers, func(r *trigger) bool { return r.on == t.id && r.before })
}

// isText reports whether a field holds a text as it stands: two ways to write one number or one UUID are two texts.
func isText(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.String || t.Kind() == reflect.Slice || t == reflect.TypeFor[sql.NullString]()
}

// followForeignKeys finds the parents of tables: a parent matters if a child of it does.
func (b *builder) followForeignKeys() (found bool) {
	for _, f := range b.catalog.foreign {
		if f.onDelete == noAction && f.onUpdate == noAction {
			continue
		}
		for _, kid := range b.meant(f.child) {
			if b.linked[link{f, kid}] {
				continue
			}
			b.linked[link{f, kid}], found = true, true
			parent := b.table(f.parent)
			b.read(parent, f.parentCols...)
			parent.children = append(parent.children, child{
				table: kid, parentCols: f.parentCols, columns: f.childCols, onDelete: f.onDelete, onUpdate: f.onUpdate,
				loose: kid.id != f.child,
			})
			b.read(kid, f.childCols...)
		}
	}
	return found
}

// link is a foreign key that was followed to a table.
type link struct {
	key   *foreignKey
	child *table
}

// meant are the tables that matter and may be this one: a table that is watched without a schema may be in any.
func (b *builder) meant(id tableID) (tables []*table) {
	for _, t := range b.byName[id.table] {
		if t.id == id || t.id.schema == "" && len(t.names) > 0 {
			tables = append(tables, t)
		}
	}
	return tables
}

// followAliases finds what is written through a view, or a part of a table: as the database says, or, where it does not,
// by what the view's definition mentions.
func (b *builder) followAliases() (found bool) {
	add := func(alias string, tables []*table) {
		all := union(b.aliases[alias], tables)
		found = found || len(all) > len(b.aliases[alias])
		if len(all) > 0 {
			b.aliases[alias] = all
		}
	}
	for alias, ids := range b.catalog.aliases {
		for _, id := range ids {
			add(alias, b.meant(id))
		}
	}
	for view, definition := range b.catalog.views {
		add(view, b.mentioned(definition, view))
	}
	for _, view := range b.catalog.hidden {
		add(view, b.all)
	}
	return b.followBases() || found
}

// followBases finds the tables that a watched view, or a watched part of a table, is made of: whoever writes one of them
// writes the view.
func (b *builder) followBases() (found bool) {
	drag := func(base tableID, views []*table) {
		for _, view := range views {
			if t := b.table(base); t != view && !slices.Contains(t.drags, view) {
				t.drags, found = append(t.drags, view), true
			}
		}
	}
	for alias, bases := range b.catalog.aliases {
		for _, base := range bases {
			drag(base, b.byName[alias])
		}
	}
	for view, definition := range b.catalog.views {
		if b.byName[view] == nil {
			continue
		}
		for _, body := range sqltext.Parse(sqltext.AnyDialect, definition).Statements {
			for id := range b.catalog.tables {
				if id.table != view && body.Mentions(id.table) {
					drag(id, b.byName[view])
				}
			}
		}
	}
	return found
}

// followTriggers finds the tables that a trigger mentions: writing to its own table may write to these. Its own table it
// may write to once more, if a column is mentioned that is read and is not the key, by which it finds the row at hand.
func (b *builder) followTriggers() (found bool) {
	for _, r := range b.catalog.triggers {
		for _, t := range b.mentioned(r.text, "") {
			if t.id == r.on && !t.mentioned(r.text) && !b.mentionedAs(t, r.text) {
				continue
			}
			on := b.table(r.on)
			if !slices.Contains(on.drags, t) {
				on.drags, found = append(on.drags, t), true
			}
		}
	}
	return found
}

// mentioned are the tables whose names, or views, are words of a text. but is a name that does not count.
func (b *builder) mentioned(text, but string) (tables []*table) {
	for _, body := range sqltext.Parse(sqltext.AnyDialect, text).Statements {
		for _, known := range []map[string][]*table{b.byName, b.aliases} {
			for name, behind := range known {
				if name != but && body.Mentions(name) {
					tables = union(tables, behind)
				}
			}
		}
	}
	return tables
}

// mentionedAs reports whether a view or a part of the table is a word of a text.
func (b *builder) mentionedAs(t *table, text string) bool {
	for _, body := range sqltext.Parse(sqltext.AnyDialect, text).Statements {
		for name, behind := range b.aliases {
			if slices.Contains(behind, t) && body.Mentions(name) {
				return true
			}
		}
	}
	return false
}

// mentioned reports whether a column that is read, and is not the key, is a word of a text.
func (t *table) mentioned(text string) bool {
	for _, body := range sqltext.Parse(sqltext.AnyDialect, text).Statements {
		if slices.ContainsFunc(t.columns[t.keys:], body.Mentions) {
			return true
		}
	}
	return false
}
