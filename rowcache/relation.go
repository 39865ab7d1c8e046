package rowcache

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/cacheme/cacheme"
)

// Relation is a relation of rows of T, for Preload: what ToOne and ToMany return.
type Relation[T any] interface {
	preload(ctx context.Context, rows []T) error
}

// Preload sets the relations' fields of rows, as bun's Relation does: each relation of all rows costs one round trip
// (ToMany: two), and one SELECT for what is not cached. What does not exist, or is deleted softly, is left out. The rows have to be the caller's
// own, as those are that this package returns.
func Preload[T any](ctx context.Context, rows []T, relations ...Relation[T]) error {
	if len(rows) == 0 {
		return nil
	}
	for _, r := range relations {
		if v := reflect.ValueOf(r); !v.IsValid() || v.IsNil() {
			return &cacheme.UsageError{Node: fmt.Sprintf("rowcache.Preload[%v]", reflect.TypeFor[T]()), Reason: "got a nil relation; give it what ToOne and ToMany returned"}
		}
		if err := r.preload(ctx, rows); err != nil {
			return err
		}
	}
	return nil
}

// One is a relation of T to at most one R: belongs-to or has-one. Make one with ToOne.
type One[T, R any] struct {
	relation *schema.Relation
	target   *Rows[R]
	lookup   *lookup[R]
	base     []*schema.Field // of T, in the order of the lookup's columns
}

// ToOne makes the relation of this Go name, which is belongs-to or has-one, be served from the rows of its target. A
// relation that is not there, is of another kind, or has conditions of its own is a *cacheme.DeclarationError.
func ToOne[T, R any](rows *Rows[T], name string, target *Rows[R]) (*One[T, R], error) {
	r, err := relationOf(rows, name, target, schema.BelongsToRelation, schema.HasOneRelation)
	if err != nil {
		return nil, err
	}
	s, err := rows.rc.setOf(target.table, r.JoinPKs)
	if err != nil {
		return nil, wrongModel(reflect.TypeFor[T](), name, err)
	}
	l, err := target.by(s)
	if err != nil {
		return nil, err
	}
	return &One[T, R]{relation: r, target: target, lookup: l, base: inOrder(s, r.JoinPKs, r.BasePKs)}, nil
}

// Of returns what row is related to, or nil: where the row has NULL, and where there is no such row.
func (o *One[T, R]) Of(ctx context.Context, row T) (*R, error) {
	k, ok, err := o.lookup.keyBy(o.base, reflect.ValueOf(&row).Elem())
	if !ok {
		return nil, err
	}
	other, err := o.lookup.bound.Get(ctx, k)
	if errors.Is(err, cacheme.ErrNotFound) {
		return nil, nil //nolint:nilnil // nothing is the answer
	}
	if err != nil {
		return nil, err
	}
	return &other, nil
}

func (o *One[T, R]) preload(ctx context.Context, rows []T) error {
	keys, at, err := keysOf(o.lookup.set, o.base, rows)
	if err != nil {
		return err
	}
	found, missing, err := o.lookup.existing(ctx, o.target.rc.db, keys)
	if err != nil {
		return err
	}
	for i := range rows {
		var related []R
		if at[i] >= 0 && !missing[at[i]] {
			related = []R{found[at[i]]}
		}
		setRelation(o.relation.Field, reflect.ValueOf(&rows[i]).Elem(), related)
	}
	return nil
}

// keysOf are the keys that rows have for the columns of a set, and the index of each row's among them: -1 for a row with
// NULL.
func keysOf[T any](s *set, base []*schema.Field, rows []T) (keys []key, at []int, err error) {
	keys, at = make([]key, 0, len(rows)), make([]int, len(rows))
	for i := range rows {
		at[i] = -1
		k, ok, err := s.keyBy(base, reflect.ValueOf(&rows[i]).Elem())
		if err != nil {
			return nil, nil, err
		}
		if ok {
			at[i] = len(keys)
			keys = append(keys, k)
		}
	}
	return keys, at, nil
}

// existing is getMany with what is missing told by index.
func (l *lookup[T]) existing(ctx context.Context, db *bun.DB, keys []key) ([]T, map[int]bool, error) {
	found, err := l.getMany(ctx, db, keys)
	missing := map[int]bool{}
	none, ok := err.(*cacheme.MissingError) //nolint:errorlint // one that is joined with others is another error
	if !ok {
		return found, missing, err
	}
	for _, i := range none.Indexes {
		missing[i] = true
	}
	return found, missing, nil
}

// relationOf finds a relation of a model and checks that it leads to the target.
func relationOf[T, R any](rows *Rows[T], name string, target *Rows[R], kinds ...int) (*schema.Relation, error) {
	t := reflect.TypeFor[T]()
	wrong := func(reason string) (*schema.Relation, error) { return nil, wrongModel(t, name, errors.New(reason)) }
	if rows == nil || target == nil {
		return wrong("is asked for with nil Rows; give it what rowcache.For returned")
	}
	r, ok := rows.table.schema.Relations[name]
	switch {
	case !ok:
		return wrong("is no relation of the model; name the Go field that is tagged `bun:\"rel:...\"`")
	case !slices.Contains(kinds, r.Type):
		return wrong(fmt.Sprintf("is another kind of relation; use rowcache.%s", map[bool]string{true: "ToMany", false: "ToOne"}[r.Type == schema.HasManyRelation || r.Type == schema.ManyToManyRelation]))
	case r.JoinTable != target.table.schema:
		return wrong(fmt.Sprintf("leads to %v, and the rows given are %v", r.JoinTable.Type, target.table.schema.Type))
	case rows.rc != target.rc:
		return wrong("has its rows in two rowcache.Caches; make both with one")
	case len(r.Condition) > 0 || r.PolymorphicField != nil:
		return wrong("has a condition of its own, or is polymorphic; use rowcache.Query")
	}
	return r, nil
}

// setOf is the set of some columns, with the lock.
func (rc *Cache) setOf(t *table, fields []*schema.Field) (*set, error) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	return rc.set(t, fields, false)
}

// inOrder are others, which go with fields, in the order of the set's columns.
func inOrder(s *set, fields, others []*schema.Field) []*schema.Field {
	all := make([]*schema.Field, len(s.fields))
	for i, f := range fields {
		for at, mine := range s.fields {
			if mine == f {
				all[at] = others[i]
			}
		}
	}
	return all
}

// setRelation sets a relation's field: *R, R, []*R or []R.
func setRelation[R any](f *schema.Field, row reflect.Value, related []R) {
	v := f.Value(row)
	v.SetZero()
	one := func(i int, t reflect.Type) reflect.Value {
		if t.Kind() == reflect.Pointer {
			return reflect.ValueOf(&related[i])
		}
		return reflect.ValueOf(related[i])
	}
	if v.Kind() != reflect.Slice {
		if len(related) > 0 {
			v.Set(one(0, v.Type()))
		}
		return
	}
	all := reflect.MakeSlice(v.Type(), 0, len(related))
	for i := range related {
		all = reflect.Append(all, one(i, v.Type().Elem()))
	}
	v.Set(all)
}
