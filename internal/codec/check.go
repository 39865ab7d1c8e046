package codec

import "reflect"

// Problem is a part of a type that would not come back from its bytes as it was.
type Problem struct { //nolint:errname // it is one of a list, and an error by the way
	// Path leads from the type to the part: "Book.Author.Hook". Pointers, slices, arrays and the values of maps are
	// looked through; "[key]" is the key of a map.
	Path string
	// Reason says what is wrong with the part, to be read after its path.
	Reason string
}

// Error is the path and the reason.
func (p Problem) Error() string { return p.Path + " " + p.Reason }

// maxProblems bounds a report: one bad type that is reached in many ways would fill pages.
const maxProblems = 32

// Check reports what in values of t, or reachable from them, would not come back from [CBOR.Marshal] and
// [CBOR.Unmarshal] as it was; nil if all would. Marshal refuses exactly the types that have problems. No more than 32
// are reported.
func Check(t reflect.Type) []Problem {
	if t == nil {
		return []Problem{{Path: "nil", Reason: "is no type"}}
	}
	return compile(t).problems
}

func (p *plan) problem(path, reason string) {
	if len(p.problems) < maxProblems {
		p.problems = append(p.problems, Problem{Path: path, Reason: reason})
	}
}

func (p *plan) takeProblems(path string, of *plan) {
	// A recursive type is a part of itself; what is wrong with it is told once, by the shortest path.
	if !of.done {
		return
	}
	for _, q := range of.problems {
		p.problem(path+q.Path, q.Reason)
	}
}

// rootName is what paths begin with: the first declared type, looking through what paths look through.
func rootName(t reflect.Type) string {
	for of := t; ; of = of.Elem() {
		if of.PkgPath() != "" {
			return of.Name()
		}
		switch of.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		default:
			return t.String()
		}
	}
}

func typeName(t reflect.Type) string {
	if t.Name() != "" {
		return t.Name()
	}
	return "the struct"
}

func kindProblem(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Interface:
		return "is the interface " + t.String() + ", whose values would come back as another type: name the type"
	case reflect.Chan, reflect.Func:
		return "is a " + t.Kind().String() + ", which has no stored form: keep it out of cached values"
	case reflect.Uintptr, reflect.UnsafePointer:
		return "is an address, which means nothing later: keep it out of cached values"
	}
	return "is of kind " + t.Kind().String() + ", which has no stored form"
}

// keyProblem says why a key of type t would not be found again under the key that was stored; empty if it would.
func keyProblem(t reflect.Type) string {
	if t.ConvertibleTo(typeTime) && t.Kind() == reflect.Struct {
		return "is a time.Time, which map keys compare by the address of its location: use its UnixNano"
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.UnsafePointer, reflect.Chan:
		return "has a pointer, which map keys compare by its address: use what it points to"
	case reflect.Interface:
		return kindProblem(t)
	case reflect.Array:
		return keyProblem(t.Elem())
	case reflect.Struct:
		// A unique.Handle is a pointer that is the same for equal values, and so are types made of it, like netip.Addr.
		if t.PkgPath() == "unique" {
			return ""
		}
		for field := range t.Fields() {
			if reason := keyProblem(field.Type); reason != "" {
				return reason
			}
		}
	}
	return ""
}
