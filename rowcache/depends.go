package rowcache

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/sqltext"
)

// depends is what the result of a query depends on.
type depends struct {
	invalids []cacheme.Invalid
	followed []follow // known only once the rows are
	never    bool     // nothing of one of its tables is cached
	said     string   // what On and Reads say, as a part of the key
}

// follow is a relation that the query joins: which rows of the other table matter is in the rows that come out.
type follow struct {
	path []*schema.Relation // from the query's model; the last one is the relation
	set  *set               // of the other table
	base []*schema.Field    // of the model before the last step, in the order of the set's columns
}

// maxFollowed is how many rows of joined tables an entry depends on one by one; beyond, it depends on the table.
const maxFollowed = 200

// findSet is the set of one column of a model, or nil.
func (rc *Cache) findSet(model *schema.Table, f *schema.Field) *set {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	t := rc.named(tableName(model))
	if t == nil || t.schema != model {
		return nil
	}
	return t.find([]*schema.Field{f})
}

// named is the table that goes by a name, whose schema does not count. The caller has the lock.
func (rc *Cache) named(name string) *table { return rc.tables[bare(name)] }

// depends reads the query.
func (s *Selection[T]) depends(text string) (*depends, error) {
	s.rc.mu.Lock()
	defer s.rc.mu.Unlock()
	d := &depends{}
	on := map[*table]bool{}
	for _, c := range s.on {
		on[c.set.table] = true
		d.invalids = append(d.invalids, c.set.invalid(c.key))
		d.said += fmt.Sprintf("|on %s %s %s %q", c.alias, c.set.table.name, strings.Join(c.set.columns(), ","), fmt.Sprint(c.set.values(c.key)...))
	}
	usage := func(reason string) error {
		return &cacheme.UsageError{Node: fmt.Sprintf("rowcache.Query[%v]", reflect.TypeFor[T]()), Reason: reason}
	}
	if s.told {
		if len(s.reads) == 0 && len(s.on) == 0 {
			return nil, usage("is given Reads without a table, so that nothing would make it wrong; name what it reads")
		}
		d.said += "|reads " + strings.Join(s.reads, ",")
		for _, name := range s.reads {
			t := s.rc.named(name)
			if t == nil {
				return nil, usage(unknownTable(name))
			}
			d.never = d.never || t.isNever()
			if !on[t] {
				d.invalids = append(d.invalids, t.all())
			}
		}
		return d, nil
	}
	reading, err := sqltext.Reads(s.rc.dialect, text, s.rc.hasColumn)
	if err != nil {
		return nil, usage("cannot be read to find out what it depends on: " + err.Error() + "; say what it reads by Reads, or do not cache it")
	}
	if len(reading.Functions) > 0 {
		return nil, usage(fmt.Sprintf("calls %s, which may give another result for the same rows; give its value as an argument, or, if it does not, say what the query reads by Reads", strings.Join(reading.Functions, ", ")))
	}
	for i := range reading.Sources {
		source := &reading.Sources[i]
		t := s.rc.named(source.Table.Table)
		if t == nil {
			return nil, usage(unknownTable(source.Table.Table))
		}
		d.never = d.never || t.isNever()
		switch {
		case on[t] && s.says(source, reading.Sources):
		case d.narrow(t, source.Criteria):
		case s.follow(d, source, t, text):
		default:
			d.invalids = append(d.invalids, t.all())
		}
	}
	return d, nil
}

// says reports whether On speaks of a source, where it speaks of its table: of the occurrence that a path leads to; where the
// query has none that bun would call so, of those that are neither its model nor a relation of it.
func (s *Selection[T]) says(source *sqltext.Source, all []sqltext.Source) bool {
	found := false
	for _, c := range s.on {
		if strings.EqualFold(c.alias, source.Alias) {
			return true
		}
		found = found || slices.ContainsFunc(all, func(other sqltext.Source) bool {
			return strings.EqualFold(other.Alias, c.alias) && other.Table == source.Table
		})
	}
	return !found && !s.relates(source.Alias)
}

// relates reports whether bun calls the query's model so, or one of its relations.
func (s *Selection[T]) relates(alias string) bool {
	if s.model == nil || strings.EqualFold(alias, s.model.Alias) {
		return s.model != nil
	}
	at := s.model
	for step := range strings.SplitSeq(alias, "__") {
		r := relationNamed(at, step)
		if r == nil {
			return false
		}
		at = r.JoinTable
	}
	return true
}

func unknownTable(name string) string {
	return fmt.Sprintf("reads %s, which is the table of no model that rowcache.For names, or is related to one; call For with its model", name)
}

// hasColumn reports whether a table surely has a column. The caller has the lock.
func (rc *Cache) hasColumn(name sqltext.Name, column string) bool {
	t := rc.named(name.Table)
	return t != nil && t.column(rc.dialect, column) != nil
}

// column finds a column by the name that a query has for it.
func (t *table) column(d sqltext.Dialect, name string) *schema.Field {
	for _, f := range t.schema.Fields {
		if f.Name == name || d != sqltext.Postgres && strings.EqualFold(f.Name, name) {
			return f
		}
	}
	return nil
}

// narrow depends on the rows that satisfy one of the criteria, if each of them names a set.
func (d *depends) narrow(t *table, criteria []sqltext.Criterion) bool {
	var invalids []cacheme.Invalid
	for _, c := range criteria {
		invalid := t.named(c)
		if invalid == nil {
			return false
		}
		invalids = append(invalids, invalid)
	}
	d.invalids = append(d.invalids, invalids...)
	return len(criteria) > 0
}

// named is the narrowest set of rows that satisfy the criterion, or nil.
func (t *table) named(c sqltext.Criterion) cacheme.Invalid {
	values := map[*schema.Field]any{}
	for _, e := range c {
		for _, f := range t.schema.Fields {
			if strings.EqualFold(f.Name, e.Column) {
				if v, ok := valueOf(f, e.Value); ok {
					values[f] = v
				}
			}
		}
	}
	var best *set
	for _, s := range t.sets {
		all := !slices.ContainsFunc(s.fields, func(f *schema.Field) bool { _, ok := values[f]; return !ok })
		if all && (best == nil || s.narrower(best)) {
			best = s
		}
	}
	if best == nil {
		return nil
	}
	inOrder := make([]any, len(best.fields))
	for i, f := range best.fields {
		inOrder[i] = values[f]
	}
	k, err := best.key(inOrder)
	if err != nil {
		return nil
	}
	return best.invalid(k)
}

// narrower reports whether a set names fewer rows, as far as one can tell.
func (s *set) narrower(other *set) bool {
	if s.unique.Load() != other.unique.Load() {
		return s.unique.Load()
	}
	return len(s.fields) > len(other.fields)
}

// valueOf is a literal as a value of the column, where the database compares these two as Go does.
func valueOf(f *schema.Field, l sqltext.Literal) (any, bool) {
	t := f.IndirectType
	switch {
	case reflect.PointerTo(t).Implements(scannerType):
		// Of types that read themselves, UUIDs are known to be written as they are read.
		return l.Text, l.Kind == sqltext.String && t.Kind() == reflect.Array && t.Len() == 16 && t.Elem().Kind() == reflect.Uint8
	case l.Kind == sqltext.Integer && (reflect.Zero(t).CanInt() || reflect.Zero(t).CanUint()):
		return l.Text, true
	case l.Kind == sqltext.String && t.Kind() == reflect.String:
		return l.Text, true
	case l.Kind == sqltext.Bool && t.Kind() == reflect.Bool:
		v, err := strconv.ParseBool(l.Text)
		return v, err == nil
	case l.Kind == sqltext.Integer && t.Kind() == reflect.Bool && (l.Text == "0" || l.Text == "1"):
		return l.Text == "1", true
	}
	return nil, false
}

// follow depends on the rows of a joined table that are in the result, where bun joined them as a relation of the query's
// own model and the result has the columns by which it did.
func (s *Selection[T]) follow(d *depends, source *sqltext.Source, t *table, text string) bool {
	if source.Joined == nil || source.Block != 0 || s.model == nil || reflect.TypeFor[T]() != s.model.Type {
		return false
	}
	steps := strings.Split(source.Alias, "__") // as bun calls it: author, author__publisher
	f, at := follow{}, s.model
	for _, step := range steps {
		r := relationNamed(at, step)
		if r == nil {
			return false
		}
		f.path, at = append(f.path, r), r.JoinTable
	}
	last, parent := f.path[len(f.path)-1], s.model.Alias
	if len(steps) > 1 {
		parent = strings.Join(steps[:len(steps)-1], "__")
	}
	if at != t.schema || source.Joined.To != parent ||
		!sameNames(source.Joined.Columns, last.JoinPKs) || !sameNames(source.Joined.Others, last.BasePKs) ||
		!s.selects(text, parent, len(steps) > 1, last.BasePKs) {
		return false
	}
	if f.set = t.find(last.JoinPKs); f.set == nil || !f.set.unique.Load() {
		return false
	}
	f.base = inOrder(f.set, last.JoinPKs, last.BasePKs)
	d.followed = append(d.followed, f)
	return true
}

// sameNames reports whether columns are those of the fields, in this order.
func sameNames(columns []string, fields []*schema.Field) bool {
	return slices.EqualFunc(columns, fields, func(c string, f *schema.Field) bool { return strings.EqualFold(c, f.Name) })
}

// selects reports whether the query's list has these columns as bun writes them.
func (s *Selection[T]) selects(text, alias string, joined bool, fields []*schema.Field) bool {
	list, _, _ := strings.Cut(text, " FROM ")
	list = strings.TrimPrefix(list, "SELECT ") + ","
	q := string(s.rc.db.Dialect().IdentQuote())
	for _, f := range fields {
		column := q + alias + q + "." + q + f.Name + q
		if joined {
			column += " AS " + q + alias + "__" + f.Name + q
		}
		if !strings.HasPrefix(list, column+",") && !strings.Contains(list, ", "+column+",") {
			return false
		}
	}
	return true
}

// of are the rows of joined tables that are in a result.
func (d *depends) of(result reflect.Value) []cacheme.Invalid {
	if k := result.Kind(); k != reflect.Slice && k != reflect.Struct {
		return nil // a count, say: a row that is joined by a unique key, or not, changes none
	}
	var invalids []cacheme.Invalid
	for _, f := range d.followed {
		known := map[key]bool{}
		if !f.collect(result, known) || len(known) > maxFollowed {
			invalids = append(invalids, f.set.table.all())
			continue
		}
		for k := range known {
			invalids = append(invalids, f.set.invalid(k))
		}
	}
	return invalids
}

// collect adds the keys that a result's rows join by. It is false where a row shows another than it should.
func (f *follow) collect(result reflect.Value, known map[key]bool) bool {
	if result.Kind() == reflect.Slice {
		for i := range result.Len() {
			if !f.collect(result.Index(i), known) {
				return false
			}
		}
		return true
	}
	row := result
	for _, r := range f.path[:len(f.path)-1] {
		if row = r.Field.Value(row); row.Kind() == reflect.Pointer {
			if row.IsNil() {
				return true
			}
			row = row.Elem()
		}
	}
	k, ok, err := f.set.keyBy(f.base, row)
	if err != nil {
		return false
	}
	if ok {
		known[k] = true
	}
	other := f.path[len(f.path)-1].Field.Value(row)
	if other.Kind() != reflect.Pointer {
		return true
	}
	if other.IsNil() {
		return true
	}
	joined, found, err := f.set.keyOf(other.Elem())
	return err == nil && found && ok && joined == k
}
