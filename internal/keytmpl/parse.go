package keytmpl

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SyntaxError is what is wrong with a template's text.
type SyntaxError struct {
	Text   string // the whole text
	Pos    int    // byte offset in Text of the character or the hole at fault
	Reason string // what is wrong there, and what to write instead
}

// Error returns the text, the place and the reason in one line.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("key template %q, byte %d: %s", e.Text, e.Pos, e.Reason)
}

// Parse compiles text. A hole is <name>, where name is an identifier [A-Za-z_][A-Za-z0-9_]* that no other hole of the
// text has; a text without holes is a template of one key. Literals are printable UTF-8 without white space and without
// any of { } * ? [ ] \ % < >. Between two holes the literal holds at least one character that no value contains.
//
// The error is a *SyntaxError for the first fault in the text.
func Parse(text string) (*Template, error) {
	if text == "" {
		return nil, &SyntaxError{Reason: `the text is empty: write the key, such as "user:<id>:shelf"`}
	}
	t := &Template{text: text}
	pos, literal := 0, 0
	for pos < len(text) {
		if text[pos] != '<' {
			size, reason := literalRune(text[pos:])
			if reason != "" {
				return nil, &SyntaxError{Text: text, Pos: pos, Reason: reason}
			}
			pos += size
			continue
		}
		name, reason := holeName(text[pos:])
		if reason == "" {
			reason = t.addHole(text[literal:pos], name)
		}
		if reason != "" {
			return nil, &SyntaxError{Text: text, Pos: pos, Reason: reason}
		}
		pos += len("<") + len(name) + len(">")
		literal = pos
	}
	t.literals = append(t.literals, text[literal:])
	return t, nil
}

// addHole takes the hole called name and the literal before it into t, unless there is a reason against it.
func (t *Template) addHole(literal, name string) (reason string) {
	if slices.Contains(t.holes, name) {
		return fmt.Sprintf("hole <%s> stands here for the second time: write each hole once", name)
	}
	if n := len(t.holes); n > 0 && valuePrefix(literal) == len(literal) {
		return fmt.Sprintf("between <%s> and <%s> nothing shows where one value ends, so two nodes could share a key: "+
			"write a separator between them that no value contains, such as ':' or '/'", t.holes[n-1], name)
	}
	t.holes = append(t.holes, name)
	t.literals = append(t.literals, literal)
	return ""
}

// holeName returns the name of the hole that text begins with.
func holeName(text string) (name, reason string) {
	inner := text[len("<"):]
	end := strings.IndexAny(inner, "<>")
	if end < 0 || inner[end] == '<' {
		return "", "'<' opens a hole that is not closed: write it as <name>"
	}
	name = inner[:end]
	if name == "" {
		return "", "hole <> has no name: write the field's name in it, such as <id>"
	}
	if !isIdentifier(name) {
		return "", fmt.Sprintf("hole name %q is not an identifier: "+
			"write an ASCII letter or '_', then ASCII letters, digits and '_', such as <user_id>", name)
	}
	return name, ""
}

func isIdentifier(name string) bool {
	for i, r := range name {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		digit := '0' <= r && r <= '9'
		if !letter && (!digit || i == 0) {
			return false
		}
	}
	return true
}

// literalRune returns the size of the character that text begins with, or the reason why no literal may hold it.
func literalRune(text string) (size int, reason string) {
	r, size := utf8.DecodeRuneInString(text)
	switch {
	case r == utf8.RuneError && size == 1:
		return 0, fmt.Sprintf("byte 0x%02X is not UTF-8: write the text in UTF-8", text[0])
	case unicode.IsSpace(r):
		return 0, fmt.Sprintf("white space (%U) is not allowed in a key: write ':', '-' or '_' instead", r)
	case !unicode.IsPrint(r):
		return 0, fmt.Sprintf("%U is a control or invisible character: leave it out", r)
	}
	switch r {
	case '{', '}':
		return 0, fmt.Sprintf("%q would choose the key's slot in Redis Cluster: write another separator, such as ':'", r)
	case '*', '?', '[', ']', '\\':
		return 0, fmt.Sprintf("%q has a meaning in Redis patterns: write another separator, such as ':'", r)
	case '%':
		return 0, "'%' is kept for escaped values: write another separator, such as ':'"
	case '>':
		return 0, "'>' closes no hole: write a hole as <name>, and leave '>' out elsewhere, since it parts a key from its field"
	}
	return size, ""
}
