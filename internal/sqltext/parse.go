package sqltext

import "strings"

// Parse reads a text. It never fails: what it does not understand is Unknown. Its time is linear in the text.
func Parse(d Dialect, text string) Script {
	tokens, state := tokenize(d, text)
	if state != lexed {
		return unknown(d, text, state)
	}
	parts, ok := split(d, text, tokens)
	if !ok {
		return unknown(d, text, state)
	}
	script := Script{Statements: make([]Statement, 0, len(parts))}
	from := 0
	for _, p := range parts {
		if p.lo < p.hi {
			r := &reader{d: d, text: text, tokens: tokens, lo: p.lo, end: p.hi}
			s := Statement{written: spans{d: d, text: text, from: from, to: int(tokens[p.hi-1].end)}}
			r.statement(&s)
			script.Statements = append(script.Statements, s)
		}
		if p.hi < len(tokens) {
			from = int(tokens[p.hi].end)
		}
	}
	return script
}

// lexState is how well a text could be cut into tokens.
type lexState uint8

const (
	lexed    lexState = iota
	unlexed           // it is not certain where its tokens end
	unspoken          // nor how its names are spelt
)

func tokenize(d Dialect, text string) ([]token, lexState) {
	if len(text) > maxText || strings.IndexByte(text, 0) >= 0 {
		return nil, unlexed
	}
	l := lexer{d: d, text: text, slash: d == MySQL || d == AnyDialect}
	ok := l.lex()
	if ok && l.ambiguous && l.slash {
		// Under NO_BACKSLASH_ESCAPES strings would end elsewhere. Mostly that makes no sense, which proves the default.
		other := lexer{d: d, text: text}
		ok = d == MySQL && !other.lex()
	}
	switch {
	case l.opaque:
		return nil, unspoken
	case !ok:
		return nil, unlexed
	}
	return l.tokens, lexed
}

func unknown(d Dialect, text string, state lexState) Script {
	return Script{Statements: []Statement{{written: spans{
		d: d, text: text, to: len(text), opaque: state == unspoken,
	}}}}
}

// statement reads the statement that begins at r.lo into s.
func (r *reader) statement(s *Statement) {
	main, ok := r.with(s)
	if !ok {
		return
	}
	s.written.main = main
	switch {
	case r.is(main, "INSERT"), r.is(main, "REPLACE") && r.d != Postgres:
		r.insert(s, main)
	case r.is(main, "UPDATE"):
		r.update(s, main)
	case r.is(main, "DELETE"):
		r.delete(s, main)
	case r.is(main, "MERGE"):
		r.merge(s, main)
	case main != r.lo || r.reads(main):
		r.read(s, main)
	default:
		r.other(s)
	}
	if r.d != MySQL {
		s.Implicit = false
	}
}

// with skips a WITH clause, and returns where the main verb stands.
func (r *reader) with(s *Statement) (main int, ok bool) {
	i := r.lo
	if !r.is(i, "WITH") {
		return i, true
	}
	i++
	if r.is(i, "RECURSIVE") {
		i++
	}
	for {
		name, ok := r.ident(i)
		if !ok {
			return 0, false
		}
		s.written.ctes = append(s.written.ctes, name)
		i++
		if r.sign(i, '(') {
			i = r.skip(i)
		}
		if !r.is(i, "AS") {
			return 0, false
		}
		i++
		if r.is(i, "NOT") {
			i++
		}
		if r.is(i, "MATERIALIZED") {
			i++
		}
		if !r.sign(i, '(') {
			return 0, false
		}
		i = r.skip(i)
		if r.is(i, "SEARCH") || r.is(i, "CYCLE") {
			for i < r.end && !r.sign(i, ',') && !r.verb(i) {
				i = r.skip(i)
			}
		}
		if !r.sign(i, ',') {
			return i, r.verb(i)
		}
		i++
	}
}

// verb returns whether a statement that may have a WITH clause can go on with this token.
func (r *reader) verb(i int) bool {
	return r.reads(i) || r.any(i, "INSERT", "REPLACE", "UPDATE", "DELETE", "MERGE")
}

// reads returns whether a query begins with this token.
func (r *reader) reads(i int) bool {
	for r.sign(i, '(') {
		i++
		if r.is(i, "WITH") {
			return true
		}
	}
	return r.any(i, "SELECT", "VALUES", "TABLE")
}

// read reads a query, which writes where a write is in its CTEs and where it selects INTO a table.
func (r *reader) read(s *Statement, main int) {
	s.Kind = Read
	written, found := r.nested(main)
	for i := r.lo; i < r.end; i++ {
		if !r.is(i, "INTO") || r.asName(i) {
			continue
		}
		to := i + 1
		if r.d != Postgres && (r.sign(to, '@') || r.any(to, "OUTFILE", "DUMPFILE")) {
			continue
		}
		for r.any(to, "TEMPORARY", "TEMP", "UNLOGGED", "TABLE") {
			to++
		}
		name, _, ok := r.name(to)
		if !ok {
			r.wide(s, r.names(r.lo, r.end)...)
			return
		}
		found = true
		written = append(written, name)
	}
	if found {
		r.wide(s, written...)
	}
}

// wide makes s a write of these tables, and of those that its CTEs write; Unknown if there are none.
func (r *reader) wide(s *Statement, tables ...Name) {
	nested, _ := r.nested(s.written.main)
	s.Kind, s.Tables = Wide, distinct(append(tables, nested...))
	s.Conflict, s.SetColumns, s.SetUnknown, s.HasReturning = ConflictFails, nil, false, false
	if len(s.Tables) == 0 {
		s.Kind = Unknown
	}
}

// nested returns what is written by the writes within the statement, other than the one at main.
func (r *reader) nested(main int) (tables []Name, found bool) {
	for i := r.lo + 1; i < r.end; i++ {
		if i == main || r.tokens[i].kind != wordToken || r.asName(i) {
			continue
		}
		at := i + 1
		switch {
		case r.any(i, "INSERT", "MERGE") && r.is(at, "INTO"), r.is(i, "DELETE") && r.is(at, "FROM"),
			// But not INSERT OR REPLACE INTO, nor LOAD DATA .. REPLACE INTO TABLE.
			r.is(i, "REPLACE") && r.is(at, "INTO") && !r.is(i-1, "OR") && !r.is(at+1, "TABLE"):
			at++
		case r.is(i, "UPDATE") && !r.any(i-1, "FOR", "KEY", "DO", "ON", "THEN", "BEFORE", "AFTER", "OR") && !r.sign(i-1, ','):
			if _, ok := r.ident(at); !ok || r.any(at, "OF", "NOWAIT", "SKIP", "SET") {
				continue
			}
		default:
			continue
		}
		found = true
		if r.is(at, "ONLY") {
			at++
			if r.sign(at, '(') {
				at++
			}
		}
		name, _, ok := r.name(at)
		if !ok {
			return r.names(r.lo, r.end), true
		}
		tables = append(tables, name)
	}
	return tables, found
}
