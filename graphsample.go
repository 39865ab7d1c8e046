package cacheme

import (
	"reflect"
	"slices"
	"time"
)

// samples asks a node's methods, for the examples and, where it has none of its own, for the zero value and two made-up ones.
func (p *nodePlan) samples(examples []any) (declared, results [][]Invalid) {
	nodes := slices.Concat(p.examples, examples)
	if p.examples == nil {
		nodes = append(nodes, madeUp(p.typ, 0), madeUp(p.typ, 1), madeUp(p.typ, 2))
	}
	value := p.carrier.valueType()
	for i, node := range nodes {
		if p.invalidNodes != nil {
			if named, ok := tried(func() []Invalid { return p.invalidNodes(node) }); ok {
				declared = append(declared, named)
			}
		}
		if p.resultInvalidNodes != nil {
			if named, ok := tried(func() []Invalid { return p.resultInvalidNodes(node, madeUp(value, 1+i%2)) }); ok {
				results = append(results, named)
			}
		}
	}
	return declared, results
}

// tried is not ok where f panics: it may not be made for what is made up.
func tried(f func() []Invalid) (named []Invalid, ok bool) {
	defer func() {
		if recover() != nil {
			named, ok = nil, false
		}
	}()
	return f(), true
}

// madeUp is a value of a type: the zero value, or for another number one with something in every field.
func madeUp(t reflect.Type, n int) any {
	v := reflect.New(t).Elem()
	if n != 0 {
		fillIn(v, n, 0)
	}
	return v.Interface()
}

// deepest is how deep made-up values go: types may contain themselves.
const deepest = 6

func fillIn(v reflect.Value, n, depth int) {
	if depth > deepest || !v.CanSet() {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(n))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(uint64(n))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(n))
	case reflect.Complex64, reflect.Complex128:
		v.SetComplex(complex(float64(n), 0))
	case reflect.String:
		v.SetString(string(rune('a' + n - 1)))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillIn(v.Elem(), n, depth+1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fillIn(v.Index(0), n, depth+1)
	case reflect.Array:
		for i := range v.Len() {
			fillIn(v.Index(i), n, depth+1)
		}
	case reflect.Map:
		key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fillIn(key, n, depth+1)
		fillIn(elem, n, depth+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, elem)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2000, 1, n, 0, 0, 0, 0, time.UTC)))
			return
		}
		for _, field := range v.Fields() {
			fillIn(field, n, depth+1)
		}
	default: // interfaces, funcs and channels stay nil
	}
}
