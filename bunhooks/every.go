package bunhooks

import (
	"cmp"
	"database/sql/driver"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cacheme/cacheme"
)

// What nodes with Observe: Auto depend on is in no declaration: every table of the catalog is watched for them, and rows
// are known by what the catalog says, which is the same for all processes.

// keyset are columns by whose values rows are known.
type keyset struct {
	columns []string
	at      []int // where they stand among the columns that are read
}

// name is a table as the cache has it where no model does.
func (id tableID) name() string {
	if id.schema == "" {
		return id.table
	}
	return id.schema + "." + id.table
}

// everyTable watches all that the catalog has, but SQLite's own, which it writes by itself.
func (b *builder) everyTable() {
	if b.every {
		return
	}
	b.every = true
	for _, id := range slices.SortedFunc(maps.Keys(b.catalog.tables), func(x, y tableID) int {
		return cmp.Or(cmp.Compare(x.schema, y.schema), cmp.Compare(x.table, y.table))
	}) {
		if strings.HasPrefix(id.table, "sqlite_") {
			continue
		}
		t := b.table(id)
		if !slices.Contains(t.names, id.name()) {
			t.names = append(t.names, id.name())
		}
		for _, columns := range b.catalog.keysets(id) {
			b.read(t, columns...)
			k := keyset{columns: columns}
			for _, c := range columns {
				k.at = append(k.at, t.position(c))
			}
			if !slices.Contains(k.at, -1) {
				t.keysets = append(t.keysets, k)
			}
		}
	}
}

// keysets are the primary key, each of its columns where it has several, and the columns of each foreign key, as far as
// they are integers: of these alone it is certain which values a database takes for equal.
func (c *catalog) keysets(id tableID) (sets [][]string) {
	facts := c.tables[id]
	add := func(columns ...string) {
		for _, name := range columns {
			if !facts.columns[strings.ToLower(name)].integer {
				return
			}
		}
		columns = slices.Clone(columns) // as the database spells them: PostgreSQL has "Id" beside id
		slices.SortFunc(columns, func(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) })
		if len(columns) > 0 && !slices.ContainsFunc(sets, func(s []string) bool { return slices.EqualFunc(s, columns, strings.EqualFold) }) {
			sets = append(sets, columns)
		}
	}
	add(facts.key...)
	for _, column := range facts.key {
		add(column)
	}
	for _, f := range c.foreign {
		if f.child == id {
			add(f.childCols...)
		}
	}
	return sets
}

// having is the narrowest keyset of which all values are known.
func (t *table) having(value func(column string) (int64, bool)) (best cacheme.Match, ok bool) {
	for _, k := range t.keysets {
		if ok && len(k.columns) <= len(best.Columns) {
			continue
		}
		values := make([]any, 0, len(k.columns))
		for _, c := range k.columns {
			if v, known := value(c); known {
				values = append(values, v)
			}
		}
		if len(values) == len(k.columns) {
			best, ok = cacheme.Match{Columns: k.columns, Values: values}, true
		}
	}
	return best, ok
}

// appendHaving adds what a row makes wrong by the values of its keysets. A row that has NULL there is chosen by no value.
func (t *table) appendHaving(invalids []cacheme.Invalid, row []driver.Value) []cacheme.Invalid {
	for _, k := range t.keysets {
		values, null := make([]int64, len(k.at)), false
		for i, at := range k.at {
			v, isNull, ok := integer(row[at])
			if !ok {
				return append(invalids, cacheme.Table(t.id.name()))
			}
			values[i], null = v, null || isNull
		}
		if !null {
			invalids = append(invalids, cacheme.Having(t.id.name(), k.columns, values...))
		}
	}
	return invalids
}

// integer reads what a driver returns for a column of integers.
func integer(v driver.Value) (n int64, null, ok bool) {
	switch v := v.(type) {
	case nil:
		return 0, true, true
	case int64:
		return v, false, true
	case []byte:
		n, err := strconv.ParseInt(string(v), 10, 64)
		return n, false, err == nil
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, false, err == nil
	}
	return 0, false, false
}
