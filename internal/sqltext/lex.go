package sqltext

import "strings"

// lexer cuts a text into tokens. Space and comments are dropped.
type lexer struct {
	d      Dialect
	text   string
	pos    int
	slash  bool // a backslash in quotes takes the next byte with it
	tokens []token
	open   []int32 // brackets that wait for their counterpart

	// ambiguous is set when a quote closes or not depending on slash.
	ambiguous bool
	// opaque is set when the text has a name whose letters are written as codes (U&"..").
	opaque bool
	// escaped is set while the last token is an E'..' of PostgreSQL, or what continues it.
	escaped bool
}

// lex returns the text's tokens; not ok where it is not certain where a token ends.
func (l *lexer) lex() bool {
	l.tokens = make([]token, 0, len(l.text)/5+8)
	for l.pos < len(l.text) {
		if !l.next() {
			return false
		}
	}
	return len(l.open) == 0
}

func (l *lexer) next() bool {
	b := l.text[l.pos]
	switch c := classes[b]; {
	case c == space:
		l.pos++
		return true
	case c == letter, b == '$' && l.d == MySQL:
		return l.word()
	case c == digit, b == '.' && l.ahead() == digit && !l.afterName():
		return l.number()
	}
	switch b {
	case '\\':
		return false // nowhere but in quotes, so a text that has one has been misread
	case '\'':
		return l.str(l.slash)
	case '"':
		if l.d == MySQL {
			return l.quote(stringToken, '"', l.slash)
		}
		return l.quote(quotedToken, '"', l.slash)
	case '`':
		if l.d != Postgres {
			return l.quote(quotedToken, '`', false)
		}
	case '[':
		switch l.d {
		case AnyDialect:
			return false
		case SQLite:
			end := strings.IndexByte(l.text[l.pos:], ']')
			return end >= 0 && l.add(quotedToken, l.pos+end+1)
		case Postgres:
			return l.push()
		}
	case '(':
		return l.push()
	case ']':
		if l.d == Postgres {
			return l.pop('[')
		}
	case ')':
		return l.pop('(')
	case '-':
		if l.at(1) == '-' {
			return l.dashes()
		}
	case '/':
		if l.at(1) == '*' {
			return l.comment()
		}
	case '#':
		switch l.d {
		case AnyDialect:
			return false
		case MySQL:
			l.line("\n")
			return true
		}
	case '$', '?', ':', '@':
		return l.param()
	}
	return l.add(signToken, l.pos+1)
}

func (l *lexer) add(k tokenKind, end int) bool {
	l.tokens = append(l.tokens, token{kind: k, start: int32(l.pos), end: int32(end)})
	l.pos = end
	l.escaped = false
	return true
}

// at returns the byte that stands ahead of the position, 0 (which no text has) behind the end.
func (l *lexer) at(ahead int) byte {
	if l.pos+ahead < len(l.text) {
		return l.text[l.pos+ahead]
	}
	return 0
}

// ahead is the class of the byte after this one.
func (l *lexer) ahead() class { return classes[l.at(1)] }

func (l *lexer) push() bool {
	l.open = append(l.open, int32(len(l.tokens)))
	return len(l.open) <= maxDepth && l.add(signToken, l.pos+1)
}

func (l *lexer) pop(opening byte) bool {
	if len(l.open) == 0 {
		return false
	}
	i := l.open[len(l.open)-1]
	l.open = l.open[:len(l.open)-1]
	if l.text[l.tokens[i].start] != opening {
		return false
	}
	l.tokens[i].match = int32(len(l.tokens))
	l.add(signToken, l.pos+1)
	l.tokens[len(l.tokens)-1].match = i
	return true
}

// afterName returns whether the last token can be followed by a dot and a name, so that `t.1` is not the number .1.
func (l *lexer) afterName() bool {
	if len(l.tokens) == 0 {
		return false
	}
	last := l.tokens[len(l.tokens)-1]
	return int(last.end) == l.pos && (last.kind == wordToken || last.kind == quotedToken)
}

func (l *lexer) word() bool {
	end := l.pos + 1
	for end < len(l.text) && classes[l.text[end]]&named != 0 {
		end++
	}
	if l.d == Postgres || l.d == AnyDialect {
		switch word := l.text[l.pos:end]; {
		case same(word, "e") && end < len(l.text) && l.text[end] == '\'':
			if l.d == AnyDialect {
				return false
			}
			l.add(wordToken, end)
			if !l.str(true) {
				return false
			}
			l.escaped = true
			return true
		case same(word, "u") && strings.HasPrefix(l.text[end:], `&"`):
			l.opaque = true
			return false
		}
	}
	return l.add(wordToken, end)
}

// number takes what all dialects agree on. A letter directly behind a number is where they do not.
func (l *lexer) number() bool {
	i := l.pos
	digits := func(set func(byte) bool) {
		for i < len(l.text) && (set(l.text[i]) || l.text[i] == '_') {
			i++
		}
	}
	decimal := func(b byte) bool { return classes[b] == digit }
	if l.at(0) == '0' && strings.IndexByte("xXbBoO", l.at(1)) >= 0 && l.at(1) != 0 {
		i += 2
		digits(func(b byte) bool { return decimal(b) || 'a' <= lower(b) && lower(b) <= 'f' })
	} else {
		digits(decimal)
		if i < len(l.text) && l.text[i] == '.' {
			i++
			digits(decimal)
		}
		if i < len(l.text) && lower(l.text[i]) == 'e' {
			mark := i
			i++
			if i < len(l.text) && (l.text[i] == '+' || l.text[i] == '-') {
				i++
			}
			if i < len(l.text) && decimal(l.text[i]) {
				digits(decimal)
			} else {
				i = mark
			}
		}
	}
	if i < len(l.text) && classes[l.text[i]]&named != 0 {
		// MySQL's names may begin with a digit.
		if l.d != MySQL || strings.IndexByte(l.text[l.pos:i], '.') >= 0 {
			return false
		}
		return l.word()
	}
	return l.add(numberToken, i)
}

func (l *lexer) param() bool {
	b, end := l.text[l.pos], l.pos+1
	run := func(set class) {
		for end < len(l.text) && classes[l.text[end]]&set != 0 {
			end++
		}
	}
	switch {
	case b == '?' && l.d == SQLite:
		run(digit)
		return (end == len(l.text) || classes[l.text[end]]&named == 0) && l.add(paramToken, end)
	case b == '?' && l.d != Postgres:
		return l.add(paramToken, end)
	case b == '$' && l.ahead() == digit && l.d != SQLite:
		run(digit)
		return (end == len(l.text) || classes[l.text[end]]&named == 0) && l.add(paramToken, end)
	case b == '$' && l.d == Postgres && (l.ahead() == letter || l.at(1) == '$'):
		return l.dollars()
	case b == '$' && l.d == AnyDialect:
		return false
	case b != '?' && l.d == SQLite && l.ahead()&named != 0:
		run(named)
		// A name of Tcl goes on with :: or (..), and takes nearly everything in.
		if rest := l.text[end:]; strings.HasPrefix(rest, "::") || strings.HasPrefix(rest, "(") {
			return false
		}
		return l.add(namedToken, end)
	}
	return l.add(signToken, end)
}
