package codec

import (
	"fmt"
	"hash/fnv"
	"io"
	"reflect"
)

// form is the version of the stored form. It is raised when the same type is written in another way.
const form = 1

// Fingerprint is a hash of the shape of t: kinds, names of types with their package paths, names and order of fields,
// and which marshalling methods are used, for all that t reaches. Types with different fingerprints must not read each
// other's bytes. It is the same in every process and does not change with tags, methods that play no part in storing,
// or what is inside of types that write themselves.
func Fingerprint(t reflect.Type) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "cacheme codec %d\n", form)
	if t != nil {
		c := compiler{plans: map[reflect.Type]*plan{}}
		c.plan(t)
		f := fingerprinter{out: h, plans: c.plans, seen: map[reflect.Type]int{}}
		f.add(t)
	}
	return h.Sum64()
}

type fingerprinter struct {
	out   io.Writer
	plans map[reflect.Type]*plan
	seen  map[reflect.Type]int
}

// add writes the shape of t: names are quoted and numbers of fields told, so that no two shapes write the same; a type
// that was written before is its number.
func (f *fingerprinter) add(t reflect.Type) {
	if n, ok := f.seen[t]; ok {
		fmt.Fprintf(f.out, "#%d;", n)
		return
	}
	f.seen[t] = len(f.seen)
	name := ""
	if t.Name() != "" {
		name = t.PkgPath() + "." + t.Name()
	}
	fmt.Fprintf(f.out, "%s %q", t.Kind(), name)
	if p, ok := f.plans[t]; ok && p.how != "" {
		fmt.Fprintf(f.out, "!%s;", p.how)
		return
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		f.add(t.Elem())
	case reflect.Array:
		fmt.Fprintf(f.out, "[%d]", t.Len())
		f.add(t.Elem())
	case reflect.Map:
		f.add(t.Key())
		f.add(t.Elem())
	case reflect.Struct:
		fmt.Fprintf(f.out, "{%d:", t.NumField())
		for field := range t.Fields() {
			fmt.Fprintf(f.out, "%q %t ", field.Name, field.Anonymous)
			f.add(field.Type)
		}
	}
	io.WriteString(f.out, ";")
}
