package buntag

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/jinzhu/inflection"
)

// reader holds what one Parse has read so far. It is not kept between calls: which types
// meet half-read ones depends on where the reading began.
type reader struct {
	layouts  map[reflect.Type]*layout
	problems []error
}

// layout is a struct type's table and columns; relations stand in it unresolved, so that
// models may refer to each other in a circle.
type layout struct {
	typ                 reflect.Type
	name, schema, table string
	members             []member
	// columns finds a member by column and by alt name; of two with one name the later counts.
	columns map[string]member
}

// member is a field that stands for a column or a relation.
type member struct {
	Field
	tag tag
}

func (c member) isRelation() bool { return c.tag.has("rel") || c.tag.has("m2m") }

// refuse notes a problem of a type, or of one of its fields.
func (r *reader) refusef(t reflect.Type, field, format string, args ...any) {
	place := t.String()
	if field != "" {
		place += "." + field
	}
	r.problems = append(r.problems, fmt.Errorf("%s: %s", place, fmt.Sprintf(format, args...)))
}

// layout reads a struct type once. A type that embeds itself, by whatever detour, meets its
// own unfinished layout and takes over the columns above that place, as bun does; that ends
// the recursion.
func (r *reader) layout(t reflect.Type) *layout {
	if l, ok := r.layouts[t]; ok {
		return l
	}
	name := snake(t.Name())
	l := &layout{
		typ:     t,
		name:    name,
		table:   inflection.Plural(name),
		columns: make(map[string]member, t.NumField()),
	}
	r.layouts[t] = l

	var inner []embedded
	own := make(map[string]bool, t.NumField())
	for sf := range t.Fields() {
		text := sf.Tag.Get("bun")
		if text == "-" {
			own[sf.Name] = true
			continue
		}
		tag := parseTag(text)
		prefix, isEmbed := tag.last("embed")
		switch {
		case isBaseModel(sf):
			r.nameTable(l, sf, tag)
		case sf.Anonymous:
			if typ := indirect(sf.Type); typ.Kind() == reflect.Struct {
				base := r.layout(typ)
				inner = appendEmbedded(inner, sf, "", base)
				if tag.has("inherit") || tag.has("extend") {
					l.name, l.schema, l.table = base.name, base.schema, base.table
				}
			}
		case !sf.IsExported():
		case isEmbed:
			typ := indirect(sf.Type)
			if typ.Kind() != reflect.Struct {
				r.refusef(t, sf.Name, "embed needs a struct, not %s; remove the embed option", sf.Type)
				continue
			}
			inner = appendEmbedded(inner, sf, prefix, r.layout(typ))
		default:
			c := newMember(sf, tag)
			if c.Column == "" {
				r.refusef(t, sf.Name, "the column has no name; write column:name")
			}
			own[c.Column] = true
			l.add(c)
		}
	}
	l.addEmbedded(inner, own)
	return l
}

// isBaseModel compares by name because the type cannot be named without importing bun.
func isBaseModel(sf reflect.StructField) bool {
	return sf.Anonymous && sf.Name == "BaseModel" &&
		sf.Type.Name() == "BaseModel" && sf.Type.PkgPath() == "github.com/uptrace/bun/schema"
}

// nameTable takes the table's name from the tag of bun.BaseModel.
func (r *reader) nameTable(l *layout, sf reflect.StructField, tag tag) {
	name := tag.name
	if option, ok := tag.last("table"); ok {
		name = option
		if name == "" {
			r.refusef(l.typ, sf.Name, "the table has no name; write table:books or table:shop.books")
		}
	}
	if name == "" {
		return
	}
	l.schema, l.table = "", name
	if parts := strings.Split(name, "."); len(parts) == 2 {
		if parts[0] == "" || parts[1] == "" {
			r.refusef(l.typ, sf.Name, "table %q lacks a schema or a name around its dot; write table:books or table:shop.books", name)
		}
		l.schema, l.table = parts[0], parts[1]
	}
}

func newMember(sf reflect.StructField, tag tag) member {
	column := snake(sf.Name)
	if tag.name != "" {
		column = tag.name
	}
	if name, ok := tag.last("column"); ok {
		column = name
	}
	c := member{
		Field: Field{
			Go:       sf.Name,
			Column:   column,
			Index:    sf.Index,
			Type:     sf.Type,
			ScanOnly: tag.has("scanonly"),
		},
		tag: tag,
	}
	// A column that is never written identifies no row, and a relation is no column.
	c.PK = tag.has("pk") && !c.ScanOnly && !c.isRelation()
	return c
}

func (l *layout) add(c member) {
	l.members = append(l.members, c)
	if c.isRelation() {
		return
	}
	l.columns[c.Column] = c
	if alt, ok := c.tag.last("alt"); ok {
		l.columns[alt] = c
	}
}

// embedded is a member of an embedded struct, already named and indexed from the outer one.
type embedded struct {
	member
	tagged bool
}

func appendEmbedded(inner []embedded, sf reflect.StructField, prefix string, of *layout) []embedded {
	for _, c := range of.members {
		c.Column = prefix + c.Column
		c.Index = slices.Concat(sf.Index, c.Index)
		inner = append(inner, embedded{member: c, tagged: !c.tag.isZero()})
	}
	return inner
}

// addEmbedded adds the members of embedded structs whose column is unambiguous: the outer
// struct's own fields win over them, and among several of one name the only one that has a
// tag does.
func (l *layout) addEmbedded(inner []embedded, own map[string]bool) {
	count := make(map[string]int, len(inner))
	tagged := make(map[string]int, len(inner))
	for _, c := range inner {
		count[c.Column]++
		if c.tagged {
			tagged[c.Column]++
		}
	}
	for _, c := range inner {
		only := count[c.Column] == 1 || c.tagged && tagged[c.Column] == 1
		if only && !own[c.Column] {
			l.add(c.member)
		}
	}
	slices.SortStableFunc(l.members, func(a, b member) int {
		return slices.Compare(a.Index, b.Index)
	})
}
