package cacheme

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/cacheme/cacheme/internal/buntag"
)

// Columns is an invalid node on columns of a bun model that is made on the fly, as Memo makes nodes: for code that knows
// models only when it runs. What its Of returns is wrong when a row is written that has, or had, those values; without
// columns, when any row is.
//
// Every process that writes the table has to have declared the same columns, as it has to have registered the same
// invalid nodes: a writer makes wrong what it knows of.
type Columns struct{ plan *invalidPlan }

// columnsKey tells them apart: the same columns of the same model are the same node.
type columnsKey struct {
	model   reflect.Type
	columns string
}

// Columns declares an invalid node on columns of model, a nil pointer such as (*Book)(nil). They are named as the database
// does, and their order counts. A second declaration of the same is the first one. What is wrong is told as *DeclarationError, joined: a
// column that the model does not have, or one whose values cannot be part of a key or differ between Go and databases,
// such as times and floats.
func (c *Cache) Columns(model any, columns ...string) (*Columns, error) {
	name := fmt.Sprintf("Columns(%T, %q)", model, columns)
	var declared *Columns
	err := c.register(func(next *plans) []error {
		k := compiler{options: &c.options, name: name}
		m := k.model("Model", model)
		if m == nil {
			return k.problems
		}
		key := columnsKey{m.Type, strings.Join(columns, ",")}
		plan := next.columns[key]
		if plan == nil {
			if plan = k.columns(m, columns); k.problems != nil {
				return k.problems
			}
			next.columns[key] = plan
		}
		declared = &Columns{plan}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return declared, nil
}

// columns makes the plan that a struct with these columns as its fields would have.
func (c *compiler) columns(m *buntag.Model, columns []string) *invalidPlan {
	p := &invalidPlan{name: c.name, kind: columnsKind, table: tableName(m), model: m}
	var key strings.Builder
	key.WriteString(p.table)
	var shape []reflect.StructField
	for i, column := range columns {
		f, ok := m.FieldByColumn(column)
		if !ok || slices.Contains(columns[:i], column) {
			c.wrong(column, fmt.Sprintf("is no column of %v, or is there twice; name each column once, as the database does", m.Type))
			continue
		}
		typ := f.Type
		if typ.PkgPath() == "database/sql" && typ.Kind() == reflect.Struct {
			typ = reflect.PointerTo(typ.Field(0).Type) // NULL is no value of what it wraps
		}
		hole := fmt.Sprintf("c%d", i)
		shape = append(shape, reflect.StructField{Name: fmt.Sprintf("C%d", i), Type: typ, Tag: reflect.StructTag(fmt.Sprintf("%s:\"field,name=%s\"", tagKey, hole))})
		key.WriteString(":" + column + ":<" + hole + ">")
	}
	if c.problems != nil {
		return nil
	}
	p.typ = reflect.StructOf(shape)
	fields := parseFields(p.typ, false, func(field, reason string) {
		c.wrong(columns[slices.IndexFunc(shape, func(f reflect.StructField) bool { return f.Name == field })], reason)
	})
	if c.problems != nil {
		return nil
	}
	for i, f := range fields {
		f.goName = columns[i]
		column, _ := m.FieldByColumn(columns[i])
		value := columnValueOf(f.typ, column, m.Type)
		if value == nil {
			c.wrong(columns[i], fmt.Sprintf("has type %v in %v, whose values in the database are not exactly those in Go; leave it out, and depend on the table", column.Type, m.Type))
			continue
		}
		fields[i] = f
		p.columns = append(p.columns, columnPlan{field: f, column: column, value: value})
	}
	if len(columns) > 0 && c.problems == nil {
		p.key = c.template(key.String(), fields)
	}
	return p
}

// Of names the rows that have these values in the columns, in their order: what the column's Go type is made from, as Of
// has it for ids, and nil for NULL. A value that does not become the column's type is a *UsageError.
func (k *Columns) Of(values ...any) (Invalid, error) {
	filled, err := k.fill(values)
	if err != nil {
		return nil, err
	}
	return &columnsNode{plan: k.plan, value: filled}, nil
}

// Values are the values that Of would take for these, each of the type that the model has for its column, without
// pointers; nil for NULL. Values that mean the same come out equal. Errors are those of Of.
func (k *Columns) Values(values ...any) ([]any, error) {
	filled, err := k.fill(values)
	if err != nil {
		return nil, err
	}
	same := make([]any, len(values))
	for i, c := range k.plan.columns {
		if v := reflect.Indirect(filled.Field(c.field.index)); v.IsValid() {
			same[i] = v.Interface()
		}
	}
	return same, nil
}

// fill makes a struct of the values.
func (k *Columns) fill(values []any) (reflect.Value, error) {
	p := k.plan
	filled := reflect.New(p.typ).Elem()
	if len(values) != len(p.columns) {
		return filled, &UsageError{Node: p.name, Reason: fmt.Sprintf("got %d values for %d columns; give each its value", len(values), len(p.columns))}
	}
	for i, v := range values {
		f := p.columns[i].field
		wrong := func(reason string) error { return &UsageError{Node: p.name, Field: f.goName, Reason: reason} }
		source := reflect.ValueOf(v)
		for source.Kind() == reflect.Pointer && !source.IsNil() {
			source = source.Elem()
		}
		switch {
		case source.IsValid() && source.Kind() != reflect.Pointer:
			if err := assign(filled.Field(f.index), source); err != nil {
				return filled, wrong(err.Error())
			}
		case !f.ptr:
			return filled, wrong(fmt.Sprintf("is nil, and the model has a %v, for which NULL is the zero value; give it that", f.typ))
		}
	}
	return filled, nil
}

// columnsNode is what Columns.Of returns, and Console.Invalid: filled in where there is no Go type to fill in by hand. It is a
// pointer, so that comparing two Invalids never panics.
type columnsNode struct {
	InvalidNode
	plan  *invalidPlan
	value reflect.Value
}

func (*columnsNode) Meta() Meta { return Meta{} }

// isOf reports whether the node was declared with the cache of these plans.
func (n *columnsNode) isOf(table *plans) bool {
	return table.known[n.plan]
}
