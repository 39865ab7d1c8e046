package codec

import (
	"encoding/binary"
	"math"
	"reflect"
)

func writeBool(w *writer, v reflect.Value) error {
	if v.Bool() {
		w.item(itemTrue)
	} else {
		w.item(itemFalse)
	}
	return nil
}

func readBool(r *reader, v reflect.Value) error {
	first, _, err := r.head()
	if err != nil {
		return err
	}
	if first != itemTrue && first != itemFalse {
		return errItem
	}
	v.SetBool(first == itemTrue)
	return nil
}

func writeInt(w *writer, v reflect.Value) error {
	w.int(v.Int())
	return nil
}

func readInt(r *reader, v reflect.Value) error {
	n, err := r.int()
	if err != nil {
		return err
	}
	if v.OverflowInt(n) {
		return errRange
	}
	v.SetInt(n)
	return nil
}

func writeUint(w *writer, v reflect.Value) error {
	w.head(majorUint, v.Uint())
	return nil
}

func readUint(r *reader, v reflect.Value) error {
	n, err := r.uint()
	if err != nil {
		return err
	}
	if v.OverflowUint(n) {
		return errRange
	}
	v.SetUint(n)
	return nil
}

func (w *writer) float(f float64) {
	w.buf = binary.BigEndian.AppendUint64(append(w.buf, itemFloat64), math.Float64bits(f))
}

func (r *reader) float() (float64, error) {
	first, n, err := r.head()
	if err == nil && first != itemFloat64 {
		err = errItem
	}
	return math.Float64frombits(n), err
}

func writeFloat64(w *writer, v reflect.Value) error {
	w.float(v.Float())
	return nil
}

func readFloat64(r *reader, v reflect.Value) error {
	f, err := r.float()
	if err != nil {
		return err
	}
	v.SetFloat(f)
	return nil
}

func writeFloat32(w *writer, v reflect.Value) error {
	w.buf = binary.BigEndian.AppendUint32(append(w.buf, itemFloat32), math.Float32bits(float32(v.Float())))
	return nil
}

func readFloat32(r *reader, v reflect.Value) error {
	first, n, err := r.head()
	if err != nil {
		return err
	}
	if first != itemFloat32 {
		return errItem
	}
	v.SetFloat(float64(math.Float32frombits(uint32(n))))
	return nil
}

func writeComplex(w *writer, v reflect.Value) error {
	c := v.Complex()
	w.head(majorArray, 2)
	w.float(real(c))
	w.float(imag(c))
	return nil
}

func readComplex(r *reader, v reflect.Value) error {
	if err := r.openExactly(2); err != nil {
		return err
	}
	re, err := r.float()
	if err != nil {
		return err
	}
	im, err := r.float()
	if err != nil {
		return err
	}
	v.SetComplex(complex(re, im))
	return nil
}

// A string of Go may hold any bytes. It is written as text all the same: nobody but this package reads it.
func writeString(w *writer, v reflect.Value) error {
	s := v.String()
	w.used += len(s)
	w.head(majorText, uint64(len(s)))
	w.buf = append(w.buf, s...)
	return nil
}

func readString(r *reader, v reflect.Value) error {
	s, err := r.string(majorText)
	if err != nil {
		return err
	}
	if err := r.take(len(s), 1); err != nil {
		return err
	}
	v.SetString(string(s))
	return nil
}

func writeByteSlice(w *writer, v reflect.Value) error {
	if v.IsNil() {
		w.item(itemNull)
		return nil
	}
	b := v.Bytes()
	w.used += len(b)
	w.head(majorBytes, uint64(len(b)))
	w.buf = append(w.buf, b...)
	return nil
}

func readByteSlice(r *reader, v reflect.Value) error {
	if r.null() {
		v.SetZero()
		return nil
	}
	s, err := r.string(majorBytes)
	if err != nil {
		return err
	}
	if err := r.take(len(s), 1); err != nil {
		return err
	}
	b := make([]byte, len(s))
	copy(b, s)
	v.SetBytes(b)
	return nil
}

func writeByteArray(w *writer, v reflect.Value) error {
	w.head(majorBytes, uint64(v.Len()))
	w.buf = append(w.buf, addressable(v).Bytes()...)
	return nil
}

func readByteArray(r *reader, v reflect.Value) error {
	s, err := r.string(majorBytes)
	if err != nil {
		return err
	}
	if len(s) != v.Len() {
		return errLength
	}
	copy(v.Bytes(), s)
	return nil
}

// addressable is v, or a copy of it that has an address.
func addressable(v reflect.Value) reflect.Value {
	if v.CanAddr() {
		return v
	}
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}
