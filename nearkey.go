package cacheme

import (
	"reflect"
	"time"
)

// nearness says whether a node is near, and by what its values are found.
type nearness uint8

const (
	notNear    nearness = iota
	nearByNode          // by the node itself: nothing is rendered for a hit
	nearByKey           // by its key: the node points to something, so that equal nodes may mean different things
)

// nearKey is what the near cache finds a value by. node is the node itself, or the Redis key of its entry.
type nearKey struct {
	plan *nodePlan
	node any
}

func nearnessOf(near bool, node reflect.Type) nearness {
	switch {
	case !near:
		return notNear
	case plain(node):
		return nearByNode
	}
	return nearByKey
}

// plain reports whether two values of a type that are equal are so for ever: they are comparable and point to nothing that
// may change.
func plain(t reflect.Type) bool {
	if t == reflect.TypeFor[time.Time]() {
		return true // its zone never changes
	}
	switch k := t.Kind(); k {
	case reflect.Array:
		return plain(t.Elem())
	case reflect.Struct:
		for field := range t.Fields() {
			if !plain(field.Type) {
				return false
			}
		}
		return true
	case reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return false // not a number equals nothing, and would never be found
	default:
		return k >= reflect.Bool && k <= reflect.Uintptr || k == reflect.String
	}
}
