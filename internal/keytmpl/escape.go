package keytmpl

import (
	"fmt"
	"strings"
)

// The texts that are not what percent-encoding gives. A '%' that no two hex digits follow is never an encoded byte, and
// no encoded byte is a plain one, so none of them but openSide can be the encoding of any string; the string "all"
// gives way to openSide and takes escapedAll.
const (
	emptyString = "%"
	nilPointer  = "%nil"
	openSide    = "all"
	escapedAll  = "%61ll"
)

const upperHex = "0123456789ABCDEF"

// AppendString appends s as a value: bytes outside [A-Za-z0-9-_.~@] become %XX in upper-case hex. The empty string
// becomes "%", and "all" becomes "%61ll" so that it differs from [AppendAll]. Any bytes are allowed, UTF-8 or not.
// [Unescape] is the inverse.
func AppendString(dst []byte, s string) []byte {
	switch s {
	case "":
		return append(dst, emptyString...)
	case openSide:
		return append(dst, escapedAll...)
	}
	plain := 0
	for i := range len(s) {
		c := s[i]
		if isPlain(c) {
			continue
		}
		dst = append(dst, s[plain:i]...)
		dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		plain = i + 1
	}
	return append(dst, s[plain:]...)
}

// Unescape returns the string that [AppendString] renders as value. Any other text is an error, also one that a
// lenient decoder would read (%2f for %2F, %41 for A): one string has one text. So are the open side and the nil
// pointer, which are no strings.
func Unescape(value string) (string, error) {
	switch value {
	case emptyString:
		return "", nil
	case escapedAll:
		return openSide, nil
	case "":
		return "", fmt.Errorf("unescape value: the text is empty, the empty string is written %q", emptyString)
	case openSide:
		return "", fmt.Errorf("unescape value %q: it is the open side, the string is written %q", value, escapedAll)
	case nilPointer:
		return "", fmt.Errorf("unescape value %q: it is the nil pointer, not a string", value)
	}
	var s strings.Builder
	s.Grow(len(value))
	for i := 0; i < len(value); {
		c, size := unescapeByte(value[i:])
		if size == 0 {
			return "", fmt.Errorf("unescape value %q, byte %d: neither a plain character nor an escaped one", value, i)
		}
		s.WriteByte(c)
		i += size
	}
	return s.String(), nil
}

// isValue reports whether an Append function can render text.
func isValue(text string) bool {
	switch text {
	case emptyString, escapedAll, nilPointer:
		return true
	case "":
		return false
	}
	for i := 0; i < len(text); {
		_, size := unescapeByte(text[i:])
		if size == 0 {
			return false
		}
		i += size
	}
	return true
}

// unescapeByte returns the byte that the start of text stands for, and how long that start is: 0 if it stands for none.
func unescapeByte(text string) (c byte, size int) {
	if isPlain(text[0]) {
		return text[0], 1
	}
	if text[0] != '%' || len(text) < 3 {
		return 0, 0
	}
	hi, lo := strings.IndexByte(upperHex, text[1]), strings.IndexByte(upperHex, text[2])
	if hi < 0 || lo < 0 {
		return 0, 0
	}
	c = byte(hi<<4 | lo)
	if isPlain(c) {
		return 0, 0
	}
	return c, 3
}
