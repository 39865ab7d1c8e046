package sqltext

// set is the list of what an UPDATE or an upsert sets.
type set struct {
	columns   []string
	qualifier []int // for each column the token of the table that it is qualified by, -1 if none
	unknown   bool  // there may be more columns
	next      int   // behind the list
}

// set reads such a list from token i on, to the next clause.
func (r *reader) set(i int) set {
	var l set
	for {
		i = r.assign(&l, i)
		for i < r.end && !r.sign(i, ',') && !r.afterSet(i) {
			i = r.skip(i)
		}
		if !r.sign(i, ',') {
			l.next = i
			return l
		}
		i++
	}
}

// assign reads the columns before an equals sign.
func (r *reader) assign(l *set, i int) int {
	if r.sign(i, '(') {
		last := r.skip(i) - 1
		for i++; ; i++ {
			next, ok := r.column(l, i)
			if i = next; !ok || i != last && !r.sign(i, ',') {
				l.unknown = true
				return last + 1
			}
			if i == last {
				i++
				break
			}
		}
	} else {
		next, ok := r.column(l, i)
		if !ok {
			l.unknown = true
			return i
		}
		i = next
	}
	if r.sign(i, ':') && r.d != Postgres {
		i++
	}
	if !r.sign(i, '=') {
		l.unknown = true
	}
	return i
}

// column reads one column with what qualifies it.
func (r *reader) column(l *set, i int) (next int, ok bool) {
	var parts []int
	for {
		if _, ok := r.ident(i); !ok {
			return i, false
		}
		parts = append(parts, i)
		if i++; !r.sign(i, '.') {
			break
		}
		i++
	}
	for r.d == Postgres && r.sign(i, '[') {
		i = r.skip(i)
		for r.sign(i, '.') { // a field of an element
			if _, ok := r.ident(i + 1); !ok {
				return i, false
			}
			i += 2
		}
	}
	last := len(parts) - 1
	use := parts[last:]
	switch {
	case last == 0:
	case r.d == Postgres:
		use = parts[:1] // its columns are never qualified: what follows the dot is a field of a composite
	case r.d == AnyDialect:
		use = parts
	}
	for _, p := range use {
		column, _ := r.ident(p)
		qualifier := -1
		if last > 0 && p == parts[last] {
			qualifier = parts[last-1]
		}
		l.columns, l.qualifier = append(l.columns, column), append(l.qualifier, qualifier)
	}
	return i, true
}

// afterSet returns whether a clause begins at token i that can follow a list of what is set.
func (r *reader) afterSet(i int) bool {
	switch {
	case i < r.end && r.tokens[i].kind != wordToken, r.asName(i):
		return false
	case r.is(i, "FROM"):
		return !r.is(i-1, "DISTINCT") // IS DISTINCT FROM
	case r.is(i, "ORDER"):
		return r.is(i+1, "BY")
	}
	return r.any(i, "WHERE", "LIMIT") || r.conflict(i) || r.is(i, "RETURNING") && r.returning(i)
}

// conflict returns whether an upsert begins at token i.
func (r *reader) conflict(i int) bool {
	return r.is(i, "ON") && (r.is(i+1, "CONFLICT") || r.is(i+1, "DUPLICATE") && r.is(i+2, "KEY") && r.is(i+3, "UPDATE"))
}

// returning returns whether the word RETURNING at token i can begin the clause; in MySQL it can be a column.
func (r *reader) returning(i int) bool {
	if i+1 >= r.end || r.asName(i) || !r.complete(i) {
		return false
	}
	if r.tokens[i+1].kind == signToken {
		switch r.text[r.tokens[i+1].start] {
		case '*', '(', '-', '+', ':', '@', '~':
		default:
			return false
		}
	}
	return !r.any(i+1, "AND", "OR", "IS", "IN", "LIKE", "BETWEEN", "FROM", "WHERE", "ASC", "DESC", "LIMIT", "DIV", "MOD", "XOR", "REGEXP")
}

// complete returns whether what stands before token i can be the end of a clause.
func (r *reader) complete(i int) bool {
	if i <= r.lo {
		return false
	}
	last := i - 1
	if r.tokens[last].kind == signToken {
		// A star ends ONLY t *, and RETURNING *; in MySQL, more likely, it multiplies a column that is called returning.
		star := r.sign(last, '*') && (r.d == Postgres || r.d == SQLite || i == r.end && r.is(last-1, "RETURNING"))
		return star || r.sign(last, ')') || r.sign(last, ']') && r.d == Postgres
	}
	return !r.is(last, "AS") && (r.asName(last) || !r.any(last, "SET", "WHERE", "AND", "OR", "NOT", "BY", "ON", "IN", "IS", "LIKE", "SELECT", "FROM", "HAVING", "WHEN",
		"THEN", "ELSE", "CASE", "BETWEEN", "DISTINCT", "USING", "JOIN", "UPDATE", "INTO", "XOR", "DIV", "MOD", "REGEXP", "RLIKE", "INTERVAL", "BINARY",
		"LIMIT", "OFFSET", "GLOB", "ILIKE", "ESCAPE", "MATCH", "RETURNING", "WITH", "UNION", "EXCEPT", "INTERSECT", "DO", "CONFLICT", "CONSTRAINT"))
}
