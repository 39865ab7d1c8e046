package buntag

import "strings"

// tag is the text of a `bun:"..."` tag: a name, then options. An option may come more than
// once.
type tag struct {
	name    string
	options map[string][]string
}

func (t tag) isZero() bool { return t.name == "" && t.options == nil }

func (t tag) has(option string) bool {
	_, ok := t.options[option]
	return ok
}

// last returns the value of an option; the last one counts.
func (t tag) last(option string) (string, bool) {
	values := t.options[option]
	if len(values) == 0 {
		return "", false
	}
	return values[len(values)-1], true
}

// parseTag splits a tag as bun does, oddities included, because a column read otherwise
// here than there is a key that no write ever reaches: only the very first item may be the
// name, text before a quote is dropped, text after the closing quote is an item of its own,
// and a comma within parentheses does not separate ("type:decimal(10,2)").
func parseTag(s string) tag {
	t := tagScanner{rest: s}
	for t.rest != "" {
		t.item()
		t.rest = strings.TrimPrefix(t.rest, ",")
	}
	return t.tag
}

type tagScanner struct {
	rest  string
	named bool
	tag   tag
}

func (t *tagScanner) item() {
	end := strings.IndexAny(t.rest, `,:"`)
	if end < 0 {
		t.bare(t.take(len(t.rest)))
		return
	}
	text := t.take(end)
	switch t.take(1) {
	case ",":
		t.bare(text)
	case ":":
		t.option(text, t.value())
	default:
		t.bare(t.quoted())
	}
}

// bare adds an item that has no value: the name if it is the first, else an option.
func (t *tagScanner) bare(text string) {
	if t.named {
		t.option(text, "")
		return
	}
	t.named = true
	t.tag.name = text
}

func (t *tagScanner) option(key, value string) {
	t.named = true
	if key == "" {
		return
	}
	if t.tag.options == nil {
		t.tag.options = make(map[string][]string)
	}
	t.tag.options[key] = append(t.tag.options[key], value)
}

func (t *tagScanner) value() string {
	whole := t.rest
	for {
		next := strings.IndexAny(t.rest, `,"(`)
		if next < 0 {
			t.rest = ""
			return whole
		}
		t.take(next)
		switch t.take(1) {
		case ",":
			return whole[:len(whole)-len(t.rest)-1]
		case `"`:
			return t.quoted()
		default:
			t.skipParentheses()
		}
	}
}

// skipParentheses moves behind the parenthesis that closes the one just read.
func (t *tagScanner) skipParentheses() {
	for depth := 1; depth > 0; {
		next := strings.IndexAny(t.rest, `"()`)
		if next < 0 {
			t.rest = ""
			return
		}
		t.take(next)
		switch t.take(1) {
		case `"`:
			t.quoted()
		case "(":
			depth++
		default:
			depth--
		}
	}
}

// quoted reads up to the closing quote. bun resolves backslashes only if one stands before
// the first quote that follows, and reads an unclosed quote as nothing.
func (t *tagScanner) quoted() string {
	end := strings.IndexByte(t.rest, '"')
	if end > 0 && t.rest[end-1] != '\\' {
		text := t.take(end)
		t.take(1)
		return text
	}

	var text strings.Builder
	for t.rest != "" {
		switch c := t.take(1); c {
		case `"`:
			return text.String()
		case `\`:
			text.WriteString(t.take(1))
		default:
			text.WriteString(c)
		}
	}
	return ""
}

// take cuts the first n bytes off, or what is left.
func (t *tagScanner) take(n int) string {
	n = min(n, len(t.rest))
	text := t.rest[:n]
	t.rest = t.rest[n:]
	return text
}
