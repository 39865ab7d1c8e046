package keytmpl

import (
	"slices"
	"strings"
)

// Template is a compiled key template. It never changes and may be used by many goroutines. [Parse] makes one; the
// zero Template is not usable.
type Template struct {
	text     string
	holes    []string
	literals []string
}

// String returns the text that was parsed.
func (t *Template) String() string { return t.text }

// Holes returns the names of the holes in the order of the text. The slice is the caller's own.
func (t *Template) Holes() []string { return slices.Clone(t.holes) }

// Literals returns the texts before, between and after the holes: one more than there are holes. The first and the
// last may be empty. The slice is the caller's own.
func (t *Template) Literals() []string { return slices.Clone(t.literals) }

// Glob returns a pattern for Redis's MATCH that every key of t matches. The reverse is not promised: a hole becomes
// "*", which also matches what no value contains, so [Template.Match] has the last word.
func (t *Template) Glob() string {
	// Nothing is escaped: Parse lets no glob metacharacter into a literal.
	return strings.Join(t.literals, "*")
}
