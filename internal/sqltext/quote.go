package sqltext

import "strings"

// str takes a '..'. Strings of PostgreSQL that follow an E'..' continue it, and are read as it is.
func (l *lexer) str(slash bool) bool {
	start, continues := l.pos, l.escaped
	if !l.quote(stringToken, '\'', slash) {
		return false
	}
	if continues {
		if strings.IndexByte(l.text[start:l.pos], '\\') >= 0 {
			return false
		}
		l.escaped = true
	}
	return true
}

// quote takes what stands between two quotes; a quote in it is doubled or, with slash, behind a backslash.
func (l *lexer) quote(k tokenKind, q byte, slash bool) bool {
	i, closing := l.pos+1, -1
	for {
		if closing < i {
			at := strings.IndexByte(l.text[i:], q)
			if at < 0 {
				return false
			}
			closing = i + at
		}
		if slash {
			if at := strings.IndexByte(l.text[i:closing], '\\'); at >= 0 {
				l.ambiguous = l.ambiguous || i+at+1 == closing
				i += at + 2
				continue
			}
		}
		if closing+1 < len(l.text) && l.text[closing+1] == q {
			i = closing + 2
			continue
		}
		return l.add(k, closing+1)
	}
}

// dollars takes PostgreSQL's $tag$..$tag$.
func (l *lexer) dollars() bool {
	end := l.pos + 1
	for end < len(l.text) && classes[l.text[end]]&(letter|digit) != 0 {
		end++
	}
	if end == len(l.text) || l.text[end] != '$' {
		return false
	}
	tag := l.text[l.pos : end+1]
	closing := strings.Index(l.text[end+1:], tag)
	return closing >= 0 && l.add(stringToken, end+1+closing+len(tag))
}

// dashes takes a comment that begins with two dashes, which in MySQL are one only before a space.
func (l *lexer) dashes() bool {
	if after := l.at(2); l.pos+2 < len(l.text) && after > ' ' {
		switch l.d {
		case AnyDialect:
			return false
		case MySQL:
			return l.add(signToken, l.pos+1)
		}
	}
	switch l.d {
	case Postgres: // alone in that a carriage return ends the comment
		l.line("\r\n")
		return true
	case AnyDialect:
		comment := l.line("\n")
		cr := strings.IndexByte(comment, '\r')
		return cr < 0 || cr == len(comment)-1
	default:
		l.line("\n")
		return true
	}
}

// line skips to the end of the line, and returns what it skipped.
func (l *lexer) line(ends string) string {
	rest := l.text[l.pos:]
	if end := strings.IndexAny(rest, ends); end >= 0 {
		rest = rest[:end]
	}
	l.pos += len(rest)
	return rest
}

// comment skips a /* */. MySQL runs what stands in a /*! */.
func (l *lexer) comment() bool {
	i := l.pos + 2
	cautious := l.d == MySQL || l.d == AnyDialect
	if rest := l.text[i:]; cautious && (strings.HasPrefix(rest, "!") || strings.HasPrefix(rest, "M!")) {
		return false
	}
	for depth := 1; ; i++ {
		at := strings.IndexAny(l.text[i:], "*/")
		if at < 0 || i+at+1 >= len(l.text) {
			return false
		}
		i += at
		switch {
		case l.text[i] == '*' && l.text[i+1] == '/':
			i++
			if depth--; depth == 0 {
				l.pos = i + 1
				return true
			}
		case l.text[i] == '/' && l.text[i+1] == '*':
			if cautious {
				return false
			}
			if l.d == Postgres {
				depth++
				i++
			}
		}
	}
}
