package sqltext

// findJoined finds the sources of the outermost SELECT that are Joined.
func (q *queries) findJoined(b *block) {
	conditions := q.conditions[b.conditions:]
	found := false
	for i := range conditions {
		c := &conditions[i]
		c.joined = c.left >= 0 && q.items[c.left].source >= 0 && q.chooses(c)
		found = found || c.joined
	}
	if !found {
		return
	}
	q.dropUsed(b, conditions)
	// The ON of a source that is Joined may name another that is. It chooses rows where the source is not.
	for again := true; again; {
		again = false
		for i := range conditions {
			if c := &conditions[i]; c.left < 0 || c.joined {
				continue
			}
			for _, k := range q.conjunctsOf(&conditions[i]) {
				if k.link {
					again = drop(conditions, k.a.item) || again
					again = drop(conditions, k.b.item) || again
				}
			}
		}
	}
	for i := range conditions {
		if c := &conditions[i]; c.joined {
			q.reading.Sources[q.items[c.left].source].Joined = q.joinOf(c)
		}
	}
}

func (q *queries) conjunctsOf(c *condition) []conjunct {
	return q.conjuncts[c.conjuncts.lo:c.conjuncts.hi]
}

// drop makes an item none that is Joined, and returns whether it was one.
func drop(conditions []condition, item int) bool {
	for i := range conditions {
		if c := &conditions[i]; c.joined && c.left == item {
			c.joined = false
			return true
		}
	}
	return false
}

func dropAll(conditions []condition) {
	for i := range conditions {
		conditions[i].joined = false
	}
}

// chooses returns whether an ON chooses rows of its item by columns of one other source.
func (q *queries) chooses(c *condition) bool {
	to := -1
	for _, k := range q.conjunctsOf(c) {
		if !k.link {
			if !q.own(c, k.whole) {
				return false
			}
			continue
		}
		other := k.a.item
		if other == c.left {
			other = k.b.item
		} else if k.b.item != c.left {
			return false
		}
		if other < c.lo || other >= c.left || to >= 0 && other != to {
			return false
		}
		to = other
	}
	return to >= 0
}

// joinOf returns the Join that an ON makes.
func (q *queries) joinOf(c *condition) *Join {
	j := &Join{}
	for _, k := range q.conjunctsOf(c) {
		if !k.link {
			continue
		}
		if k.a.item != c.left {
			k.a, k.b = k.b, k.a
		}
		j.To = q.items[k.b.item].alias
		j.Columns = append(j.Columns, k.a.name)
		j.Others = append(j.Others, k.b.name)
	}
	return j
}

// own returns whether a condition surely speaks of c's item alone.
func (q *queries) own(c *condition, whole run) bool {
	for i := whole.lo; i < whole.hi; i++ {
		switch q.tokens[i].kind {
		case signToken:
			if q.sign(i, '@') && q.d == MySQL {
				return false
			}
		case wordToken, quotedToken:
			switch {
			case q.sign(i-1, '.') && i > whole.lo:
			case q.sign(i+1, '.'):
				col, next, ok := q.column(c, i)
				if !ok || col.item != c.left || q.sign(next, '(') {
					return false
				}
			case !q.keyword(i) && (q.sense(i)&scalarSense == 0 || !q.sign(i+1, '(')):
				return false
			}
		default:
			if q.sign(i+1, '.') {
				return false
			}
		}
	}
	return true
}

// keyword returns whether token i is surely a keyword, and not a column of its name.
func (q *queries) keyword(i int) bool {
	s := q.sense(i)
	switch {
	case q.is(i, "SELECT"):
		return false
	case s&reservedSense != 0:
		return true
	case q.is(i, "BY"):
		return q.any(i-1, "ORDER", "GROUP", "PARTITION")
	case q.any(i, "TRUE", "FALSE"):
		return q.d != SQLite
	}
	// Behind an operand stands no other.
	return s&keywordSense != 0 && (q.ends(i-1) || q.is(i-1, "NOT") && q.ends(i-2))
}

// dropUsed looks at the whole text but the outermost select list for what may name a source that is Joined, other than its own
// ON. It looks at each token once.
func (q *queries) dropUsed(b *block, conditions []condition) {
	inner, n := 0, 0 // behind the query that the token is in; the next condition
	for i := 0; i < q.end; i++ {
		if i == b.list.lo {
			i = b.list.hi
		}
		for n < len(conditions) && conditions[n].on.lo < i {
			n++
		}
		if n < len(conditions) && conditions[n].on.lo == i && conditions[n].joined {
			i = conditions[n].on.hi - 1
			continue
		}
		named := q.tokens[i].kind == quotedToken
		switch q.tokens[i].kind {
		case signToken:
			if q.sign(i, '(') && i >= inner && q.opensQuery(i) {
				inner = q.skip(i)
			}
			continue
		case numberToken:
			if i >= b.end && !q.any(i-1, "LIMIT", "OFFSET", "FIRST", "NEXT") {
				dropAll(conditions) // ORDER BY 3 names a column that is selected
			}
		case wordToken:
			named = true
		}
		call := q.sign(i+1, '(')
		switch name, ok := q.ident(i); {
		case !ok || q.tokens[i].match&tableSense != 0:
		case q.sign(i+1, '.'):
			for j := range conditions {
				if c := &conditions[j]; c.joined && (same(name, q.items[c.left].alias) || same(name, q.reading.Sources[q.items[c.left].source].Table.Table)) {
					c.joined = false
				}
			}
		case q.sign(i-1, '.'), q.is(i-1, "AS"), !named, q.keyword(i), q.is(i, "SELECT"):
		case call:
			// An aggregate makes one row of all.
			if i >= inner && q.sense(i)&(scalarSense|keywordSense) == 0 {
				dropAll(conditions)
			}
		default:
			own := false
			if i >= b.list.hi && i < b.end && i >= inner {
				if item, ok := q.unqualified(&conditions[0], name); ok {
					drop(conditions, item)
					own = true
				}
			}
			if !own {
				dropAll(conditions)
			}
		}
	}
}
