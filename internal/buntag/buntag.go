// Package buntag reads what a bun model declares in its struct tags (table, columns,
// primary key, relations) without importing bun.
//
// Declaring a cache must not pull in an ORM, yet keys and invalidations are named after
// models: "book:<id>" needs the model's name and its primary key, a node on the relation
// Author needs the foreign key behind it. Parse answers these from the type alone, by the
// rules of bun v1.3. Whoever has a bun.DB at hand should still compare the answer with
// db.Table: two things cannot be seen from a type.
//
//   - bun.SetTableNameInflector changes the table names of models that name none; Parse
//     assumes bun's own rule, the English plural.
//   - bun's reading of types that embed each other through a relation can depend on which
//     of them it meets first, and then misses columns; Parse always gives all of them.
package buntag

import (
	"errors"
	"fmt"
	"reflect"
)

// Model is what a struct type declares. It is read-only once Parse has returned it, and so
// safe for concurrent use.
type Model struct {
	// Type is the struct type, never a pointer.
	Type reflect.Type
	// Name is the model's name in keys: the type's name in snake case ("book_chapter"), or
	// that of the embedded struct that the model inherits from.
	Name string
	// Schema is the table's schema, "" unless the tag names one ("table:shop.books").
	Schema string
	// Table is the table's name without the schema.
	Table string
	// Fields are the columns that bun writes, in the order of the struct, with those of
	// embedded structs in their place. Columns that are only scanned are not among them.
	Fields []Field
	// PKs are the fields tagged pk, in the order of the struct. There is no default: a model
	// without the tag has none, whatever its fields are called.
	PKs []Field
	// Relations are in the order of the struct.
	Relations []Relation
	// SoftDelete tells that a column is tagged soft_delete.
	SoftDelete bool

	columns map[string]Field
	goNames map[string]Field
}

// Parse reads the declaration of the struct type t, or of the struct that t points to.
//
// The error joins one error for each problem: t is no struct, has no name, or a tag says
// what bun would refuse. Each names the type, the field and what to write instead. Options
// that bun does not know are ignored, as bun does. The columns behind has-one, has-many and
// m2m relations are not looked up.
func Parse(t reflect.Type) (*Model, error) {
	if t == nil {
		return nil, errors.New("a nil interface is no model; write (*Book)(nil)")
	}
	typ := indirect(t)
	if typ.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s is no struct; write (*Book)(nil) where Book is the model's struct type", t)
	}

	r := &reader{layouts: make(map[reflect.Type]*layout)}
	l := r.layout(typ)
	m := &Model{
		Type:    typ,
		Name:    l.name,
		Schema:  l.schema,
		Table:   l.table,
		columns: make(map[string]Field, len(l.columns)),
	}
	if m.Name == "" {
		r.refusef(typ, "", "a struct type without a name cannot name its keys; declare it as type Book struct{...}")
	}
	for _, c := range l.members {
		if c.isRelation() {
			if rel, ok := r.relation(l, c); ok {
				m.addRelation(r, rel)
			}
			continue
		}
		if c.ScanOnly {
			continue
		}
		m.Fields = append(m.Fields, c.Field)
		if c.PK {
			m.PKs = append(m.PKs, c.Field)
		}
		if c.tag.has("soft_delete") {
			m.SoftDelete = true
		}
	}
	for name, c := range l.columns {
		m.columns[name] = c.Field
	}
	m.goNames = byGoName(l.members)

	if len(r.problems) > 0 {
		return nil, errors.Join(r.problems...)
	}
	return m, nil
}

func (m *Model) addRelation(r *reader, rel Relation) {
	if _, ok := m.RelationByGo(rel.Go); ok {
		r.refusef(m.Type, rel.Go, "two embedded structs bring a relation of this name; rename one of the fields")
		return
	}
	m.Relations = append(m.Relations, rel)
}

// FieldByColumn returns the field of a column. Fields that are only scanned are found too,
// and a column may be asked for by its alt name.
func (m *Model) FieldByColumn(col string) (Field, bool) {
	f, ok := m.columns[col]
	return f, ok
}

// FieldByGo returns the field of that Go name, be it the model's own or an embedded
// struct's. The least deep one is meant; where two are equally deep, as with one struct
// embedded under two prefixes, neither is: ask for the column then. Relations are not
// fields.
func (m *Model) FieldByGo(name string) (Field, bool) {
	f, ok := m.goNames[name]
	return f, ok
}

// RelationByGo returns the relation declared on the Go field of that name.
func (m *Model) RelationByGo(name string) (Relation, bool) {
	for _, rel := range m.Relations {
		if rel.Go == name {
			return rel, true
		}
	}
	return Relation{}, false
}

// byGoName indexes the columns by Go name. The first of an embedded struct's namesakes
// could be returned instead, as bun does for join tables, but a key bound to the wrong one
// of two columns would go unnoticed.
func byGoName(members []member) map[string]Field {
	found := make(map[string]Field, len(members))
	twice := make(map[string]bool)
	for _, c := range members {
		if c.isRelation() {
			continue
		}
		known, ok := found[c.Go]
		switch {
		case !ok, len(c.Index) < len(known.Index):
			found[c.Go] = c.Field
			twice[c.Go] = false
		case len(c.Index) == len(known.Index):
			twice[c.Go] = true
		}
	}
	for name, ambiguous := range twice {
		if ambiguous {
			delete(found, name)
		}
	}
	return found
}

func indirect(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}
