package cacheme

import (
	"fmt"
	"reflect"

	"github.com/cacheme/cacheme/internal/buntag"
	"github.com/cacheme/cacheme/internal/keytmpl"
)

// invalidPlan is what an invalid node was compiled to.
type invalidPlan struct {
	typ     reflect.Type
	name    string
	kind    kind
	key     template // no Template: it stands for the table alone
	table   string   // of the model; empty without one
	model   *buntag.Model
	m2m     bool
	columns []columnPlan // of the model, one for each field, in the order of the fields
	refill  func(row any) []Declaration
}

// columnPlan says where the value of a field stands in a row of the model.
type columnPlan struct {
	field    fieldPlan
	column   buntag.Field
	value    *columnValue     // of a row that was written; nil: never exact
	relation *buntag.Relation // the field names it; column is its foreign key
}

func (c *compiler) invalid(d Invalid) *invalidPlan {
	meta := d.Meta()
	p := &invalidPlan{typ: c.typ, name: c.name, kind: tagKind, m2m: meta.M2M}
	fields := parseFields(c.typ, meta.M2M, c.wrong)
	if _, ofModel := d.(interface{ ofModel() }); !ofModel {
		if meta.Model != nil || meta.M2M {
			c.wrong("Model", "needs an invalid node that embeds cacheme.ModelInvalidNode instead of cacheme.InvalidNode")
		}
		if meta.Key == "" {
			c.wrong("Meta", "has no Key; write a template such as \"shop:<shop>:prices\"")
			return p
		}
		p.key = c.template(meta.Key, fields)
		return p
	}
	p.kind = rowKind
	if meta.Model == nil {
		c.wrong("Meta", "has no Model; write Model: (*Book)(nil)")
		return p
	}
	if p.model = c.model("Model", meta.Model); p.model == nil {
		return p
	}
	c.refill(p, d)
	p.table = tableName(p.model)
	for _, f := range fields {
		if column, ok := c.column(p.model, f); ok {
			column.value = columnValueOf(f.typ, column.column, p.model.Type)
			p.columns = append(p.columns, column)
		}
	}
	if meta.M2M && len(fields) != 2 {
		c.wrong("M2M", fmt.Sprintf("needs two fields, one for each side of %v, named as its relations; this node has %d", p.model.Type, len(fields)))
	}
	if c.problems != nil {
		return p
	}
	switch key := meta.Key; {
	case key != "":
		p.key = c.template(key, fields)
	case len(fields) > 0:
		p.key = c.template(p.derivedKey(), fields)
	}
	return p
}

// model reads a model that a declaration names in a field.
func (c *compiler) model(field string, model any) *buntag.Model {
	t := reflect.TypeOf(model)
	if t == nil || t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		c.wrong(field, fmt.Sprintf("is a %v; write a nil pointer to the bun model, such as (*Book)(nil)", t))
		return nil
	}
	m, err := buntag.Parse(t.Elem())
	if err != nil {
		c.wrong(field, err.Error())
		return nil
	}
	return m
}

// tableName is how a table is named among the dependencies.
func tableName(m *buntag.Model) string {
	if m.Schema != "" {
		return m.Schema + "." + m.Table
	}
	return m.Table
}

// column finds what a field of the node means in the model: the relation of that Go name, else the bun field, else the
// column.
func (c *compiler) column(m *buntag.Model, f fieldPlan) (columnPlan, bool) {
	if r, ok := m.RelationByGo(f.goName); ok && r.Kind == buntag.BelongsTo {
		if len(r.Columns) != 1 {
			c.wrong(f.goName, fmt.Sprintf("names the relation %v.%s, which has %d foreign key columns; name the columns as fields of their own", m.Type, r.Go, len(r.Columns)))
			return columnPlan{}, false
		}
		column, ok := m.FieldByColumn(r.Columns[0])
		return columnPlan{field: f, column: column, relation: &r}, ok
	}
	if column, ok := m.FieldByGo(f.goName); ok {
		return columnPlan{field: f, column: column}, true
	}
	for _, name := range []string{snake(f.goName), f.goName} {
		if column, ok := m.FieldByColumn(name); ok {
			return columnPlan{field: f, column: column}, true
		}
	}
	c.wrong(f.goName, fmt.Sprintf("is neither a relation, a field nor a column of %v; name the field as one of them; `cacheme:\"field,name=...\"` names it otherwise in the key", m.Type))
	return columnPlan{}, false
}

// derivedKey makes the template of a node without Meta.Key: user:<user>:book:<book> for an m2m node, else the model's
// name and its columns, the primary key's name left out: book:<id>, book:author:<author>.
func (p *invalidPlan) derivedKey() string {
	key := ""
	if !p.m2m {
		key = p.model.Name
	}
	for _, c := range p.columns {
		if p.m2m || !c.column.PK {
			key += ":" + c.field.name
		}
		key += ":<" + c.field.name + ">"
	}
	if p.m2m {
		return key[1:]
	}
	return key
}

// appendDependencies adds what an entry depends on that declares this node.
func (p *invalidPlan) appendDependencies(d *dependencies, declaration reflect.Value) error {
	open, err := p.appendKey(d, declaration)
	if err == nil && p.m2m && open == 0 {
		err = p.appendSides(d, sideKind, declaration)
	}
	if p.table != "" {
		d.add(tableKind, p.table)
	}
	if p.isTable(open) {
		d.add(rowsKind, p.table)
	}
	return err
}

// isTable reports whether a declaration with so many open sides stands for the whole table.
func (p *invalidPlan) isTable(open int) bool {
	return p.key.Template == nil || p.m2m && open == 2
}

// appendWritten adds what becomes wrong when this node is invalidated by hand.
func (p *invalidPlan) appendWritten(d *dependencies, declaration reflect.Value) error {
	open, err := p.appendKey(d, declaration)
	switch {
	case err != nil:
		return err
	case p.isTable(open):
		d.add(tableKind, p.table)
		return nil
	case p.m2m && open == 1:
		err = p.appendRendered(d, sideKind, declaration, nil)
	case p.m2m:
		// The pair is a row that came or went: the lists of both sides are wrong too.
		err = p.appendSides(d, rowKind, declaration)
	}
	if p.table != "" {
		d.add(rowsKind, p.table)
	}
	return err
}

// appendKey adds the node's own key, unless it stands for the table, and tells how many sides are open.
func (p *invalidPlan) appendKey(d *dependencies, declaration reflect.Value) (open int, err error) {
	if p.key.Template == nil {
		return 0, nil
	}
	if p.m2m {
		for i := range p.key.fields {
			if p.key.fields[i].isOpen(declaration) {
				open++
			}
		}
		if open == 2 {
			return open, nil
		}
	}
	return open, p.appendRendered(d, p.kind, declaration, nil)
}

// appendSides adds the key of a pair twice, each time with one side left open.
func (p *invalidPlan) appendSides(d *dependencies, k kind, declaration reflect.Value) error {
	for i := range p.key.fields {
		if err := p.appendRendered(d, k, declaration, func(field int) bool { return field != i }); err != nil {
			return err
		}
	}
	return nil
}

// appendRendered adds the node's key. leaveOpen tells which fields to leave open, besides those that are.
func (p *invalidPlan) appendRendered(d *dependencies, k kind, declaration reflect.Value, leaveOpen func(field int) bool) error {
	d.begin(k)
	b, err := render(d.buf, p.key.literals, len(p.key.fields), func(dst []byte, i int) ([]byte, error) {
		if leaveOpen != nil && leaveOpen(i) {
			return keytmpl.AppendAll(dst), nil
		}
		b, err := p.key.fields[i].append(dst, declaration)
		if err != nil {
			return nil, &UsageError{Node: p.name, Field: p.key.fields[i].goName, Reason: "has a value that does not become text: " + err.Error()}
		}
		return b, nil
	})
	if err != nil {
		return err
	}
	d.buf = b
	d.end()
	return nil
}

// fromText is the invalid node with its fields as text.
func (p *invalidPlan) fromText(fields map[string]string) (Invalid, error) {
	n := &columnsNode{plan: p, value: reflect.New(p.typ).Elem()}
	if p.key.Template == nil {
		return n, onlyOf(p.name, nil, fields)
	}
	if err := onlyOf(p.name, p.key.Holes(), fields); err != nil {
		return nil, err
	}
	for i := range p.key.fields {
		f := &p.key.fields[i]
		text, given := fields[f.name]
		switch {
		case !given && f.open:
		case !given:
			return nil, &UsageError{Node: p.name, Field: f.name, Reason: "is missing; the key is " + p.key.String()}
		case !f.assignText(n.value, text):
			return nil, &UsageError{Node: p.name, Field: f.name, Reason: fmt.Sprintf("is a %v, which this text is none of", f.typ)}
		case f.open && f.isOpen(n.value):
			return nil, &UsageError{Node: p.name, Field: f.name, Reason: "is zero, which stands for any; leave it out if that is meant"}
		}
	}
	return n, nil
}
