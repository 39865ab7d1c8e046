package sqltext

// ref is a table among those that MySQL's UPDATE and DELETE join.
type ref struct {
	name  Name
	alias string
}

// refs reads a list of joined tables; it is not ok if one may be missing. Tables of subqueries are not written, and left out.
func (r *reader) refs(i, end int) (all []ref, ok bool) {
	expects := true
	for i < end {
		switch {
		case r.sign(i, ',') || r.any(i, "JOIN", "STRAIGHT_JOIN") && !r.sign(i-1, '.'):
			expects = true
			i++
		case !expects:
			i = r.skip(i)
		case r.sign(i, '('):
			next := r.skip(i)
			if !r.reads(i) && !r.is(i+1, "WITH") {
				inner, ok := r.refs(i+1, next-1)
				if !ok {
					return nil, false
				}
				all = append(all, inner...)
			}
			expects = false
			i = next
		case r.is(i, "LATERAL"):
			i++
		default:
			expects = false
			name, next, ok := r.name(i)
			if !ok {
				return nil, false
			}
			t := ref{name: name}
			if r.is(next, "PARTITION") && r.sign(next+1, '(') {
				next = r.skip(next + 1)
			}
			if r.is(next, "AS") {
				next++
			}
			if !r.clause(next) && next < end {
				t.alias, _ = r.ident(next)
			}
			all = append(all, t)
			i = next
		}
	}
	// MySQL joins no more than 61. A list without bounds would be looked through for each column that is set.
	return all, len(all) > 0 && len(all) <= 64 && !expects
}

// resolve returns the tables that a name in the statement can stand for: all if it is empty or none of them.
func resolve(refs []ref, called string) []Name {
	var found, all []Name
	for _, t := range refs {
		all = append(all, t.name)
		if called != "" && (same(t.alias, called) || t.alias == "" && same(t.name.Table, called)) {
			found = append(found, t.name)
		}
	}
	if found == nil {
		return all
	}
	return found
}

// several reads MySQL's UPDATE of joined tables, which begin at token i.
func (r *reader) several(s *Statement, i int) {
	at := r.find(i, "SET")
	refs, ok := r.refs(i, at)
	if at == r.end || !ok || r.d == AnyDialect {
		r.wide(s, r.names(r.lo, r.end)...)
		return
	}
	set := r.set(at + 1)
	var tables []Name
	for _, q := range set.qualifier {
		called := ""
		if q >= 0 {
			called, _ = r.ident(q)
		}
		tables = append(tables, resolve(refs, called)...)
	}
	if set.unknown {
		tables = append(tables, resolve(refs, "")...)
	}
	r.wide(s, tables...)
}

// deleteSeveral reads MySQL's DELETE from several tables: their list begins at token i, the joined tables behind separator.
func (r *reader) deleteSeveral(s *Statement, i int, separator string) {
	at := r.find(i, separator)
	where := r.find(at+1, "WHERE", "ORDER", "LIMIT", "RETURNING")
	refs, ok := r.refs(at+1, where)
	if at == r.end || !ok || r.d == AnyDialect {
		r.wide(s, r.names(r.lo, r.end)...)
		return
	}
	var tables []Name
	for j := i; j < at; j++ {
		word, ok := r.ident(j)
		if !ok || r.sign(j+1, '.') && !r.sign(j+2, '*') {
			continue
		}
		tables = append(tables, resolve(refs, word)...)
	}
	if len(tables) == 0 {
		tables = resolve(refs, "")
	}
	r.wide(s, tables...)
}
