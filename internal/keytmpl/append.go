package keytmpl

import (
	"encoding/hex"
	"strconv"
	"time"
)

// The Append functions append the text of one value to dst and return the extended slice, as the built-in append does.
// They allocate only where dst has no room.

// AppendInt appends v in decimal.
func AppendInt(dst []byte, v int64) []byte { return strconv.AppendInt(dst, v, 10) }

// AppendUint appends v in decimal.
func AppendUint(dst []byte, v uint64) []byte { return strconv.AppendUint(dst, v, 10) }

// AppendBool appends "true" or "false".
func AppendBool(dst []byte, v bool) []byte { return strconv.AppendBool(dst, v) }

// AppendNil appends "%nil", the text of a pointer without a value. No other Append function gives it.
func AppendNil(dst []byte) []byte { return append(dst, nilPointer...) }

// AppendAll appends "all", the text of the open side of a many-to-many node. No other Append function gives it.
func AppendAll(dst []byte) []byte { return append(dst, openSide...) }

// AppendUUID appends the canonical lower-case text of u, such as 6ba7b810-9dad-11d1-80b4-00c04fd430c8.
func AppendUUID(dst []byte, u [16]byte) []byte {
	dst = hex.AppendEncode(dst, u[:4])
	for _, group := range [...][]byte{u[4:6], u[6:8], u[8:10], u[10:]} {
		dst = append(dst, '-')
		dst = hex.AppendEncode(dst, group)
	}
	return dst
}

const (
	// The basic form of ISO 8601: the extended one has ':', which no value contains.
	timeLayout = "20060102T150405.999999999Z"

	// The Unix seconds at which the years 0 and 10000 begin in UTC. The layout gives four digits to a year between them
	// only; beyond, two times could share a text.
	yearZero        = -62167219200
	yearTenThousand = 253402300800
)

// AppendTime appends the instant t to the nanosecond, such as 20240229T235959.5Z: one text whatever the zone, the
// monotonic reading or the way t was made, and another text for any other instant. Outside the years 0 to 9999 the text
// is @, the Unix seconds, a dot and nine digits of nanoseconds to add to them.
func AppendTime(dst []byte, t time.Time) []byte {
	seconds := t.Unix()
	if yearZero <= seconds && seconds < yearTenThousand {
		return t.UTC().AppendFormat(dst, timeLayout)
	}
	// The calendar of package time is not exact at the ends of its range, where even Unix wraps; but Unix is one to one.
	dst = append(dst, '@')
	dst = strconv.AppendInt(dst, seconds, 10)
	dst = append(dst, '.')
	nanoseconds := t.Nanosecond()
	for unit := 100_000_000; unit > 0; unit /= 10 {
		dst = append(dst, byte('0'+nanoseconds/unit%10))
	}
	return dst
}
