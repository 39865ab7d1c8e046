package cacheme

import (
	"database/sql"
	"database/sql/driver"
	"encoding"
	"encoding/hex"
	"net"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/cacheme/cacheme/internal/buntag"
)

// columnValue turns what a column holds into the value of a key field, the way it goes for a row that is read: the
// column is scanned into the type that the model has for it, and that is assigned to the field as Of does.
type columnValue struct {
	field    reflect.Type // without the pointer
	stored   reflect.Type // in the model, without the pointer; of the sql.Null types what they wrap
	scans    bool         // stored is a sql.Scanner
	integer  bool         // both are integers, and nothing more
	nilable  bool         // the model's field is nil for NULL
	scanNull bool         // the model's type has its own reading of NULL
}

// columnValueOf is nil where no value of the column can be exact.
func columnValueOf(field reflect.Type, c buntag.Field, model reflect.Type) *columnValue {
	v := &columnValue{field: field, stored: c.Type}
	if v.stored.Kind() == reflect.Pointer {
		v.stored, v.nilable = v.stored.Elem(), true
	}
	v.scanNull = !v.nilable && reflect.PointerTo(v.stored).Implements(scannerType)
	if v.stored.PkgPath() == "database/sql" && v.stored.Kind() == reflect.Struct {
		v.stored, v.scanNull = v.stored.Field(0).Type, false
	}
	v.scans = reflect.PointerTo(v.stored).Implements(scannerType)
	v.integer = !v.scans && isInteger(v.stored) && isInteger(v.field)
	if v.writesItself() || isImprecise(v.field) || isImprecise(v.stored) || isEncoded(model.FieldByIndex(c.Index)) {
		return nil
	}
	return v
}

// writesItself reports whether the database holds something else than the value, of which nothing is known.
func (c *columnValue) writesItself() bool {
	return c.stored.Implements(valuerType) && !c.scans
}

func isInteger(t reflect.Type) bool { return reflect.Int <= t.Kind() && t.Kind() <= reflect.Int64 }

// isImprecise reports whether a database may give back another value of the type than it was given.
func isImprecise(t reflect.Type) bool {
	if t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64 || t.ConvertibleTo(timeType) {
		return true
	}
	if t.Kind() != reflect.Struct {
		return false
	}
	for f := range t.Fields() {
		if f.Anonymous && f.Type == timeType {
			return true
		}
	}
	return false
}

// isEncoded reports whether bun writes something else into the column than the value.
func isEncoded(f reflect.StructField) bool {
	for i, o := range strings.Split(strings.ToLower(f.Tag.Get("bun")), ",") {
		o = strings.TrimSpace(o)
		if strings.HasPrefix(o, "type:json") || i > 0 && (o == "msgpack" || o == "json_use_number") { // the first may be the name
			return true
		}
	}
	return false
}

var (
	scannerType = reflect.TypeFor[sql.Scanner]()
	ipType      = reflect.TypeFor[net.IP]()
)

// set fills a key field. NULL leaves it at its zero value. It is false where the value does not become the field's.
func (c *columnValue) set(field reflect.Value, value any) (null, ok bool) {
	if field.Kind() != reflect.Pointer {
		return c.setPlain(field, value)
	}
	p := reflect.New(c.field)
	if null, ok = c.setPlain(p.Elem(), value); ok && !null {
		field.Set(p)
	}
	return null, ok
}

func (c *columnValue) setPlain(field reflect.Value, value any) (null, ok bool) {
	if n, is := value.(int64); is && c.integer { // by far the most frequent
		field.SetInt(n)
		return false, !c.stored.OverflowInt(n) && !c.field.OverflowInt(n)
	}
	value, own, ok := c.asStored(value)
	switch value.(type) {
	case nil:
		return ok, ok && c.nullIsZero()
	case float64, time.Time:
		return false, false
	}
	switch {
	case own:
		return false, assignColumn(field, reflect.ValueOf(value))
	case c.stored == c.field:
		return false, c.scan(field, value)
	}
	read := reflect.New(c.stored).Elem()
	return false, c.scan(read, value) && assignColumn(field, read)
}

// asStored returns a value as a driver would have it; one of the model's or the field's own type stays what it is. It is
// not ok where no driver would take it.
func (c *columnValue) asStored(value any) (v any, own, ok bool) {
	switch value.(type) {
	case nil, int64, bool, string, []byte, float64, time.Time:
		return value, false, true
	}
	r := reflect.ValueOf(value)
	for r.Kind() == reflect.Pointer {
		if r.IsNil() {
			return nil, false, true
		}
		if r.Type().Implements(valuerType) && !r.Type().Elem().Implements(valuerType) {
			break // only the pointer knows how it is stored
		}
		r = r.Elem()
	}
	// A type without a package, such as int32, is how a driver may tell what is stored; any other is somebody's own.
	if t := r.Type(); t.PkgPath() != "" && (t == c.stored || t == c.field) || isUUID(t) {
		return r.Interface(), true, true
	}
	v, err := driver.DefaultParameterConverter.ConvertValue(r.Interface())
	if err != nil && r.CanUint() {
		return strconv.FormatUint(r.Uint(), 10), false, true // its high bit is set: drivers take it as text
	}
	return v, false, err == nil
}

var valuerType = reflect.TypeFor[driver.Valuer]()

// nullIsZero reports whether NULL, read into the model, is its zero value. A type that refuses NULL cannot be read
// where there is one, so that nobody can name the row but by zero.
func (c *columnValue) nullIsZero() bool {
	if !c.scanNull {
		return true
	}
	read := reflect.New(c.stored)
	s, _ := reflect.TypeAssert[sql.Scanner](read)
	return s.Scan(nil) != nil || read.Elem().IsZero()
}

// scan reads what a driver returned, as bun does.
func (c *columnValue) scan(dst reflect.Value, value any) bool {
	if c.scans {
		s, _ := reflect.TypeAssert[sql.Scanner](dst.Addr())
		return s.Scan(value) == nil
	}
	text, isText := value.(string)
	if b, ok := value.([]byte); ok {
		if isUUID(dst.Type()) && len(b) == 16 {
			reflect.Copy(dst, reflect.ValueOf(b))
			return true
		}
		text, isText = string(b), true
	}
	n, isInt := value.(int64)
	switch {
	case dst.Kind() == reflect.String && isText:
		dst.SetString(text)
	case dst.Kind() == reflect.String && isInt:
		dst.SetString(strconv.FormatInt(n, 10))
	case dst.CanInt() && isInt:
		if dst.OverflowInt(n) {
			return false
		}
		dst.SetInt(n)
	case dst.CanUint() && isInt:
		if n < 0 || dst.OverflowUint(uint64(n)) {
			return false
		}
		dst.SetUint(uint64(n))
	case (dst.CanInt() || dst.CanUint()) && isText:
		return assign(dst, reflect.ValueOf(text)) == nil
	case dst.Kind() == reflect.Bool:
		return scanBool(dst, value, text)
	case isText && isUUID(dst.Type()):
		return scanUUID(dst, text)
	case isText && (dst.Kind() == reflect.Struct || dst.Type() == ipType):
		return scanText(dst, text)
	default:
		return false
	}
	return true
}

func scanBool(dst reflect.Value, value any, text string) bool {
	switch v := value.(type) {
	case bool:
		dst.SetBool(v)
		return true
	case int64:
		dst.SetBool(v == 1)
		return v == 0 || v == 1
	}
	b, err := strconv.ParseBool(text)
	dst.SetBool(b)
	return err == nil
}

// scanText reads a type that knows its text. A quoted one is refused: what has no other way into a database than JSON
// is not its text.
func scanText(dst reflect.Value, text string) bool {
	u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](dst.Addr())
	return ok && !strings.HasPrefix(text, `"`) && u.UnmarshalText([]byte(text)) == nil
}

func isUUID(t reflect.Type) bool {
	return t.Kind() == reflect.Array && t.Len() == 16 && t.Elem().Kind() == reflect.Uint8
}

// scanUUID reads the text of a UUID, with hyphens or without, in its type's own way if it has one.
func scanUUID(dst reflect.Value, text string) bool {
	if _, ok := reflect.TypeAssert[encoding.TextUnmarshaler](dst.Addr()); ok {
		return scanText(dst, text)
	}
	digits := text
	if len(text) == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-' {
		digits = text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:]
	}
	id, err := hex.DecodeString(digits)
	if err != nil || len(id) != 16 {
		return false
	}
	reflect.Copy(dst, reflect.ValueOf(id))
	return true
}

// assignColumn is assign, for a field that may also be a UUID and its column text.
func assignColumn(field, v reflect.Value) bool {
	if assign(field, v) == nil {
		return true
	}
	return isUUID(field.Type()) && v.Kind() == reflect.String && scanUUID(field, v.String())
}
