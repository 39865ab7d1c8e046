package cacheme

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"

	"github.com/cacheme/cacheme/internal/keytmpl"
)

// fieldPlan is one key field of a declaration: where it is, and how its value is rendered.
type fieldPlan struct {
	goName string
	name   string // in the template
	index  int
	typ    reflect.Type // without the pointer
	ptr    bool
	open   bool // a side of an m2m node: zero renders as all
	render func(dst []byte, v reflect.Value) ([]byte, error)
}

// append renders the field of a declaration. Only field reads are left of reflection here: types were looked at when
// the declaration was registered.
func (f *fieldPlan) append(dst []byte, declaration reflect.Value) ([]byte, error) {
	v := declaration.Field(f.index)
	if f.ptr {
		if v.IsNil() {
			if f.open {
				return keytmpl.AppendAll(dst), nil
			}
			return keytmpl.AppendNil(dst), nil
		}
		return f.render(dst, v.Elem())
	}
	if f.open && v.IsZero() {
		return keytmpl.AppendAll(dst), nil
	}
	return f.render(dst, v)
}

// isOpen reports whether the field, a side of an m2m node, is left open.
func (f *fieldPlan) isOpen(declaration reflect.Value) bool {
	v := declaration.Field(f.index)
	if f.ptr {
		return v.IsNil()
	}
	return v.IsZero()
}

const tagKey = "cacheme"

// isOurs reports whether a type is one that declarations embed.
func isOurs(t reflect.Type) bool { return t.PkgPath() == reflect.TypeFor[InvalidNode]().PkgPath() }

// parseFields finds the key fields of a declaration's struct type.
func parseFields(t reflect.Type, open bool, wrong func(field, reason string)) []fieldPlan {
	var fields []fieldPlan
	names := map[string]string{}
	for i := range t.NumField() {
		sf := t.Field(i)
		tag, tagged := sf.Tag.Lookup(tagKey)
		if sf.Anonymous && !isOurs(sf.Type) && (sf.Type.Kind() != reflect.Struct || sf.Type.NumField() > 0) {
			wrong(sf.Name, "is embedded, and what it holds would be no part of the key; write its fields out, each tagged `cacheme:\"field\"`")
			continue
		}
		if !tagged {
			if !sf.Anonymous && sf.IsExported() {
				wrong(sf.Name, "is not a key field; write `cacheme:\"field\"` behind it, or make it unexported if it is not part of the key")
			}
			continue
		}
		name, reason := parseTag(tag, sf.Name)
		switch {
		case reason != "":
			wrong(sf.Name, reason)
			continue
		case !sf.IsExported():
			wrong(sf.Name, "is tagged as a key field but not exported; begin its name with a capital")
			continue
		case names[name] != "":
			wrong(sf.Name, fmt.Sprintf("has the same name in the key as %s: %q; write `cacheme:\"field,name=other\"`", names[name], name))
			continue
		}
		names[name] = sf.Name
		f := fieldPlan{goName: sf.Name, name: name, index: i, typ: sf.Type, open: open}
		if f.typ.Kind() == reflect.Pointer {
			f.typ, f.ptr = f.typ.Elem(), true
		}
		if f.render = rendererOf(f.typ); f.render == nil {
			wrong(sf.Name, fmt.Sprintf("has type %v, which cannot be part of a key; use an integer, string, bool, time.Time, [16]byte, an encoding.TextMarshaler, or a pointer to one of them", sf.Type))
			continue
		}
		fields = append(fields, f)
	}
	return fields
}

// parseTag reads `cacheme:"field"` and `cacheme:"field,name=owner"`.
func parseTag(tag, goName string) (name, reason string) {
	words := strings.Split(tag, ",")
	if words[0] != "field" {
		return "", fmt.Sprintf("has the unknown tag word %q; write `cacheme:\"field\"`", words[0])
	}
	name = snake(goName)
	for _, word := range words[1:] {
		value, ok := strings.CutPrefix(word, "name=")
		if !ok {
			return "", fmt.Sprintf("has the unknown tag word %q; only name=... may follow field", word)
		}
		if t, err := keytmpl.Parse("<" + value + ">"); err != nil || len(t.Holes()) != 1 {
			return "", fmt.Sprintf("has the name %q, which cannot stand in a template; use letters, digits and '_'", value)
		}
		name = value
	}
	return name, ""
}

// snake turns a Go name into the name it has in a key: User to user, UserID to user_id.
func snake(goName string) string {
	runes := []rune(goName)
	var b strings.Builder
	for i, r := range runes {
		startsWord := i > 0 && unicode.IsUpper(r) &&
			(!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if startsWord && runes[i-1] != '_' {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

var (
	timeType          = reflect.TypeFor[time.Time]()
	textMarshalerType = reflect.TypeFor[encoding.TextMarshaler]()
)

// rendererOf returns how values of type t are rendered, or nil. A type that says itself how it looks as text comes
// before its kind, but for [16]byte, which all UUID packages print alike.
func rendererOf(t reflect.Type) func(dst []byte, v reflect.Value) ([]byte, error) {
	switch {
	case t == timeType:
		return func(dst []byte, v reflect.Value) ([]byte, error) {
			return keytmpl.AppendTime(dst, v.Interface().(time.Time)), nil
		}
	case t.Kind() == reflect.Array && t.Len() == 16 && t.Elem().Kind() == reflect.Uint8:
		return func(dst []byte, v reflect.Value) ([]byte, error) {
			var id [16]byte
			reflect.Copy(reflect.ValueOf(id[:]), v)
			return keytmpl.AppendUUID(dst, id), nil
		}
	case t.Implements(textMarshalerType):
		return func(dst []byte, v reflect.Value) ([]byte, error) {
			text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
			return keytmpl.AppendString(dst, string(text)), err
		}
	case reflect.PointerTo(t).Implements(textMarshalerType):
		return func(dst []byte, v reflect.Value) ([]byte, error) {
			p := reflect.New(v.Type())
			p.Elem().Set(v)
			text, err := p.Interface().(encoding.TextMarshaler).MarshalText()
			return keytmpl.AppendString(dst, string(text)), err
		}
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(dst []byte, v reflect.Value) ([]byte, error) { return keytmpl.AppendInt(dst, v.Int()), nil }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return func(dst []byte, v reflect.Value) ([]byte, error) { return keytmpl.AppendUint(dst, v.Uint()), nil }
	case reflect.String:
		return func(dst []byte, v reflect.Value) ([]byte, error) { return keytmpl.AppendString(dst, v.String()), nil }
	case reflect.Bool:
		return func(dst []byte, v reflect.Value) ([]byte, error) { return keytmpl.AppendBool(dst, v.Bool()), nil }
	default:
		return nil
	}
}
