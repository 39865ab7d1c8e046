package keytmpl

import "strings"

// Match cuts key into the values that t renders it from, in the order of the holes and still escaped; [Unescape] gives
// a string value back. It reports false for a key that no values give: what it accepts is exactly what t's literals and
// the Append functions can write, and the values are the only ones that give that key. A template without holes
// gives no values.
func (t *Template) Match(key string) (values []string, ok bool) {
	last := len(t.holes)
	if last == 0 {
		return nil, key == t.text
	}
	rest, ok := strings.CutPrefix(key, t.literals[0])
	if !ok {
		return nil, false
	}
	rest, ok = strings.CutSuffix(rest, t.literals[last])
	if !ok {
		return nil, false
	}
	values = make([]string, 0, last)
	for _, literal := range t.literals[1:last] {
		// A separator may begin or end with characters that a value contains too ("x:" in <a>x:<b>), so searching for
		// it, or for its first byte, could cut inside a value. Its first byte that no value contains is a sure mark.
		end := valuePrefix(rest) - valuePrefix(literal)
		if end < 0 || !isValue(rest[:end]) || !strings.HasPrefix(rest[end:], literal) {
			return nil, false
		}
		values = append(values, rest[:end])
		rest = rest[end+len(literal):]
	}
	if !isValue(rest) {
		return nil, false
	}
	return append(values, rest), true
}
