// Package difference finds where two values of one type differ first, and says so without saying what they are.
package difference

import (
	"fmt"
	"math"
	"math/cmplx"
	"reflect"
	"time"
)

// First returns where a and b differ first and how, in words: "[3].Title differs (string)". Empty: they mean the same.
//
// It asks for the meaning. NaN is NaN, a time is an instant whatever its zone, nil and empty slices and maps are the same, and a
// type with a method Equal(T) bool is believed. Functions, channels and the values behind map keys that are pointers are not
// compared. The words hold names of types and fields and indexes of slices, and nothing else of the values: no map keys either.
func First(a, b any) string {
	c := comparison{seen: map[visit]bool{}}
	return c.values("", reflect.ValueOf(a), reflect.ValueOf(b))
}

// comparison knows which pointers it is inside of, so that a value that contains itself ends.
type comparison struct{ seen map[visit]bool }

type visit struct {
	a, b uintptr
	typ  reflect.Type
}

func (c comparison) values(path string, a, b reflect.Value) string {
	if !a.IsValid() || !b.IsValid() {
		if a.IsValid() != b.IsValid() {
			return words(path, "is nil in one of them")
		}
		return ""
	}
	if a.Type() != b.Type() {
		return words(path, fmt.Sprintf("is of two types (%v and %v)", a.Type(), b.Type()))
	}
	if same, told := byMethod(a, b); told {
		return unless(same, path, a.Type())
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		return c.behind(path, a, b)
	case reflect.Struct:
		for i := range a.NumField() {
			if what := c.values(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i)); what != "" {
				return what
			}
		}
		return ""
	case reflect.Slice, reflect.Array:
		return c.lists(path, a, b)
	case reflect.Map:
		return c.maps(path, a, b)
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return ""
	case reflect.Float32, reflect.Float64:
		x, y := a.Float(), b.Float()
		return unless(sameFloat(x, y), path, a.Type())
	case reflect.Complex64, reflect.Complex128:
		x, y := a.Complex(), b.Complex()
		return unless(sameFloat(real(x), real(y)) && sameFloat(imag(x), imag(y)), path, a.Type())
	default: // integers, strings, bools
		return unless(a.Equal(b), path, a.Type())
	}
}

func sameFloat(x, y float64) bool { return x == y || x != x && y != y }

// behind compares what two pointers or interfaces hold.
func (c comparison) behind(path string, a, b reflect.Value) string {
	if a.IsNil() || b.IsNil() {
		if a.IsNil() != b.IsNil() {
			return words(path, "is nil in one of them")
		}
		return ""
	}
	if a.Kind() == reflect.Pointer {
		v := visit{a.Pointer(), b.Pointer(), a.Type()}
		if v.a == v.b || c.seen[v] {
			return ""
		}
		c.seen[v] = true
	}
	return c.values(path, a.Elem(), b.Elem())
}

func (c comparison) lists(path string, a, b reflect.Value) string {
	if a.Kind() == reflect.Slice && a.Len() > 0 {
		v := visit{a.Pointer(), b.Pointer(), a.Type()}
		if a.Len() == b.Len() && (v.a == v.b || c.seen[v]) {
			return ""
		}
		c.seen[v] = true
	}
	for i := range min(a.Len(), b.Len()) {
		if what := c.values(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i)); what != "" {
			return what
		}
	}
	if a.Len() != b.Len() {
		return words(path, fmt.Sprintf("has another length (%v)", a.Type()))
	}
	return ""
}

func (c comparison) maps(path string, a, b reflect.Value) string {
	if a.Len() != b.Len() {
		return words(path, fmt.Sprintf("has another length (%v)", a.Type()))
	}
	if a.Len() > 0 {
		v := visit{a.Pointer(), b.Pointer(), a.Type()}
		if v.a == v.b || c.seen[v] {
			return ""
		}
		c.seen[v] = true
	}
	for _, key := range a.MapKeys() {
		other := b.MapIndex(key)
		switch {
		case other.IsValid():
			if what := c.values(path+"[…]", a.MapIndex(key), other); what != "" {
				return what
			}
		case findable(key):
			return words(path, fmt.Sprintf("has another key (%v)", a.Type()))
		}
	}
	return ""
}

// findable reports whether an equal key is found in another map: NaN is not, nor what is compared by its address.
func findable(key reflect.Value) bool {
	switch key.Kind() {
	case reflect.Pointer, reflect.Chan, reflect.UnsafePointer:
		return false
	case reflect.Complex64, reflect.Complex128:
		return !cmplx.IsNaN(key.Complex())
	case reflect.Interface:
		return !key.IsNil() && findable(key.Elem())
	case reflect.Struct:
		for _, field := range key.Fields() {
			if !findable(field) {
				return false
			}
		}
		return true
	case reflect.Array:
		return key.Len() == 0 || findable(key.Index(0))
	default:
		return !key.CanFloat() || !math.IsNaN(key.Float())
	}
}

// byMethod asks the values themselves, where they can tell.
func byMethod(a, b reflect.Value) (same, told bool) {
	if !a.CanInterface() || a.Kind() == reflect.Interface || a.Kind() == reflect.Pointer && (a.IsNil() || b.IsNil()) {
		return false, false
	}
	if x, ok := reflect.TypeAssert[time.Time](a); ok {
		y, _ := reflect.TypeAssert[time.Time](b)
		return x.Equal(y), true
	}
	m, ok := a.Type().MethodByName("Equal")
	if !ok || m.Type != reflect.FuncOf([]reflect.Type{a.Type(), a.Type()}, []reflect.Type{reflect.TypeFor[bool]()}, false) {
		return false, false
	}
	return m.Func.Call([]reflect.Value{a, b})[0].Bool(), true
}

func unless(same bool, path string, t reflect.Type) string {
	if same {
		return ""
	}
	return words(path, fmt.Sprintf("differs (%v)", t))
}

func words(path, how string) string {
	if path == "" {
		path = "the value"
	}
	return path + " " + how
}
