package sqltext

// part is the tokens of one statement: from lo to before hi.
type part struct{ lo, hi int }

// split cuts tokens at the semicolons between statements; those within the body of a trigger or routine are none.
// It is not ok where it cannot tell.
func split(d Dialect, text string, tokens []token) ([]part, bool) {
	r := &reader{d: d, text: text, tokens: tokens, end: len(tokens)}
	var parts []part
	lo, depth := 0, 0
	var b body
	for i := range tokens {
		switch tokens[i].kind {
		case wordToken:
			if depth == 0 {
				b.word(r, lo, i)
			}
		case signToken:
			switch text[tokens[i].start] {
			case '(', '[':
				if tokens[i].match > 0 {
					depth++
				}
			case ')', ']':
				// The counterpart of a bracket that opened with the first token is 0, as is that of no bracket.
				if depth > 0 && r.closes(i) {
					depth--
				}
			case ';':
				switch {
				case b.depth > 0:
				case depth > 0:
					// CREATE RULE has statements in brackets; elsewhere it makes no sense.
					if !r.is(lo, "CREATE") {
						return nil, false
					}
				default:
					parts = append(parts, part{lo, i})
					lo, b = i+1, body{}
				}
			}
		}
	}
	if lo < len(tokens) {
		parts = append(parts, part{lo, len(tokens)})
	}
	return parts, b.depth == 0
}

// closes returns whether a closing bracket has a counterpart. PostgreSQL alone counts square ones.
func (r *reader) closes(i int) bool {
	return r.sign(i, ')') || r.d == Postgres
}

// body counts the BEGIN and END of a trigger's or routine's body.
type body struct {
	routine bool
	depth   int
}

func (b *body) word(r *reader, lo, i int) {
	switch {
	case !r.any(lo, "CREATE", "ALTER") || r.asName(i):
	case !b.routine:
		b.routine = r.any(i, "TRIGGER", "FUNCTION", "PROCEDURE", "EVENT", "PACKAGE")
	case r.is(i, "BEGIN"):
		if r.d != Postgres || r.is(i+1, "ATOMIC") || b.depth > 0 {
			b.depth++
		}
	case b.depth == 0:
	case r.is(i, "CASE"):
		if !r.is(i-1, "END") {
			b.depth++
		}
	case r.is(i, "END"):
		if !r.any(i+1, "IF", "LOOP", "WHILE", "REPEAT", "FOR") {
			b.depth--
		}
	}
}
