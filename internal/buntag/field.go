package buntag

import "reflect"

// Field is a column of a model.
type Field struct {
	// Go is the struct field's name; of an embedded struct's field, its name there.
	Go string
	// Column is the column's name, unquoted.
	Column string
	// Index is the path to the struct field from the model's struct.
	Index []int
	// Type is the struct field's type as written, a pointer included.
	Type reflect.Type
	// PK tells that the column is part of the primary key.
	PK bool
	// ScanOnly tells that bun reads the column but never writes it; it need not exist in the
	// table. Such a field is found by name only, it is not among Model.Fields.
	ScanOnly bool
}

// Value returns the field of v, a struct of the model's type or a pointer to one. It is
// false when a nil pointer is on the way to the field, which then has no value; a field that
// itself is a nil pointer is a value. Nothing is allocated into v.
func (f Field) Value(v reflect.Value) (reflect.Value, bool) {
	for _, i := range f.Index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return reflect.Value{}, false
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v, true
}
