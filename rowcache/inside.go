package rowcache

import (
	"database/sql"
	"errors"
	"reflect"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"
)

// What bun keeps to itself and this package has to know of a query: its connection and its relations. It is only read, by
// reflection; where a version of bun keeps it elsewhere, queries are refused and not answered wrongly.

var errInside = errors.New("is built by a version of bun that keeps its relations where this package does not find them; update github.com/cacheme/cacheme")

// modelOf is the table of the query's model, or nil.
func modelOf(q *bun.SelectQuery) *schema.Table {
	if m, ok := q.GetModel().(interface{ Table() *schema.Table }); ok {
		return m.Table()
	}
	return nil
}

// isBound reports whether a query is bound to a connection of its own, in which a transaction may be open.
func isBound(q *bun.SelectQuery) bool {
	conn := reflect.ValueOf(q).Elem().FieldByName("conn")
	if !conn.IsValid() || conn.Kind() != reflect.Interface {
		return true
	}
	if conn.IsNil() {
		return false
	}
	switch conn.Elem().Type() { // an unexported field gives its value to nobody; its type is enough
	case reflect.TypeFor[*bun.DB](), reflect.TypeFor[bun.DB](), reflect.TypeFor[*sql.DB]():
		return false
	}
	return true
}

// toMany names a relation of the query that bun loads by a query of its own; empty: there is none.
func toMany(q *bun.SelectQuery) (name string, err error) {
	if !reflect.ValueOf(q).Elem().FieldByName("conn").IsValid() {
		return "", errInside
	}
	model := q.GetModel()
	if _, ok := model.(interface{ Table() *schema.Table }); !ok {
		return "", nil // no model, no relations
	}
	return toManyOf(reflect.ValueOf(model))
}

func toManyOf(model reflect.Value) (string, error) {
	for model.Kind() == reflect.Interface || model.Kind() == reflect.Pointer {
		if model.IsNil() {
			return "", errInside
		}
		model = model.Elem()
	}
	if model.Kind() != reflect.Struct {
		return "", errInside
	}
	joins := model.FieldByName("joins")
	if !joins.IsValid() || joins.Kind() != reflect.Slice {
		return "", errInside
	}
	for i := range joins.Len() {
		relation, inner := joins.Index(i).FieldByName("Relation"), joins.Index(i).FieldByName("JoinModel")
		if !relation.IsValid() || relation.Type() != reflect.TypeFor[*schema.Relation]() || !inner.IsValid() {
			return "", errInside
		}
		switch relation.Elem().FieldByName("Type").Int() {
		case schema.HasManyRelation, schema.ManyToManyRelation:
			return relation.Elem().FieldByName("Field").Elem().FieldByName("GoName").String(), nil
		}
		if name, err := toManyOf(inner); name != "" || err != nil {
			return name, err
		}
	}
	return "", nil
}
