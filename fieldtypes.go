package cacheme

import "reflect"

// fieldTypes are the types of key fields that a program without them can have in their place, by name.
var fieldTypes = map[string]reflect.Type{
	"bool": reflect.TypeFor[bool](), "string": reflect.TypeFor[string](),
	"int": reflect.TypeFor[int](), "int8": reflect.TypeFor[int8](), "int16": reflect.TypeFor[int16](), "int32": reflect.TypeFor[int32](), "int64": reflect.TypeFor[int64](),
	"uint": reflect.TypeFor[uint](), "uint8": reflect.TypeFor[uint8](), "uint16": reflect.TypeFor[uint16](), "uint32": reflect.TypeFor[uint32](), "uint64": reflect.TypeFor[uint64](),
}

// typesOf names the types of key fields, for fieldTypes. What says itself how it looks as text is a string there, and so is what a
// Memo's holes take, which nobody knows before.
func typesOf(fields []fieldPlan) (names []string) {
	for _, f := range fields {
		name := "string"
		if f.typ != nil && !saysText(f.typ) {
			name = f.typ.Kind().String()
		}
		if f.ptr {
			name = "*" + name
		}
		names = append(names, name)
	}
	return names
}

// typeNamed is the type that typesOf has named; string for a name that a later version may give.
func typeNamed(name string) reflect.Type {
	of, ptr := name, false
	if of != "" && of[0] == '*' {
		of, ptr = of[1:], true
	}
	t := fieldTypes[of]
	if t == nil {
		t = reflect.TypeFor[string]()
	}
	if ptr {
		t = reflect.PointerTo(t)
	}
	return t
}

// saysText reports whether a type's text in a key is not that of its kind: see rendererOf.
func saysText(t reflect.Type) bool {
	return t == timeType || isUUID(t) || t.Implements(textMarshalerType) || reflect.PointerTo(t).Implements(textMarshalerType)
}
