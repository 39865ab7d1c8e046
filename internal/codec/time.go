package codec

import (
	"reflect"
	"time"
)

// A time is written as seconds, nanoseconds and offset in seconds, null for UTC. RFC 3339 text, which CBOR knows,
// cannot tell the offsets of old local times nor years beyond 9999.

func writeTime(w *writer, v reflect.Value) error {
	t, ok := reflect.TypeAssert[time.Time](v)
	if !ok {
		t, _ = reflect.TypeAssert[time.Time](v.Convert(typeTime))
	}
	w.head(majorArray, 3)
	w.int(t.Unix())
	w.head(majorUint, uint64(t.Nanosecond()))
	if t.Location() == time.UTC {
		w.item(itemNull)
	} else {
		_, offset := t.Zone()
		w.int(int64(offset))
	}
	return nil
}

func readTime(r *reader, v reflect.Value) error {
	if err := r.openExactly(3); err != nil {
		return err
	}
	sec, err := r.int()
	if err != nil {
		return err
	}
	nsec, err := r.uint()
	if err != nil {
		return err
	}
	if nsec >= uint64(time.Second) {
		return errRange
	}
	t := time.Unix(sec, int64(nsec))
	if r.null() {
		t = t.UTC()
	} else {
		offset, err := r.int()
		if err != nil {
			return err
		}
		if offset != int64(int32(offset)) {
			return errRange
		}
		// As time's own decoding does: a time of this process's zone stays one, with its name and its summer time.
		if _, local := t.Zone(); int64(local) != offset {
			t = t.In(r.zone.at(int(offset)))
		}
	}
	if v.Type() == typeTime {
		*v.Addr().Interface().(*time.Time) = t
	} else {
		v.Set(reflect.ValueOf(t).Convert(v.Type()))
	}
	return nil
}

// zone remembers the location of the last offset, as all times of a value tend to have the same.
type zone struct {
	offset   int
	location *time.Location
}

func (z *zone) at(offset int) *time.Location {
	if z.location == nil || z.offset != offset {
		z.offset, z.location = offset, time.FixedZone("", offset)
	}
	return z.location
}
