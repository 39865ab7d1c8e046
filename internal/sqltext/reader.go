package sqltext

import "strings"

// reader looks at the tokens of one statement. Indexes behind its end are allowed and match nothing.
type reader struct {
	d       Dialect
	text    string
	tokens  []token
	lo, end int
}

func (r *reader) raw(i int) string {
	return r.text[r.tokens[i].start:r.tokens[i].end]
}

// is returns whether token i is this keyword.
func (r *reader) is(i int, keyword string) bool {
	return i >= r.lo && i < r.end && r.tokens[i].kind == wordToken && same(r.raw(i), keyword)
}

func (r *reader) any(i int, keywords ...string) bool {
	for _, k := range keywords {
		if r.is(i, k) {
			return true
		}
	}
	return false
}

// sign returns whether token i is this sign.
func (r *reader) sign(i int, b byte) bool {
	return i >= r.lo && i < r.end && r.tokens[i].kind == signToken && r.text[r.tokens[i].start] == b
}

// skip returns the index behind token i, and behind its counterpart if it opens a bracket.
func (r *reader) skip(i int) int {
	if r.sign(i, '(') || r.sign(i, '[') && r.tokens[i].match > 0 {
		return int(r.tokens[i].match) + 1
	}
	return i + 1
}

// find returns the first of these keywords outside brackets, r.end if there is none.
func (r *reader) find(i int, keywords ...string) int {
	for ; i < r.end; i = r.skip(i) {
		if r.any(i, keywords...) && !r.asName(i) {
			return i
		}
	}
	return r.end
}

// asName returns whether token i can only be a name, keyword or not: behind a dot or AS.
func (r *reader) asName(i int) bool {
	return r.sign(i-1, '.') || r.is(i-1, "AS")
}

// ident returns the name that token i is, unquoted. Keywords are names here.
func (r *reader) ident(i int) (string, bool) {
	if i < r.lo || i >= r.end {
		return "", false
	}
	switch raw := r.raw(i); r.tokens[i].kind {
	case wordToken:
		if r.d == Postgres {
			return fold(raw), true
		}
		return raw, true
	case quotedToken:
		return unquote(raw), true
	case stringToken:
		// SQLite takes a string for a name where only a name can stand, MySQL takes ".." for one under ANSI_QUOTES.
		if r.d == SQLite || r.d == MySQL && raw[0] == '"' {
			return unquote(raw), true
		}
	}
	return "", false
}

// fold returns a name in lower case. PostgreSQL leaves letters beyond ASCII as they are.
func fold(name string) string {
	for i := range len(name) {
		if lower(name[i]) != name[i] {
			b := []byte(name)
			for i := range b {
				b[i] = lower(b[i])
			}
			return string(b)
		}
	}
	return name
}

func unquote(raw string) string {
	open, name := raw[0], raw[1:len(raw)-1]
	if open == '[' || strings.IndexByte(name, open) < 0 {
		return name
	}
	return strings.ReplaceAll(name, string([]byte{open, open}), string(open))
}

// name returns the table that is named from token i on, and what follows it.
func (r *reader) name(i int) (n Name, next int, ok bool) {
	if i < r.end && r.tokens[i].kind == wordToken && clauseWord(r.raw(i)) {
		return Name{}, i, false
	}
	for parts := 1; parts <= 3; parts++ {
		word, ok := r.ident(i)
		if !ok {
			break
		}
		n.Schema, n.Table = n.Table, word
		if i++; !r.sign(i, '.') {
			return n, i, true
		}
		i++
	}
	return Name{}, i, false
}

// clauseWord returns whether a word without quotes begins or belongs to a clause, so that it is no name where both can stand.
// It is cautious: some databases do allow some of them as names.
func clauseWord(word string) bool {
	switch len(word) {
	case 2, 3, 4, 5, 6, 7, 8, 9, 12, 13:
	default:
		return false
	}
	for _, k := range [...]string{
		"AS", "ON", "OR", "IN", "BY", "SET", "USE", "NOT", "FOR", "AND", "FROM", "INTO", "ONLY", "LEFT", "FULL", "JOIN",
		"WHERE", "USING", "LIMIT", "ORDER", "GROUP", "RIGHT", "INNER", "CROSS", "VALUE", "FORCE", "QUICK", "TABLE", "UNION", "IGNORE",
		"SELECT", "VALUES", "UPDATE", "DELETE", "INSERT", "BEFORE", "NATURAL", "DEFAULT", "INDEXED", "LATERAL", "HAVING", "DELAYED",
		"PARTITION", "RETURNING", "OVERRIDING", "LOW_PRIORITY", "HIGH_PRIORITY", "STRAIGHT_JOIN", "WITH", "OUTER",
	} {
		if same(word, k) {
			return true
		}
	}
	return false
}

// names returns every name that stands between two tokens, and of a name with dots every reading of it as a table.
func (r *reader) names(lo, hi int) []Name {
	var all []Name
	for i := lo; i < hi; i++ {
		word, ok := r.ident(i)
		if !ok || r.tokens[i].kind == wordToken && neverName(word) {
			continue
		}
		all = append(all, Name{Table: word})
		if r.sign(i-1, '.') {
			if schema, ok := r.ident(i - 2); ok {
				all = append(all, Name{Schema: schema, Table: word})
			}
		}
	}
	return distinct(all)
}

// neverName returns whether a word is reserved in all dialects.
func neverName(word string) bool {
	for _, k := range [...]string{"SELECT", "FROM", "WHERE", "INTO", "AND", "OR", "NOT", "NULL", "TABLE", "AS", "ON", "ORDER", "GROUP", "IN"} {
		if same(word, k) {
			return true
		}
	}
	return false
}

func distinct(names []Name) []Name {
	seen := make(map[Name]bool, len(names))
	kept := names[:0]
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			kept = append(kept, n)
		}
	}
	return kept
}
