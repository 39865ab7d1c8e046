package sqltext

import (
	"strconv"
	"strings"
)

// Bind returns a text with its arguments in place of its parameters, where both are surely understood: int64, bool and
// string. Any other parameter stays, and so do all of a text that has named ones, or numbered ones beside those without a
// number. It is for [Reads], not for a database.
func Bind(d Dialect, text string, args []any) string {
	tokens, state := tokenize(d, text)
	if state != lexed {
		return text
	}
	numbered, plain := 0, 0
	for _, t := range tokens {
		switch {
		case t.kind == namedToken:
			return text
		case t.kind != paramToken:
		case t.end-t.start > 1:
			numbered++
		default:
			plain++
		}
	}
	if numbered > 0 && plain > 0 {
		return text
	}
	var b strings.Builder
	last, at := int32(0), 0
	for _, t := range tokens {
		if t.kind != paramToken {
			continue
		}
		n := at
		at++
		if numbered > 0 {
			number, err := strconv.Atoi(text[t.start+1 : t.end])
			if err != nil {
				continue
			}
			n = number - 1
		}
		if n < 0 || n >= len(args) {
			continue
		}
		value, ok := literalOf(d, args[n])
		if !ok {
			continue
		}
		b.WriteString(text[last:t.start])
		b.WriteString(value)
		last = t.end
	}
	b.WriteString(text[last:])
	return b.String()
}

// literalOf writes a value as a text has it. The blank keeps a sign from making a comment of the one before it.
func literalOf(d Dialect, arg any) (string, bool) {
	switch v := arg.(type) {
	case int64:
		return " " + strconv.FormatInt(v, 10), true
	case bool:
		if d == SQLite { // which has 1 and 0, and for these a column is compared as a number
			return "", false
		}
		return strings.ToUpper(strconv.FormatBool(v)), true
	case string:
		if strings.ContainsAny(v, "\\\x00") {
			return "", false
		}
		return "'" + strings.ReplaceAll(v, "'", "''") + "'", true
	default:
		return "", false
	}
}
