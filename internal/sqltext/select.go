package sqltext

// item is what stands in a FROM under a name.
type item struct {
	source int // of the reading; -1 for what is no table, or is not sure to be one
	alias  string
	called bool // has an alias, so that its table's name does not name it
}

// condition is what rows have to satisfy. Items are counted as in the query's items.
type condition struct {
	on       run
	lo, hi   int // the items that it is about
	rlo, rhi int // those whose rows it restricts

	// left is the one item on the right of a LEFT JOIN that stands in no brackets, -1 for other conditions; joined is whether
	// this condition is all that chooses its rows.
	left   int
	joined bool

	// What is known when all of the SELECT is: its first item, whether a column without a table's name can be told to be one
	// of its items, and the conjuncts of the condition.
	block     int
	tables    bool
	conjuncts run
}

// block is a SELECT.
type block struct {
	number     int
	base       int // its first item
	conditions int // its first condition
	list       run // what it selects
	end        int // behind its own clauses
	brackets   int // that are around a join
	tables     bool
	merges     bool // a NATURAL JOIN or USING makes one column of two
	outer      bool // a RIGHT or FULL JOIN
	joins      bool // it may have sources that are Joined
}

// selectClauses are where the clauses of a SELECT begin, each where the next one does if there is none.
type selectClauses struct{ from, where, group, having, window, end int }

// selects reads a SELECT up to what follows its own clauses.
func (q *queries) selects(i, hi int, at place) (next int, ok bool) {
	b := block{number: q.block(at), base: len(q.items), conditions: len(q.conditions), tables: true, joins: at == alone}
	for i++; q.any(i, "ALL", "DISTINCT", "DISTINCTROW", "HIGH_PRIORITY", "STRAIGHT_JOIN", "SQL_SMALL_RESULT", "SQL_BIG_RESULT",
		"SQL_BUFFER_RESULT", "SQL_NO_CACHE", "SQL_CACHE"); i++ {
		if q.d != MySQL && !q.any(i, "ALL", "DISTINCT") {
			break
		}
		b.joins = b.joins && !q.any(i, "DISTINCT", "DISTINCTROW")
	}
	if q.is(i, "SQL_CALC_FOUND_ROWS") {
		return i, q.fail(i, "the query leaves something for the next one")
	}
	c, ok := q.selectClauses(i, hi)
	if !ok {
		return i, false
	}
	b.list, b.end = run{i, c.from}, c.end
	// FROM comes first: what a subquery calls a table depends on what its neighbours are called.
	if c.from < c.where && !q.from(&b, c.from+1, c.where) {
		return i, false
	}
	for n := b.conditions; n < len(q.conditions); n++ {
		if on := q.conditions[n].on; !q.scan(on.lo, on.hi, inExpression) {
			return i, false
		}
	}
	calls := q.calls
	q.calls = false
	if !q.scan(i, c.from, inExpression) {
		return i, false
	}
	b.joins = b.joins && !q.calls && c.group == c.window
	q.calls = q.calls || calls
	if c.where < c.group {
		where, items := run{c.where + 1, c.group}, len(q.items)
		if !q.scan(where.lo, where.hi, inExpression) {
			return i, false
		}
		q.conditions = append(q.conditions, condition{on: where, lo: b.base, hi: items, rlo: b.base, rhi: items, left: -1})
	}
	if !q.scan(c.group, c.end, inClauses) {
		return i, false
	}
	q.restrict(&b)
	q.items, q.conditions = q.items[:b.base], q.conditions[:b.conditions]
	return c.end, true
}

// selectClauses finds the clauses of a SELECT whose list begins at token i.
func (q *queries) selectClauses(i, hi int) (c selectClauses, ok bool) {
	found := [...]int{-1, -1, -1, -1, -1}
	stage := -1
	c.end = hi
	for ; i < hi; i = q.skip(i) {
		if !q.opensClause(i) {
			continue
		}
		at, whole := -1, true
		switch {
		case q.is(i, "FROM"):
			at = 0
		case q.is(i, "WHERE"):
			at = 1
		case q.is(i, "GROUP"):
			at, whole = 2, q.is(i+1, "BY")
		case q.is(i, "HAVING"):
			at = 3
		case q.is(i, "WINDOW"):
			at, whole = 4, q.is(i+2, "AS") && q.sign(i+3, '(')
		case q.is(i, "INTO"):
			return c, q.fail(i, "the query writes its result")
		}
		if !q.follows(i, hi) {
			return c, false
		}
		if at < 0 {
			c.end = i
			break
		}
		if at <= stage || !whole {
			return c, q.fail(i, "a clause is not where it is expected")
		}
		stage = at
		found[at] = i //nolint:gosec // at is the index of a clause
	}
	next := c.end
	for at := len(found) - 1; at >= 0; at-- {
		if found[at] >= 0 {
			next = found[at]
		}
		found[at] = next
	}
	c.from, c.where, c.group, c.having, c.window = found[0], found[1], found[2], found[3], found[4]
	return c, true
}
