package codec

import (
	"reflect"
	"time"
)

// plan says how values of one type are written and read, or why they cannot be.
type plan struct {
	typ   reflect.Type
	write func(*writer, reflect.Value) error
	read  func(*reader, reflect.Value) error
	// how is the name of the marshalling method of a foreign type, "time" for a time, else empty.
	how string
	// least is the fewest bytes that a value takes: what a claimed number of values must be backed by. Never zero.
	least int
	// nullable types write null for a value of theirs.
	nullable bool
	// done is set when the plan is complete: a recursive type meets itself before.
	done bool
	// problems are relative to the type: their paths begin with nothing, a dot or a bracket.
	problems []Problem
}

type fieldPlan struct {
	index int
	plan  *plan
}

// maxLeast keeps sums of least from overflowing; it is more than any input has.
const maxLeast = 1 << 29

func headSize(n int) int {
	var w writer
	w.head(majorArray, uint64(n))
	return len(w.buf)
}

// compiler makes the plans of all types that a type reaches. A plan that is being made is in plans already, so that
// a recursive type finds itself; it counts as free of problems until it is complete.
type compiler struct{ plans map[reflect.Type]*plan }

func compile(t reflect.Type) *plan {
	c := compiler{plans: map[reflect.Type]*plan{}}
	p := c.plan(t)
	if len(p.problems) == 0 {
		return p
	}
	// The root's problems are told with the name of the type; the plan itself may be a part of its own parts.
	told := *p
	told.problems = nil
	for _, q := range p.problems {
		told.problems = append(told.problems, Problem{Path: rootName(t) + q.Path, Reason: q.Reason})
	}
	return &told
}

func (c compiler) plan(t reflect.Type) *plan {
	if p, ok := c.plans[t]; ok {
		return p
	}
	p := &plan{typ: t, least: 1}
	c.plans[t] = p
	c.fill(p)
	p.done = true
	return p
}

func (c compiler) fill(p *plan) {
	t := p.typ
	if c.scalar(p) {
		return
	}
	if m := cborPair(); t.Kind() != reflect.Interface && t.Kind() != reflect.Pointer && m.has(t) {
		foreignPlan(p, m)
		return
	}
	c.composite(p)
	if len(p.problems) > 0 && t.Kind() != reflect.Interface && t.Kind() != reflect.Pointer {
		for _, m := range otherPairs() {
			if m.has(t) {
				foreignPlan(p, m)
				return
			}
		}
	}
}

var typeTime = reflect.TypeFor[time.Time]()

// scalar plans what is all there is to it, whatever methods it has.
func (c compiler) scalar(p *plan) bool {
	switch t := p.typ; t.Kind() {
	case reflect.Bool:
		p.write, p.read = writeBool, readBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		p.write, p.read = writeInt, readInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		p.write, p.read = writeUint, readUint
	case reflect.Float32:
		p.write, p.read, p.least = writeFloat32, readFloat32, 5
	case reflect.Float64:
		p.write, p.read, p.least = writeFloat64, readFloat64, 9
	case reflect.Complex64, reflect.Complex128:
		p.write, p.read, p.least = writeComplex, readComplex, 19
	case reflect.String:
		p.write, p.read = writeString, readString
	case reflect.Slice:
		if t.Elem().Kind() != reflect.Uint8 {
			return false
		}
		p.write, p.read, p.nullable = writeByteSlice, readByteSlice, true
	case reflect.Array:
		if t.Elem().Kind() != reflect.Uint8 {
			return false
		}
		p.write, p.read, p.least = writeByteArray, readByteArray, headSize(t.Len())+min(t.Len(), maxLeast/2)
	case reflect.Struct:
		if !t.ConvertibleTo(typeTime) {
			return false
		}
		p.write, p.read, p.how, p.least = writeTime, readTime, "time", 4
	default:
		return false
	}
	return true
}

func (c compiler) composite(p *plan) {
	switch t := p.typ; t.Kind() {
	case reflect.Pointer:
		p.nullable = true
		elem := c.plan(t.Elem())
		p.takeProblems("", elem)
		pointerPlan(p, elem)
	case reflect.Slice:
		p.nullable = true
		elem := c.plan(t.Elem())
		p.takeProblems("", elem)
		slicePlan(p, elem)
	case reflect.Array:
		elem := c.plan(t.Elem())
		p.takeProblems("", elem)
		arrayPlan(p, elem)
	case reflect.Map:
		p.nullable = true
		key, elem := c.plan(t.Key()), c.plan(t.Elem())
		p.takeProblems("[key]", key)
		if reason := keyProblem(t.Key()); reason != "" && len(key.problems) == 0 {
			p.problem("[key]", reason)
		}
		p.takeProblems("", elem)
		mapPlan(p, key, elem)
	case reflect.Struct:
		c.structure(p)
	default:
		p.problem("", kindProblem(t))
	}
}

func (c compiler) structure(p *plan) {
	var fields []fieldPlan
	for i := range p.typ.NumField() {
		f := p.typ.Field(i)
		// What has no size has one value, which needs no bytes: bun.BaseModel, a noCopy. A blank field has none at all.
		if f.Type.Size() == 0 || f.Name == "_" {
			continue
		}
		// The exported fields of an embedded struct can be set even where its own name is not exported.
		if !f.IsExported() && (!f.Anonymous || f.Type.Kind() != reflect.Struct) {
			p.problem("."+f.Name, "is not exported, so it would be lost: export it, or give "+typeName(p.typ)+
				" MarshalBinary and UnmarshalBinary")
			continue
		}
		field := c.plan(f.Type)
		if !f.IsExported() && field.how != "" {
			p.problem("."+f.Name, "is embedded but not exported, so its "+field.how+" cannot be reached: export it")
			continue
		}
		p.takeProblems("."+f.Name, field)
		fields = append(fields, fieldPlan{index: i, plan: field})
	}
	structPlan(p, fields)
}
