package rowcache

import (
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme"
)

// table is one whose rows entries depend on.
type table struct {
	schema *schema.Table
	name   string
	rows   reflect.Type // of the model that For named; nil: none did
	policy atomic.Int32 // a Policy
	never  bool         // whatever models say
	hooked bool         // what a SELECT gives hangs on its context
	whole  *cacheme.Columns
	sets   []*set // the primary key first, if there is one
}

// set are columns by whose values rows are named: what has these values is wrong when such a row is written.
type set struct {
	table  *table
	fields []*schema.Field
	node   *cacheme.Columns
	unique atomic.Bool // no two rows have the same values
}

// maxKey is how many columns a key has at most.
const maxKey = 4

// key are the values of a set's columns, each as cacheme.Columns.Values has it.
type key [maxKey]any

// table makes a model's table known, with the columns that its own declaration shows to matter: its primary key, its
// unique columns, and those by which relations join.
func (rc *Cache) table(t *schema.Table) (*table, error) {
	name := bare(t.Name)
	if known, ok := rc.tables[name]; ok {
		if tableName(known.schema) != tableName(t) {
			return nil, fmt.Errorf("the tables %s and %s have one name in two schemas; cache them in two rowcache.Caches", tableName(known.schema), tableName(t))
		}
		if known.schema == t {
			return known, nil
		}
		return nil, fmt.Errorf("the table %s is known by the model %v already; use one model for both, or cache the rows of the other by a node of your own", tableName(t), known.schema.Type)
	}
	whole, err := rc.cache.Columns(reflect.Zero(reflect.PointerTo(t.Type)).Interface())
	if err != nil {
		return nil, err
	}
	known := &table{schema: t, name: tableName(t), whole: whole}
	_, known.hooked = t.ZeroIface.(bun.BeforeSelectHook)
	known.policy.Store(int32(rc.options.Caches))
	known.never = slices.ContainsFunc(rc.options.Never, func(n string) bool {
		return strings.EqualFold(n, known.name) || strings.EqualFold(n, name)
	})
	rc.tables[name] = known
	if len(t.PKs) > 0 {
		rc.offer(known, t.PKs, true)
	}
	for _, group := range unique(t) {
		rc.offer(known, group, true)
	}
	if err := rc.related(known); err != nil {
		delete(rc.tables, name) // a second try is told the same
		return nil, err
	}
	return known, nil
}

// isNever reports whether nothing of the table is cached.
func (t *table) isNever() bool { return t.never || Policy(t.policy.Load()) == Never }

// keepsRows reports whether its rows are cached by their keys.
func (t *table) keepsRows() bool { return !t.isNever() && !t.hooked }

// bunTable asks bun for a model, at which it panics where it does not understand it.
func bunTable(db *bun.DB, t reflect.Type) (table *schema.Table, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("is no model for bun: %v", r)
		}
	}()
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("is no struct; name the model's struct type, as in rowcache.For[Book]")
	}
	return db.Table(t), nil
}

// related makes known what the model's relations join.
func (rc *Cache) related(t *table) error {
	names := make([]string, 0, len(t.schema.Relations))
	for name := range t.schema.Relations {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		r := t.schema.Relations[name]
		other, err := rc.table(r.JoinTable)
		if err != nil {
			return err
		}
		switch r.Type {
		case schema.BelongsToRelation:
			rc.offer(t, r.BasePKs, false)
			rc.offer(other, r.JoinPKs, false)
		case schema.HasOneRelation, schema.HasManyRelation:
			rc.offer(other, r.JoinPKs, false)
		case schema.ManyToManyRelation:
			join, err := rc.table(r.M2MTable)
			if err != nil {
				return err
			}
			rc.offer(join, r.M2MBasePKs, false)
			rc.offer(join, r.M2MJoinPKs, false)
		}
	}
	return nil
}

// unique are the groups of columns that are tagged so, in a steady order.
func unique(t *schema.Table) (groups [][]*schema.Field) {
	var names []string
	for name := range t.Unique {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if name != "" {
			groups = append(groups, t.Unique[name])
			continue
		}
		for _, f := range t.Unique[name] { // each of them by itself
			groups = append(groups, []*schema.Field{f})
		}
	}
	return groups
}

// offer makes a set of columns, if they can make one.
func (rc *Cache) offer(t *table, fields []*schema.Field, unique bool) {
	_, _ = rc.set(t, fields, unique) // what is not exact, a time say, is no set: queries on it depend on the table
}

// set makes a set of columns.
func (rc *Cache) set(t *table, fields []*schema.Field, unique bool) (*set, error) {
	if s := t.find(fields); s != nil {
		if unique {
			s.unique.Store(true)
		}
		return s, nil
	}
	if len(fields) == 0 {
		return nil, &cacheme.UsageError{Node: t.name, Reason: "is given a group of no columns; name some"}
	}
	if len(fields) > maxKey {
		return nil, &cacheme.UsageError{Node: t.name, Reason: fmt.Sprintf("has a key of %d columns; at most %d can be cached by", len(fields), maxKey)}
	}
	columns := make([]string, len(fields))
	for i, f := range fields {
		columns[i] = f.Name
	}
	node, err := rc.cache.Columns(reflect.Zero(reflect.PointerTo(t.schema.Type)).Interface(), columns...)
	if err != nil {
		return nil, err
	}
	s := &set{table: t, fields: slices.Clone(fields), node: node}
	s.unique.Store(unique)
	t.sets = append(t.sets, s)
	return s, nil
}

// find returns the set of just these columns, in any order. The caller has the lock.
func (t *table) find(fields []*schema.Field) *set {
	for _, s := range t.sets {
		if len(s.fields) == len(fields) && !slices.ContainsFunc(fields, func(f *schema.Field) bool { return !slices.Contains(s.fields, f) }) {
			return s
		}
	}
	return nil
}

// fields are the columns of these names.
func (t *table) fields(columns []string) ([]*schema.Field, error) {
	fields := make([]*schema.Field, len(columns))
	for i, name := range columns {
		name = strings.TrimSpace(name)
		switch f := t.schema.FieldMap[name]; {
		case f == nil:
			return nil, fmt.Errorf("%v has no column %s", t.schema.Type, name)
		case slices.Contains(fields[:i], f):
			return nil, fmt.Errorf("the column %s is named twice", name)
		default:
			fields[i] = f
		}
	}
	return fields, nil
}

// bare is a table's name without its schema, in lower case.
func bare(name string) string {
	name = strings.ReplaceAll(strings.ToLower(name), `"`, "")
	return name[strings.LastIndexByte(name, '.')+1:]
}

// columns are the names of the set's columns.
func (s *set) columns() []string {
	names := make([]string, len(s.fields))
	for i, f := range s.fields {
		names[i] = f.Name
	}
	return names
}

// key makes a key of values in the order of the set's columns.
func (s *set) key(values []any) (k key, err error) {
	same, err := s.node.Values(values...)
	copy(k[:], same)
	return k, err
}

// keyOf is the key of a row. It is not ok where a column is NULL.
func (s *set) keyOf(row reflect.Value) (k key, ok bool, err error) {
	return s.keyBy(s.fields, row)
}

// keyBy is the key that another row has for the set's columns, in its own.
func (s *set) keyBy(fields []*schema.Field, row reflect.Value) (k key, ok bool, err error) {
	values := make([]any, len(fields))
	for i, f := range fields {
		v := f.Value(row)
		if v.Kind() == reflect.Pointer && v.IsNil() || f.NullZero && v.IsZero() {
			return k, false, nil
		}
		if v.Kind() == reflect.Struct && v.Type().PkgPath() == "database/sql" { // sql.NullInt64 and the like
			if !v.FieldByName("Valid").Bool() {
				return k, false, nil
			}
			v = v.Field(0)
		}
		values[i] = v.Interface()
	}
	k, err = s.key(values)
	return k, err == nil, err
}

// example is a key that rows can have.
func (s *set) example() key {
	values := make([]any, len(s.fields))
	for i, f := range s.fields {
		values[i] = reflect.Zero(f.IndirectType).Interface()
	}
	k, _ := s.key(values) // a set's columns have types of which every value goes into a key
	return k
}

// values are those of a key.
func (s *set) values(k key) []any { return k[:len(s.fields)] }

// invalid is what makes wrong what depends on rows with these values.
func (s *set) invalid(k key) cacheme.Invalid {
	node, err := s.node.Of(s.values(k)...)
	if err != nil {
		return s.table.all() // a value that came out of Values goes into Of: this is for the compiler
	}
	return node
}

// all is what makes wrong what depends on any row of the table.
func (t *table) all() cacheme.Invalid {
	node, err := t.whole.Of()
	if err != nil {
		return cacheme.Table(t.name)
	}
	return node
}

var scannerType = reflect.TypeFor[sql.Scanner]()

// wrongModel says what is wrong with a model of For.
func wrongModel(model reflect.Type, field string, err error) error {
	if _, declared := errors.AsType[*cacheme.DeclarationError](err); declared {
		return err
	}
	return &cacheme.DeclarationError{Node: fmt.Sprintf("rowcache.For[%v]", model), Field: field, Reason: err.Error()}
}
