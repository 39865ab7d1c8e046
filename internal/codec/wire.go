package codec

import (
	"encoding/binary"
	"errors"
)

// The major types of CBOR, in the place they have in an item's first byte.
const (
	majorUint   byte = 0 << 5
	majorNegint byte = 1 << 5
	majorBytes  byte = 2 << 5
	majorText   byte = 3 << 5
	majorArray  byte = 4 << 5
	majorMap    byte = 5 << 5

	majorMask byte = 7 << 5
)

const (
	itemFalse   byte = 0xf4
	itemTrue    byte = 0xf5
	itemNull    byte = 0xf6
	itemFloat32 byte = 0xfa
	itemFloat64 byte = 0xfb
)

var (
	errDepth    = errors.New("nested too deep, or contains itself")
	errItem     = errors.New("an item of another kind than the type has")
	errLength   = errors.New("an item of another length than the type has")
	errRange    = errors.New("a number beyond the range of the type")
	errShort    = errors.New("more claimed than there are bytes")
	errKeyTwice = errors.New("a map key twice")
)

// writer collects encoded items. Depth counts the containers that are open.
type writer struct {
	buf   []byte
	depth int
	meter
}

func (w *writer) head(major byte, n uint64) {
	switch {
	case n < 24:
		w.buf = append(w.buf, major|byte(n))
	case n < 1<<8:
		w.buf = append(w.buf, major|24, byte(n))
	case n < 1<<16:
		w.buf = append(w.buf, major|25, byte(n>>8), byte(n))
	case n < 1<<32:
		w.buf = binary.BigEndian.AppendUint32(append(w.buf, major|26), uint32(n))
	default:
		w.buf = binary.BigEndian.AppendUint64(append(w.buf, major|27), n)
	}
}

func (w *writer) int(n int64) {
	if n < 0 {
		w.head(majorNegint, uint64(^n))
	} else {
		w.head(majorUint, uint64(n))
	}
}

func (w *writer) item(b byte) { w.buf = append(w.buf, b) }

// open begins a container of n items; whoever opens one takes one off depth when it is complete. A depth that is left
// behind by an error does not matter, as nothing is written after one.
func (w *writer) open(major byte, n int) error {
	if w.depth++; w.depth > maxDepth {
		return errDepth
	}
	w.head(major, uint64(n))
	return nil
}

// reader takes items off bytes that are known to be one well-formed item, but trusts nothing: bounds are checked.
type reader struct {
	b     []byte
	zone  zone
	limit int
	meter
}

// take counts memory before it is taken.
func (r *reader) take(n, size int) error {
	if n > (r.limit-r.used)/size {
		return errMemory
	}
	r.used += n * size
	return nil
}

// head takes the first byte of an item and the number that goes with it: a count, an integer, the bits of a float.
func (r *reader) head() (first byte, n uint64, err error) {
	if len(r.b) == 0 {
		return 0, 0, errShort
	}
	first = r.b[0]
	info := first &^ majorMask
	if info < 24 {
		r.b = r.b[1:]
		return first, uint64(info), nil
	}
	if info > 27 {
		return 0, 0, errItem
	}
	size := 1 << (info - 24)
	if len(r.b) < 1+size {
		return 0, 0, errShort
	}
	switch rest := r.b[1:]; size {
	case 1:
		n = uint64(rest[0])
	case 2:
		n = uint64(binary.BigEndian.Uint16(rest))
	case 4:
		n = uint64(binary.BigEndian.Uint32(rest))
	default:
		n = binary.BigEndian.Uint64(rest)
	}
	r.b = r.b[1+size:]
	return first, n, nil
}

func (r *reader) int() (int64, error) {
	first, n, err := r.head()
	switch {
	case err != nil:
		return 0, err
	case n > 1<<63-1:
		return 0, errRange
	case first&majorMask == majorUint:
		return int64(n), nil
	case first&majorMask == majorNegint:
		return ^int64(n), nil
	}
	return 0, errItem
}

func (r *reader) uint() (uint64, error) {
	first, n, err := r.head()
	if err == nil && first&majorMask != majorUint {
		err = errItem
	}
	return n, err
}

// open takes the head of a container and returns its count, after it has seen that as many items of at least size
// bytes each can follow.
func (r *reader) open(major byte, size int) (int, error) {
	first, n, err := r.head()
	switch {
	case err != nil:
		return 0, err
	case first&majorMask != major:
		return 0, errItem
	case n > uint64(len(r.b)/size):
		return 0, errShort
	}
	return int(n), nil
}

// openExactly takes the head of an array that must have n items.
func (r *reader) openExactly(n int) error {
	first, got, err := r.head()
	switch {
	case err != nil:
		return err
	case first&majorMask != majorArray:
		return errItem
	case got != uint64(n):
		return errLength
	}
	return nil
}

// string takes a byte or text string. What it returns is a part of the input.
func (r *reader) string(major byte) ([]byte, error) {
	n, err := r.open(major, 1)
	if err != nil {
		return nil, err
	}
	s := r.b[:n]
	r.b = r.b[n:]
	return s, nil
}

// null takes a null if one is next.
func (r *reader) null() bool {
	if len(r.b) > 0 && r.b[0] == itemNull {
		r.b = r.b[1:]
		return true
	}
	return false
}
