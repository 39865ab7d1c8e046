package buntag

import (
	"fmt"
	"reflect"
	"strings"
)

// Kinds of relations, in the words of the rel option; a relation tagged m2m is of kind m2m.
const (
	BelongsTo  = "belongs-to"
	HasOne     = "has-one"
	HasMany    = "has-many"
	ManyToMany = "m2m"
)

// Relation is a field that stands for rows of another table, or of the same one.
type Relation struct {
	// Go is the struct field's name.
	Go string
	// Kind is one of BelongsTo, HasOne, HasMany, ManyToMany.
	Kind string
	// Type is the related model's struct type, never a pointer or a slice.
	Type reflect.Type
	// Columns are the foreign key columns of this table, Join the columns of the other that
	// they equal, pair by pair. Both are set for BelongsTo only.
	Columns []string
	Join    []string
}

// relation resolves the relation that c declares on l; false if it has been refused.
func (r *reader) relation(l *layout, c member) (Relation, bool) {
	kind, ok := relationKind(c.tag)
	if !ok {
		r.refusef(l.typ, c.Go, "there is no relation rel:%s; write rel:belongs-to, rel:has-one, rel:has-many or m2m:join_table", kind)
		return Relation{}, false
	}
	rel := Relation{Go: c.Go, Kind: kind, Type: indirect(c.Type)}
	switch kind {
	case BelongsTo, HasOne:
		if rel.Type.Kind() != reflect.Struct {
			r.refusef(l.typ, c.Go, "%s needs a struct or a pointer to one, not %s; write *Author", kind, c.Type)
			return Relation{}, false
		}
	default:
		elem, ok := sliceElem(rel.Type)
		if !ok {
			r.refusef(l.typ, c.Go, "%s needs a slice of structs, not %s; write []*Book", kind, c.Type)
			return Relation{}, false
		}
		rel.Type = elem
	}

	if kind == BelongsTo {
		return r.belongsTo(l, c, rel)
	}
	if !l.hasPK() {
		r.refusef(l.typ, c.Go, "%s needs a primary key in %s; add the pk option to its key fields", kind, l.typ)
		return Relation{}, false
	}
	if _, err := joinPairs(c.tag); err != nil {
		r.refusef(l.typ, c.Go, "%v", err)
		return Relation{}, false
	}
	return rel, true
}

// relationKind is false for a rel option that bun does not know. A field tagged both rel and
// m2m is what rel says.
func relationKind(t tag) (string, bool) {
	kind, ok := t.last("rel")
	if !ok {
		return ManyToMany, true
	}
	switch kind {
	case BelongsTo, HasOne, HasMany:
		return kind, true
	}
	return kind, false
}

// belongsTo finds the foreign key: the columns that the join option names, else for each
// primary key column of the other table "author_id" or, failing that, the column of the
// same name.
func (r *reader) belongsTo(l *layout, c member, rel Relation) (Relation, bool) {
	other := r.layout(rel.Type)
	if !other.hasPK() {
		r.refusef(l.typ, c.Go, "%s has no primary key to belong to; add the pk option to its key fields", rel.Type)
		return Relation{}, false
	}
	for _, option := range []string{"on_update", "on_delete"} {
		if len(c.tag.options[option]) > 1 {
			r.refusef(l.typ, c.Go, "%s is given twice; write it once", option)
			return Relation{}, false
		}
	}
	pairs, err := joinPairs(c.tag)
	if err != nil {
		r.refusef(l.typ, c.Go, "%v", err)
		return Relation{}, false
	}

	if !c.tag.has("join") {
		prefix := snake(c.Go) + "_"
		for _, pk := range other.members {
			if !pk.PK {
				continue
			}
			own := prefix + pk.Column
			if _, ok := l.columns[own]; !ok {
				if _, ok := l.columns[pk.Column]; !ok {
					r.refusef(l.typ, c.Go, "%s has no column %s; add the field, or write join:column=%s with the column that holds it",
						l.typ, own, pk.Column)
					return Relation{}, false
				}
				own = pk.Column
			}
			pairs = append(pairs, [2]string{own, pk.Column})
		}
	}
	for _, pair := range pairs {
		own, ok := l.columns[pair[0]]
		if !ok {
			r.refusef(l.typ, c.Go, "%s has no column %s; write join:column=%s with a column of %s", l.typ, pair[0], pair[1], l.typ)
			return Relation{}, false
		}
		joined, ok := other.columns[pair[1]]
		if !ok {
			r.refusef(l.typ, c.Go, "%s has no column %s; write join:%s=column with a column of %s", rel.Type, pair[1], pair[0], rel.Type)
			return Relation{}, false
		}
		rel.Columns = append(rel.Columns, own.Column)
		rel.Join = append(rel.Join, joined.Column)
	}
	return rel, true
}

// joinPairs reads the join option, given once for each pair of columns or, quoted, once for
// all: join:a=b,join:c=d or join:"a=b,c=d". Without the option there are none.
func joinPairs(t tag) ([][2]string, error) {
	items := t.options["join"]
	if len(items) == 1 {
		items = strings.Split(items[0], ",")
	}
	var pairs [][2]string
	for _, item := range items {
		parts := strings.Split(strings.TrimSpace(item), "=")
		if len(parts) != 2 {
			return nil, fmt.Errorf("join %q is no pair of columns; write join:author_id=id", item)
		}
		pairs = append(pairs, [2]string{parts[0], parts[1]})
	}
	return pairs, nil
}

func sliceElem(t reflect.Type) (reflect.Type, bool) {
	if t.Kind() != reflect.Slice {
		return nil, false
	}
	elem := indirect(t.Elem())
	return elem, elem.Kind() == reflect.Struct
}

func (l *layout) hasPK() bool {
	for _, c := range l.members {
		if c.PK {
			return true
		}
	}
	return false
}
