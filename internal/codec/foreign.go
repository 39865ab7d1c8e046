package codec

import (
	"bytes"
	"encoding"
	"fmt"
	"reflect"

	"github.com/fxamacker/cbor/v2"
)

// A foreign type writes and reads itself. What it writes is kept as a byte string, whatever it is.

type gobEncoder interface{ GobEncode() ([]byte, error) }

type gobDecoder interface{ GobDecode([]byte) error }

// pair is two methods that belong together, and how they are called on a pointer to the value.
type pair struct {
	name      string
	marshal   reflect.Type
	unmarshal reflect.Type
	write     func(ptr any) ([]byte, error)
	read      func(ptr any, b []byte) error
}

func pairOf[M, U any](name string, write func(M) ([]byte, error), read func(U, []byte) error) pair {
	return pair{
		name:      name,
		marshal:   reflect.TypeFor[M](),
		unmarshal: reflect.TypeFor[U](),
		write:     func(ptr any) ([]byte, error) { return write(ptr.(M)) },
		read:      func(ptr any, b []byte) error { return read(ptr.(U), b) },
	}
}

func cborPair() pair {
	return pairOf("MarshalCBOR", cbor.Marshaler.MarshalCBOR, cbor.Unmarshaler.UnmarshalCBOR)
}

// otherPairs are in the order of preference. What is made for gob is meant to keep everything; text often is not, as
// that of big.Float.
func otherPairs() []pair {
	return []pair{
		pairOf("MarshalBinary", encoding.BinaryMarshaler.MarshalBinary, encoding.BinaryUnmarshaler.UnmarshalBinary),
		pairOf("GobEncode", gobEncoder.GobEncode, gobDecoder.GobDecode),
		pairOf("MarshalText", encoding.TextMarshaler.MarshalText, encoding.TextUnmarshaler.UnmarshalText),
	}
}

// has reports whether t has the two methods of its own. Those of an embedded field do not count: they would speak for
// that field alone, and the others would be lost. Reflection cannot tell them from methods that t declares over them,
// so a struct that embeds a type with such methods is always taken field by field.
func (m pair) has(t reflect.Type) bool {
	ptr := reflect.PointerTo(t)
	if !ptr.Implements(m.marshal) || !ptr.Implements(m.unmarshal) {
		return false
	}
	if t.Kind() == reflect.Struct {
		for f := range t.Fields() {
			if !f.Anonymous {
				continue
			}
			if f.Type.Implements(m.marshal) || reflect.PointerTo(f.Type).Implements(m.marshal) ||
				f.Type.Implements(m.unmarshal) || reflect.PointerTo(f.Type).Implements(m.unmarshal) {
				return false
			}
		}
	}
	return true
}

func foreignPlan(p *plan, m pair) {
	p.how, p.least, p.nullable, p.problems = m.name, 1, false, nil
	p.write = func(w *writer, v reflect.Value) error {
		b, err := m.write(addressable(v).Addr().Interface())
		if err != nil {
			return fmt.Errorf("%s of %s: %w", m.name, p.typ, err)
		}
		w.head(majorBytes, uint64(len(b)))
		w.buf = append(w.buf, b...)
		return nil
	}
	p.read = func(r *reader, v reflect.Value) (err error) {
		b, err := r.string(majorBytes)
		if err != nil {
			return err
		}
		// The bytes may be anybody's, and the method is somebody else's: a panic over them is a bad value, no more.
		defer func() {
			if x := recover(); x != nil {
				err = fmt.Errorf("the counterpart of %s of %s panicked: %v", m.name, p.typ, x)
			}
		}()
		v.SetZero()
		// A copy, since the method may keep what it should not.
		if err := m.read(v.Addr().Interface(), bytes.Clone(b)); err != nil {
			return fmt.Errorf("the counterpart of %s of %s: %w", m.name, p.typ, err)
		}
		return nil
	}
}
