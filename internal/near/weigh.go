package near

import (
	"reflect"
	"time"
)

// Weigh estimates the memory, in bytes, that a decoded value takes: what it holds and what it points to, each once. What
// belongs to the process anyway, its time zone, is not counted.
func Weigh(value any) uint64 {
	v := reflect.ValueOf(value)
	if !v.IsValid() {
		return 0
	}
	var w weighing
	return uint64(v.Type().Size()) + w.behind(v, 0)
}

// weighing is one Weigh. It remembers what it came by: most values are trees, but all times of one value share a zone,
// and a codec may give children that point to their parents.
type weighing struct{ seen map[uintptr]struct{} }

// again reports whether what a pointer or a map refers to is counted already.
func (w *weighing) again(v reflect.Value) bool {
	at := v.Pointer()
	if _, known := w.seen[at]; known || at == reflect.ValueOf(time.Local).Pointer() {
		return true
	}
	if w.seen == nil {
		w.seen = map[uintptr]struct{}{}
	}
	w.seen[at] = struct{}{}
	return false
}

const (
	// deepest is how far down is looked: no codec nests deeper.
	deepest = 64
	// perPair is what a map takes for a pair besides key and value: its share of the groups, which are half to seven
	// eighths full (Go's Swiss tables).
	perPair = 2
)

// behind is what v points to, without v itself.
func (w *weighing) behind(v reflect.Value, depth int) (bytes uint64) {
	if depth > deepest || flat(v.Type()) {
		return 0
	}
	switch v.Kind() {
	case reflect.String:
		return uint64(v.Len())
	case reflect.Pointer:
		if v.IsNil() || w.again(v) {
			return 0
		}
		return uint64(v.Elem().Type().Size()) + w.behind(v.Elem(), depth+1)
	case reflect.Interface:
		if v.IsNil() {
			return 0
		}
		return uint64(v.Elem().Type().Size()) + w.behind(v.Elem(), depth+1)
	case reflect.Slice:
		return uint64(v.Cap())*uint64(v.Type().Elem().Size()) + w.elements(v, depth)
	case reflect.Array:
		return w.elements(v, depth)
	case reflect.Struct:
		for _, field := range v.Fields() {
			bytes += w.behind(field, depth+1)
		}
		return bytes
	case reflect.Map:
		if v.IsNil() || w.again(v) {
			return 0
		}
		pair := uint64(v.Type().Key().Size()+v.Type().Elem().Size()) * perPair
		for each := v.MapRange(); each.Next(); {
			bytes += pair + w.behind(each.Key(), depth+1) + w.behind(each.Value(), depth+1)
		}
		return bytes
	default:
		return 0
	}
}

func (w *weighing) elements(v reflect.Value, depth int) (bytes uint64) {
	if flat(v.Type().Elem()) {
		return 0
	}
	for i := range v.Len() {
		bytes += w.behind(v.Index(i), depth+1)
	}
	return bytes
}

// flat reports whether values of a type surely point to nothing.
func flat(t reflect.Type) bool {
	switch k := t.Kind(); k {
	case reflect.Array:
		return flat(t.Elem())
	default:
		return k >= reflect.Bool && k <= reflect.Complex128
	}
}
