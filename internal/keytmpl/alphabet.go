package keytmpl

// The value alphabet as bit sets: the plain bytes below 64, and those from 64 to 127. Constants, because a table would
// be package state.
const (
	plainLow  = 1<<'-' | 1<<'.' | (1<<10-1)<<'0'
	plainHigh = 1<<('@'-64) | 1<<('_'-64) | 1<<('~'-64) | (1<<26-1)<<('A'-64) | (1<<26-1)<<('a'-64)
)

// isPlain reports whether c stands for itself in a value.
func isPlain(c byte) bool {
	switch {
	case c < 64:
		return uint64(plainLow)>>c&1 != 0
	case c < 128:
		return uint64(plainHigh)>>(c-64)&1 != 0
	}
	return false
}

// isValueByte reports whether a value can contain c.
func isValueByte(c byte) bool { return c == '%' || isPlain(c) }

// valuePrefix returns how many bytes at the start of text a value can contain.
func valuePrefix(text string) int {
	for i := range len(text) {
		if !isValueByte(text[i]) {
			return i
		}
	}
	return len(text)
}
