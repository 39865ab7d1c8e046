package sqltext

// run is tokens from lo to before hi; none if they are equal.
type run struct{ lo, hi int }

// target is the table of an INSERT, UPDATE or DELETE with all that belongs to it.
type target struct {
	name      Name
	table     run // with its schema, ONLY and *
	partition run
	alias     run // with its AS
	hints     run
	called    int // the token by which the rest of the statement calls it
	next      int // behind all of it
}

// target reads the table of a statement from token i on. If it is not ok but the target has a name, then that is certain.
func (r *reader) target(i int, insert bool) (t target, ok bool) {
	t.table.lo = i
	paren := false
	if r.is(i, "ONLY") {
		switch r.d {
		case Postgres:
			i++
			if paren = r.sign(i, '('); paren {
				i++
			}
		case AnyDialect:
			return t, false
		}
	}
	name, next, ok := r.onlyWordName(i)
	if !ok {
		return t, false
	}
	t.name, t.called, i = name, next-1, next
	if paren {
		if !r.sign(i, ')') {
			return t, false
		}
		i++
	}
	if r.sign(i, '*') {
		i++
	}
	t.table.hi = i
	i = r.partition(&t, i)
	switch {
	case r.is(i, "AS"):
		if _, named := r.ident(i + 1); !named || r.clause(i+1) {
			return t, false
		}
		t.alias, t.called = run{i, i + 2}, i+1
		i += 2
	case insert || r.clause(i):
	default:
		if _, named := r.ident(i); named {
			t.alias, t.called = run{i, i + 1}, i
			i++
		}
	}
	i = r.partition(&t, i)
	t.next = r.hints(&t, i)
	return t, true
}

// onlyWordName is name, but for SQLite and MySQL, where a table can be called only.
func (r *reader) onlyWordName(i int) (Name, int, bool) {
	if r.is(i, "ONLY") && (r.d == SQLite || r.d == MySQL) && !r.sign(i+1, '.') {
		return Name{Table: r.raw(i)}, i + 1, true
	}
	return r.name(i)
}

// clause returns whether token i is a word that no alias without AS can be.
func (r *reader) clause(i int) bool {
	return i < r.end && r.tokens[i].kind == wordToken && clauseWord(r.raw(i))
}

func (r *reader) partition(t *target, i int) int {
	if r.is(i, "PARTITION") && r.sign(i+1, '(') && r.d != Postgres && r.d != SQLite {
		t.partition = run{i, r.skip(i + 1)}
		return t.partition.hi
	}
	return i
}

// hints takes SQLite's INDEXED BY and MySQL's USE INDEX.
func (r *reader) hints(t *target, i int) int {
	t.hints.lo = i
	_, named := r.ident(i + 2)
	switch {
	case r.is(i, "INDEXED") && r.is(i+1, "BY") && named:
		i += 3
	case r.is(i, "NOT") && r.is(i+1, "INDEXED"):
		i += 2
	case r.d == MySQL || r.d == AnyDialect:
		for next, ok := r.hint(i); ok; next, ok = r.hint(i) {
			i = next
			if after, again := r.hint(i + 1); r.sign(i, ',') && again {
				i = after
			}
		}
	}
	t.hints.hi = i
	return i
}

// hint takes one such as USE INDEX FOR ORDER BY (a, b).
func (r *reader) hint(i int) (next int, ok bool) {
	if !r.any(i, "USE", "FORCE", "IGNORE") || !r.any(i+1, "INDEX", "KEY") {
		return i, false
	}
	for i += 2; r.any(i, "FOR", "JOIN", "ORDER", "GROUP", "BY"); i++ {
	}
	return r.skip(i), r.sign(i, '(')
}
