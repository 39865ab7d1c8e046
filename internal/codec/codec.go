// Package codec turns cached values into bytes and back: a value comes back as it was.
//
// The form is plain CBOR (RFC 8949), but not what a general CBOR library makes of a Go value. Such a library serves
// interchange: it follows `json` tags (so a field tagged "-" is lost and one tagged "omitempty" is absent), lets fields
// of one name hide each other, writes a zero time as null, and asks a type for its text form although all of its
// content is in exported fields. A cache wants none of that. Here a struct is an array of its fields in the order they
// are written; tags, names and field visibility rules play no part, and what cannot be carried whole is refused. The
// order of fields need not be stable over time, for stored bytes carry a [Fingerprint] of the type and bytes of
// another one are never read.
//
// Each type is compiled once, by reflection, into a plan; encoding and decoding walk the plan. [Check] reports what a
// plan cannot carry, and is meant to be asked when a type is declared. Foreign bytes first pass through the
// well-formedness check of fxamacker/cbor, which bounds nesting and refuses what is cut short, trails, is tagged or of
// indefinite length; so every claimed length is backed by input of its own before memory is taken for it.
//
// # What comes back as it was
//
//   - bools, integers, floats with NaN and infinities, complex numbers, strings (of any bytes), named types of these;
//   - nil and empty slices and maps apart from each other, also nested; arrays; pointers, nil apart from zero;
//   - structs with all of their exported fields; embedded structs are fields like any other;
//   - time.Time to the nanosecond with its offset, and UTC as UTC. A location's name is kept only as its offset (which
//     becomes time.Local where that has the same offset then), and a monotonic reading is dropped;
//   - types that hide something but bring a pair of methods for it: MarshalCBOR, MarshalBinary, GobEncode or
//     MarshalText, with their counterparts, in this order. MarshalCBOR is preferred to the fields even where nothing
//     is hidden; the others are not, as they may say less than the fields do (the text of a 4-byte net.IP is that of a
//     16-byte one).
//
// Not kept: that two pointers point to the same thing, and the capacity of slices. A value that points back to itself
// is an error.
package codec

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"

	"github.com/fxamacker/cbor/v2"
)

// maxDepth is how deep containers may be nested in a value. Go types are not nested like that; values of recursive
// types, like a list linked by pointers, can be.
const maxDepth = 1000

// maxPooled is the largest buffer kept for the next Marshal.
const maxPooled = 1 << 20

// CBOR is the default codec. It is made by [NewCBOR], holds the plans of the types it has seen, and is safe for
// concurrent use.
type CBOR struct {
	plans   sync.Map // reflect.Type -> *plan
	buffers sync.Pool
	limits  cbor.DecMode
}

// NewCBOR makes a codec.
func NewCBOR() *CBOR {
	limits, err := cbor.DecOptions{
		// A time is an array within the innermost level that Marshal allows.
		MaxNestedLevels: maxDepth + 1,
		// Elements are bounded by the bytes that are there, as each takes one at least.
		MaxArrayElements: math.MaxInt32,
		MaxMapPairs:      math.MaxInt32,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
	}.DecMode()
	if err != nil {
		panic("codec: " + err.Error())
	}
	return &CBOR{limits: limits, buffers: sync.Pool{New: func() any { return new(writer) }}}
}

// Marshal encodes v, for an Unmarshal into a variable of v's type. It fails for nil, for a type of which [Check] reports
// problems, for a value nested deeper than 1000 levels (one that contains itself is), for one that takes more than 6 MiB
// of memory and more than four times its encoded bytes, and when a marshalling method of a part of v fails. Equal values that contain maps need not give equal bytes.
func (c *CBOR) Marshal(v any) ([]byte, error) {
	rv := reflect.ValueOf(v)
	if !rv.IsValid() {
		return nil, errors.New("codec: marshal of nil, which has no type")
	}
	p := c.plan(rv.Type())
	if len(p.problems) > 0 {
		return nil, fmt.Errorf("codec: %s cannot be stored: %w", p.typ, p.problems[0])
	}
	w := c.buffers.Get().(*writer)
	w.buf, w.depth, w.used = w.buf[:0], 0, 0
	err := p.write(w, rv)
	if err == nil && w.used > memoryFor(len(w.buf)) {
		err = errMemory
	}
	var b []byte
	if err == nil {
		b = slices.Clone(w.buf)
	}
	if cap(w.buf) <= maxPooled {
		c.buffers.Put(w)
	}
	if err != nil {
		return nil, fmt.Errorf("codec: marshal %s: %w", p.typ, err)
	}
	return b, nil
}

// Unmarshal decodes what Marshal made of a T into v, a pointer to a T that is not nil, and overwrites all of it. The
// value keeps nothing of b. On an error the content of v is undefined.
//
// No bytes make it panic. The memory it takes, besides what methods of the user's types take, is at most 6 MiB, or four
// times the length of b where that is more.
func (c *CBOR) Unmarshal(b []byte, v any) error {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		return fmt.Errorf("codec: unmarshal into %T, want a pointer that is not nil", v)
	}
	rv = rv.Elem()
	p := c.plan(rv.Type())
	if len(p.problems) > 0 {
		return fmt.Errorf("codec: %s cannot be stored: %w", p.typ, p.problems[0])
	}
	if err := c.limits.Wellformed(b); err != nil {
		return fmt.Errorf("codec: unmarshal %s: %w", p.typ, err)
	}
	if err := p.read(&reader{b: b, limit: memoryFor(len(b))}, rv); err != nil {
		return fmt.Errorf("codec: unmarshal %s: %w", p.typ, err)
	}
	return nil
}

func (c *CBOR) plan(t reflect.Type) *plan {
	if p, ok := c.plans.Load(t); ok {
		return p.(*plan)
	}
	// Two may compile the same type at once; either plan is as good.
	p, _ := c.plans.LoadOrStore(t, compile(t))
	return p.(*plan)
}
