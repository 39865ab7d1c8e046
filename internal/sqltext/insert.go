package sqltext

// insert reads an INSERT or REPLACE.
func (r *reader) insert(s *Statement, main int) {
	i, replaces, ok := r.modifiers(s, main+1)
	into := r.is(i, "INTO")
	if into {
		i++
	}
	if !ok || !into && (r.d == Postgres || r.d == SQLite) {
		r.wide(s, r.names(r.lo, r.end)...)
		return
	}
	t, ok := r.target(i, true)
	if !ok {
		if t.name.Table != "" {
			r.wide(s, t.name)
		} else {
			r.wide(s, r.names(r.lo, r.end)...)
		}
		return
	}
	i = t.next
	if r.sign(i, '(') && !r.reads(i) && !r.is(i+1, "WITH") {
		i = r.skip(i)
	}
	if _, found := r.nested(main); found || !r.inserts(i) || !r.insertTail(s, i) || !r.complete(r.end) {
		r.wide(s, t.name)
		return
	}
	s.Kind, s.Tables = Insert, []Name{t.name}
	if replaces || r.is(main, "REPLACE") {
		s.Conflict = ConflictReplaces
	}
	s.written.called = r.raw(t.called)
}

// inserts returns whether what is inserted can begin at token i.
func (r *reader) inserts(i int) bool {
	return r.any(i, "VALUES", "VALUE", "SELECT", "WITH", "TABLE", "SET", "OVERRIDING", "DEFAULT") || r.reads(i)
}

// insertTail reads upserts and RETURNING, which follow what is inserted. It is not ok if there is something it does not expect.
func (r *reader) insertTail(s *Statement, i int) bool {
	for i < r.end {
		switch {
		case r.asName(i):
			i = r.skip(i)
		case r.conflict(i):
			next, ok := r.upsert(s, i)
			if !ok {
				return false
			}
			i = next
		case r.is(i, "RETURNING"):
			if !r.returning(i) {
				return false
			}
			s.HasReturning = true
			// Nothing follows it: what looks as if it did has been misread.
			for i++; i < r.end; i = r.skip(i) {
				if !r.asName(i) && (r.conflict(i) || r.any(i, "RETURNING", "WHERE", "SELECT", "UNION", "VALUES", "LIMIT", "ORDER", "GROUP")) {
					return false
				}
			}
		default:
			i = r.skip(i)
		}
	}
	return true
}

// upsert reads one ON CONFLICT or ON DUPLICATE KEY UPDATE that begins at token i.
func (r *reader) upsert(s *Statement, i int) (next int, ok bool) {
	if r.is(i+1, "DUPLICATE") {
		i += 4
	} else {
		i += 2
		if !r.sign(i, '(') && !r.is(i, "DO") && (!r.is(i, "ON") || !r.is(i+1, "CONSTRAINT")) {
			return i, false
		}
		for i < r.end && (!r.is(i, "DO") || !r.any(i+1, "NOTHING", "UPDATE")) {
			if i = r.skip(i); r.is(i, "RETURNING") || r.conflict(i) {
				return i, false
			}
		}
		switch {
		case r.is(i+1, "NOTHING"):
			if s.Conflict == ConflictFails {
				s.Conflict = ConflictIgnored
			}
			return i + 2, true
		case !r.is(i+2, "SET"):
			return i, false
		}
		i += 3
	}
	set := r.set(i)
	s.Conflict = ConflictUpdates
	s.SetColumns = append(s.SetColumns, set.columns...)
	s.SetUnknown = s.SetUnknown || set.unknown
	return set.next, true
}

// merge reads a MERGE. What it does to which row its text does not tell.
func (r *reader) merge(s *Statement, main int) {
	if t, _ := r.target(main+2, false); r.is(main+1, "INTO") && t.name.Table != "" {
		r.wide(s, t.name)
		return
	}
	r.wide(s, r.names(r.lo, r.end)...)
}
