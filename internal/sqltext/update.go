package sqltext

// update reads an UPDATE.
func (r *reader) update(s *Statement, main int) {
	i, replaces, ok := r.modifiers(s, main+1)
	if !ok {
		r.wide(s, r.names(r.lo, r.end)...)
		return
	}
	t, ok := r.target(i, false)
	several := r.d == MySQL || r.d == AnyDialect
	if !ok || !r.is(t.next, "SET") {
		switch {
		case several:
			r.several(s, i)
		case t.name.Table != "":
			r.wide(s, t.name)
		default:
			r.wide(s, r.names(r.lo, r.end)...)
		}
		return
	}
	set := r.set(t.next + 1)
	c, ok := r.clauses(set.next)
	_, nested := r.nested(main)
	if !ok || c.first() != set.next || replaces || nested || c.from < c.where && several || !r.complete(r.end) {
		r.wide(s, t.name)
		return
	}
	s.Kind, s.Tables = Update, []Name{t.name}
	s.SetColumns, s.SetUnknown = set.columns, set.unknown
	s.chosen(r, t, run{min(c.from+1, c.where), c.where}, c)
}

// modifiers skips what stands between UPDATE or INSERT and the table.
func (r *reader) modifiers(s *Statement, i int) (next int, replaces, ok bool) {
	if r.is(i, "OR") && (r.d == SQLite || r.d == AnyDialect) {
		if !r.any(i+1, "IGNORE", "REPLACE", "ABORT", "FAIL", "ROLLBACK") {
			return i, false, false
		}
		if r.is(i+1, "IGNORE") {
			s.Conflict = ConflictIgnored
		}
		return i + 2, r.is(i+1, "REPLACE"), true
	}
	for (r.d == MySQL || r.d == AnyDialect) && r.any(i, "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "IGNORE") {
		if r.is(i, "IGNORE") {
			s.Conflict = ConflictIgnored
		}
		i++
		// Elsewhere such a word can be the table.
		if r.d == AnyDialect && !r.is(i, "INTO") && !r.any(i, "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "IGNORE") {
			return i, false, false
		}
	}
	return i, false, true
}

// delete reads a DELETE.
func (r *reader) delete(s *Statement, main int) {
	i := main + 1
	several := r.d == MySQL || r.d == AnyDialect
	for several && r.any(i, "LOW_PRIORITY", "QUICK", "IGNORE") {
		i++
	}
	if !r.is(i, "FROM") {
		if several {
			r.deleteSeveral(s, i, "FROM")
		} else {
			r.wide(s, r.names(r.lo, r.end)...)
		}
		return
	}
	i++
	t, ok := r.target(i, false)
	if several && (!ok || r.sign(t.next, ',') || r.is(t.next, "USING")) {
		r.deleteSeveral(s, i, "USING")
		return
	}
	if !ok {
		if t.name.Table != "" {
			r.wide(s, t.name)
		} else {
			r.wide(s, r.names(r.lo, r.end)...)
		}
		return
	}
	from := run{t.next, t.next}
	next := t.next
	if r.is(next, "USING") {
		next = r.find(next+1, "WHERE", "RETURNING")
		from = run{t.next + 1, next}
	}
	c, ok := r.clauses(t.next)
	_, nested := r.nested(main)
	switch {
	case ok && c.from == c.where && c.where == next && !nested && r.complete(r.end):
		s.Kind, s.Tables = Delete, []Name{t.name}
		s.chosen(r, t, from, c)
	case several:
		r.wide(s, r.names(r.lo, r.end)...)
	default:
		r.wide(s, t.name)
	}
}

// clauses are where the clauses of an UPDATE or DELETE begin; each is where the next one does if there is none.
type clauses struct {
	from, where, order, returning, end int
}

func (c clauses) first() int { return min(c.from, c.where) }

// clauses finds them from token i on. It is not ok if there is anything else, or another order.
func (r *reader) clauses(i int) (c clauses, ok bool) {
	found := [...]int{-1, -1, -1, -1}
	stage := -1
	for ; i < r.end; i = r.skip(i) {
		if r.tokens[i].kind != wordToken || r.asName(i) {
			continue
		}
		at := -1
		switch {
		case r.is(i, "FROM"):
			if !r.is(i-1, "DISTINCT") {
				at = 0
			}
		case r.is(i, "WHERE"):
			at = 1
		case r.is(i, "ORDER"), r.is(i, "LIMIT"):
			at = 2
			if stage == 2 && r.is(i, "LIMIT") {
				continue
			}
		case r.is(i, "RETURNING"):
			if !r.returning(i) {
				return c, false
			}
			at = 3
		case r.any(i, "SET", "SELECT", "VALUES", "UNION", "EXCEPT", "INTERSECT", "INTO", "UPDATE", "INSERT", "DELETE", "MERGE",
			"WINDOW", "GROUP", "HAVING", "FOR", "FETCH"):
			return c, false
		}
		if at < 0 {
			continue
		}
		if at <= stage {
			return c, false
		}
		stage = at
		found[at] = i //nolint:gosec // at is a clause's own number, below their count
	}
	c.end = r.end
	next := r.end
	for at := len(found) - 1; at >= 0; at-- {
		if found[at] >= 0 {
			next = found[at]
		}
		found[at] = next
	}
	c.from, c.where, c.order, c.returning = found[0], found[1], found[2], found[3]
	return c, true
}
