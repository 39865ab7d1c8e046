package rowcache

import (
	"context"
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme"
)

// Many is a relation of T to any number of R: has-many or many-to-many. Make one with ToMany.
type Many[T, R any] struct {
	relation *schema.Relation
	target   *Rows[R]
	from     *set            // of the table that holds the list: the target's, or the join table's
	base     []*schema.Field // of T, in the order of from's columns
	to       []*schema.Field // of that table: the target's primary key, in the order of its set's columns
	bound    *cacheme.Bound[key, []id]
}

// ToMany makes the relation of this Go name, which is has-many or many-to-many, be served as a list of primary keys, and
// the rows of its target. Lists are in the order of these keys. A relation that is not there, is of another kind or has
// conditions of its own is a *cacheme.DeclarationError.
func ToMany[T, R any](rows *Rows[T], name string, target *Rows[R]) (*Many[T, R], error) {
	r, err := relationOf(rows, name, target, schema.HasManyRelation, schema.ManyToManyRelation)
	if err != nil {
		return nil, err
	}
	rc := rows.rc
	m := &Many[T, R]{relation: r, target: target}
	fail := func(err error) (*Many[T, R], error) { return nil, wrongModel(reflect.TypeFor[T](), name, err) }
	holder, foreign, to := target.table, r.JoinPKs, target.pk.fields
	if r.Type == schema.ManyToManyRelation {
		rc.mu.Lock()
		byKey := target.table.find(r.JoinPKs) == target.pk
		rc.mu.Unlock()
		if !byKey {
			return fail(fmt.Errorf("joins by other columns than the primary key of %v; use rowcache.Query", r.JoinTable.Type))
		}
		rc.mu.Lock()
		holder, err = rc.table(r.M2MTable)
		rc.mu.Unlock()
		if err != nil {
			return fail(err)
		}
		foreign, to = r.M2MBasePKs, inOrder(target.pk, r.JoinPKs, r.M2MJoinPKs)
	}
	if m.from, err = rc.setOf(holder, foreign); err != nil {
		return fail(err)
	}
	m.to, m.base = to, inOrder(m.from, foreign, r.BasePKs)
	m.bound, err = cacheme.Memo(rc.cache, cacheme.Memoized[key, []id]{
		Meta:         rc.meta(keyOfSet(fmt.Sprintf("list:%s:%s.%s", rc.name, literal(rows.table.name), literal(r.Field.Name)), m.from)),
		Values:       m.from.values,
		InvalidNodes: func(k key) []cacheme.Invalid { return []cacheme.Invalid{m.from.invalid(k)} },
		Tags:         []string{rc.tag()},
		Examples:     []key{m.from.example()},
		Skip:         func(context.Context, key) bool { return !holder.keepsRows() || !target.table.keepsRows() },
	}, func(ctx context.Context, k key) ([]id, error) {
		lists, err := m.load(ctx, []key{k})
		return lists[k], err
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// load reads lists: of each row the primary key, as text.
func (m *Many[T, R]) load(ctx context.Context, keys []key) (map[key][]id, error) {
	lists := make(map[key][]id, len(keys))
	for chunk := range slices.Chunk(keys, loadChunk) {
		others, err := m.loadChunk(ctx, lists, chunk)
		if err != nil {
			return nil, err
		}
		for _, k := range chunk {
			if !others {
				break
			}
			// Rows came that have none of the keys as they are written: for the database a and A may be equal.
			if _, err := m.loadChunk(ctx, lists, []key{k}); err != nil {
				return nil, err
			}
		}
	}
	return lists, nil
}

// loadChunk reads the lists of some keys, and reports whether rows came that belong to none of several.
func (m *Many[T, R]) loadChunk(ctx context.Context, lists map[key][]id, keys []key) (others bool, err error) {
	for _, k := range keys {
		lists[k] = []id{} // an empty list is a list
	}
	rows := reflect.New(reflect.SliceOf(m.from.table.schema.Type))
	q := m.from.where(m.target.rc.db.NewSelect().Model(rows.Interface()), keys)
	for _, f := range slices.Concat(m.from.fields, m.to) {
		q = q.ColumnExpr("?TableAlias.?", f.SQLName)
	}
	for _, f := range m.to {
		q = q.OrderExpr("?TableAlias.?", f.SQLName)
	}
	if err := q.Scan(ctx); err != nil {
		return false, err
	}
	for i := range rows.Elem().Len() {
		row := rows.Elem().Index(i)
		k, _, err := m.from.keyOf(row)
		if err != nil {
			return false, err
		}
		if len(keys) == 1 {
			k = keys[0]
		}
		list, asked := lists[k]
		to, ok, err := m.target.pk.keyBy(m.to, row)
		if err != nil {
			return false, err
		}
		others = others || !asked
		if !ok || !asked {
			continue
		}
		parts := make(id, len(m.to))
		for j, v := range m.target.pk.values(to) {
			if parts[j], err = text(v); err != nil {
				return false, err
			}
		}
		lists[k] = append(list, parts)
	}
	return others, nil
}

// id is a primary key in a list.
type id []string

// text is a value of a key as text, of which cacheme.Columns.Values makes the value again.
func text(v any) (string, error) {
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		return strconv.FormatInt(r.Int(), 10), nil
	case r.CanUint():
		return strconv.FormatUint(r.Uint(), 10), nil
	case r.Kind() == reflect.String:
		return r.String(), nil
	}
	if m, ok := v.(encoding.TextMarshaler); ok {
		b, err := m.MarshalText()
		return string(b), err
	}
	return fmt.Sprint(v), nil
}

// Of returns the rows that row is related to, in the order of their primary keys, in two round trips.
func (m *Many[T, R]) Of(ctx context.Context, row T) ([]R, error) {
	all, err := m.of(ctx, []T{row})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// Count returns how many rows row is related to, in one round trip, rows that are deleted softly included where the
// relation is many-to-many.
func (m *Many[T, R]) Count(ctx context.Context, row T) (int, error) {
	k, ok, err := m.from.keyBy(m.base, reflect.ValueOf(&row).Elem())
	if !ok {
		return 0, err
	}
	list, err := m.bound.Get(ctx, k)
	return len(list), err
}

// of returns the lists of several rows.
func (m *Many[T, R]) of(ctx context.Context, rows []T) ([][]R, error) {
	keys, at, err := keysOf(m.from, m.base, rows)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return make([][]R, len(rows)), nil
	}
	lists, err := cacheme.GetManyBound(ctx, m.bound, keys, m.load)
	if err != nil {
		return nil, err
	}
	var wanted []key
	index := map[key]int{}
	ids := make([][]int, len(lists)) // of each list, where its rows are among wanted
	for i := range lists {
		for j := range lists[i] {
			k, err := m.target.pk.key(IDs(lists[i][j]))
			if err != nil {
				return nil, err
			}
			n, known := index[k]
			if !known {
				n = len(wanted)
				index[k] = n
				wanted = append(wanted, k)
			}
			ids[i] = append(ids[i], n)
		}
	}
	l, err := m.target.by(m.target.pk)
	if err != nil {
		return nil, err
	}
	found, missing, err := l.existing(ctx, m.target.rc.db, wanted)
	if err != nil {
		return nil, err
	}
	all := make([][]R, len(rows))
	for i := range rows {
		if at[i] < 0 {
			continue
		}
		all[i] = []R{}
		for _, n := range ids[at[i]] {
			if !missing[n] {
				all[i] = append(all[i], found[n])
			}
		}
	}
	return all, nil
}

func (m *Many[T, R]) preload(ctx context.Context, rows []T) error {
	all, err := m.of(ctx, rows)
	if err != nil {
		return err
	}
	for i := range rows {
		setRelation(m.relation.Field, reflect.ValueOf(&rows[i]).Elem(), all[i])
	}
	return nil
}
