package cacheme

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/cacheme/cacheme/internal/buntag"
)

// Of makes an invalid node from what identifies it: a row of its model, a pointer to one, a row at the other end of one
// of its relations (a User for the side User of an m2m node), or, where the node has one field, the bare id: integers,
// their decimal text, UUIDs, and whatever the field's type converts from all give the same key. A row that is not saved
// yet, whose id is zero, is an error.
//
//	err := cacheme.Invalidate(ctx, cacheme.MustOf[BookChanged](book))
func Of[N Invalid](from any) (N, error) {
	var n N
	t := reflect.TypeFor[N]()
	wrong := func(field, reason string) (N, error) {
		var none N
		return none, &UsageError{Node: t.String(), Field: field, Reason: reason}
	}
	plan, err := planOf(t, n)
	if err != nil {
		return n, err
	}
	source := reflect.ValueOf(from)
	for source.Kind() == reflect.Pointer && !source.IsNil() {
		source = source.Elem()
	}
	if !source.IsValid() || source.Kind() == reflect.Pointer {
		return wrong("", "is asked from nil; give it a row or an id")
	}
	target := reflect.ValueOf(&n).Elem()
	columns, fromRow := plan.columnsIn(source.Type())
	if columns == nil {
		if len(plan.columns) != 1 {
			return wrong("", fmt.Sprintf("cannot be made from %v; give it a %v, or fill in its fields", source.Type(), plan.model.Type))
		}
		c := plan.columns[0]
		if err := assign(target.Field(c.field.index), source); err != nil {
			return wrong(c.field.goName, err.Error())
		}
		if f := target.Field(c.field.index); c.column.PK && f.IsZero() {
			return wrong(c.field.goName, "is zero: there is no such row")
		}
		return n, nil
	}
	for _, c := range columns {
		v, ok := c.column.Value(source)
		if ok && v.Kind() == reflect.Pointer && !v.IsNil() {
			v = v.Elem()
		}
		if identifies := c.column.PK || plan.m2m || !fromRow; identifies && (!ok || v.IsZero()) {
			return wrong(c.field.goName, fmt.Sprintf("is zero in this %v: save the row first", source.Type()))
		}
		if !ok {
			continue
		}
		if v.Kind() == reflect.Pointer && v.IsNil() {
			return wrong(c.field.goName, fmt.Sprintf("is nil in this %v, so there is nothing that it makes wrong; leave it out", source.Type()))
		}
		if err := assign(target.Field(c.field.index), v); err != nil {
			return wrong(c.field.goName, err.Error())
		}
	}
	return n, nil
}

// MustOf is Of for rows that are known to be saved: it panics with what Of would return.
func MustOf[N Invalid](from any) N {
	n, err := Of[N](from)
	if err != nil {
		panic(err)
	}
	return n
}

// planOf takes the plan from the default cache, or makes it.
func planOf(t reflect.Type, n Invalid) (*invalidPlan, error) {
	if c := DefaultCache(); c != nil {
		if p, ok := c.registry.table.Load().invalids[t]; ok && p.model != nil {
			return p, nil
		}
	}
	if t.Kind() != reflect.Struct {
		return nil, &UsageError{Node: t.String(), Reason: "is no struct that embeds cacheme.ModelInvalidNode; name one"}
	}
	c := compiler{options: &Options{}, name: t.String(), typ: t}
	p := c.invalid(n)
	if c.problems == nil && p.model == nil {
		c.wrong("", "has no model; fill in its fields instead")
	}
	return p, errors.Join(c.problems...)
}

// columnsIn says which columns of a row of type t fill which fields: all of them in a row of the model, one in a row at
// the other end of a relation.
func (p *invalidPlan) columnsIn(t reflect.Type) (columns []columnPlan, fromRow bool) {
	if t == p.model.Type {
		return p.columns, true
	}
	for _, c := range p.columns {
		if c.relation == nil || c.relation.Type != t {
			continue
		}
		other, err := buntag.Parse(t)
		if err != nil {
			continue
		}
		if key, ok := other.FieldByColumn(c.relation.Join[0]); ok {
			columns = append(columns, columnPlan{field: c.field, column: key})
		}
	}
	if len(columns) != 1 {
		return nil, false // a self-referential relation has two such sides: nobody can say which is meant
	}
	return columns, false
}

// assign sets a key field from a value that means the same, whatever its Go type.
func assign(field, v reflect.Value) error {
	if field.Kind() == reflect.Pointer {
		p := reflect.New(field.Type().Elem())
		if err := assign(p.Elem(), v); err != nil {
			return err
		}
		field.Set(p)
		return nil
	}
	switch {
	case v.Type().AssignableTo(field.Type()):
		field.Set(v)
	case field.CanInt() && v.CanInt() && !field.OverflowInt(v.Int()):
		field.SetInt(v.Int())
	case field.CanInt() && v.CanUint() && v.Uint() < 1<<63 && !field.OverflowInt(int64(v.Uint())):
		field.SetInt(int64(v.Uint()))
	case field.CanUint() && v.CanUint() && !field.OverflowUint(v.Uint()):
		field.SetUint(v.Uint())
	case field.CanUint() && v.CanInt() && v.Int() >= 0 && !field.OverflowUint(uint64(v.Int())):
		field.SetUint(uint64(v.Int()))
	case v.Kind() == reflect.String && field.CanInt():
		n, err := strconv.ParseInt(v.String(), 10, field.Type().Bits())
		if err != nil {
			return fmt.Errorf("is an integer, and %q is none", v.String())
		}
		field.SetInt(n)
	case v.Kind() == reflect.String && field.CanUint():
		n, err := strconv.ParseUint(v.String(), 10, field.Type().Bits())
		if err != nil {
			return fmt.Errorf("is an unsigned integer, and %q is none", v.String())
		}
		field.SetUint(n)
	case v.Kind() == field.Kind() && v.CanConvert(field.Type()):
		field.Set(v.Convert(field.Type()))
	default:
		return unmarshalInto(field, v)
	}
	return nil
}

// unmarshalInto fills a field from text, such as a UUID's.
func unmarshalInto(field, v reflect.Value) error {
	type unmarshaler interface{ UnmarshalText([]byte) error }
	if u, ok := reflect.TypeAssert[unmarshaler](field.Addr()); ok && v.Kind() == reflect.String {
		return u.UnmarshalText([]byte(v.String()))
	}
	if v.CanInt() || v.CanUint() {
		return fmt.Errorf("has type %v, which does not hold %v", field.Type(), v)
	}
	return fmt.Errorf("has type %v, and %v does not become one", field.Type(), v.Type())
}
