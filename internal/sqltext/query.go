package sqltext

// maxQueries is how deep queries may stand in each other, and maxCTEs how many CTEs may be known in one place.
const (
	maxQueries = 60
	maxCTEs    = 100
)

// cte is a name that stands for a query, where it is known.
type cte struct {
	name string
	// sure is false where the name may as well be a table's: in its own query and those before it, where dialects differ.
	sure bool
}

// place is where a query stands.
type place uint8

const (
	nested    place = iota // in another query
	outermost              // first among the outermost, which a set operation puts together
	alone                  // outermost, and there is no other
)

// query reads a query that takes all tokens from i to hi.
func (q *queries) query(i, hi int, at place) bool {
	if q.depth++; q.depth > maxQueries {
		return q.fail(i, "queries stand too deep in each other")
	}
	known := len(q.ctes)
	ok := q.parts(i, hi, at)
	q.ctes = q.ctes[:known]
	q.depth--
	return ok
}

// parts reads the WITH, the SELECTs and what follows the last of them.
func (q *queries) parts(i, hi int, at place) bool {
	if q.is(i, "WITH") {
		next, ok := q.known(i+1, hi)
		if !ok {
			return false
		}
		i = next
	}
	if at == alone && q.combined(i, hi) {
		at = outermost
	}
	for {
		next, ok := q.part(i, hi, at)
		if !ok {
			return false
		}
		i, at = next, nested
		if i >= hi || !q.combines(i) {
			return q.tail(i, hi)
		}
		if i++; q.any(i, "ALL", "DISTINCT") {
			i++
		}
	}
}

func (q *queries) combines(i int) bool { return q.any(i, "UNION", "INTERSECT", "EXCEPT") }

// combined returns whether a set operation may be among these tokens, outside brackets.
func (q *queries) combined(i, hi int) bool {
	for ; i < hi; i = q.skip(i) {
		if q.combines(i) {
			return true
		}
	}
	return false
}

// known reads what follows WITH, and returns where the query begins.
func (q *queries) known(i, hi int) (next int, ok bool) {
	recursive := q.is(i, "RECURSIVE")
	if recursive {
		i++
	}
	first := len(q.ctes)
	var bodies []run
	for {
		name, ok := q.ident(i)
		if !ok {
			return i, q.fail(i, "the name of a CTE is not understood")
		}
		if len(q.ctes) >= maxCTEs {
			return i, q.fail(i, "there are too many CTEs")
		}
		q.ctes = append(q.ctes, cte{name: name})
		start := i
		if i++; q.sign(i, '(') {
			i = q.skip(i)
		}
		q.marks(start, i)
		if !q.is(i, "AS") {
			return i, q.fail(i, "a CTE is not understood")
		}
		if i++; q.is(i, "NOT") {
			i++
		}
		if q.is(i, "MATERIALIZED") {
			i++
		}
		if !q.sign(i, '(') || q.skip(i) > hi {
			return i, q.fail(i, "a CTE is not understood")
		}
		bodies = append(bodies, run{i + 1, q.skip(i) - 1})
		if i = q.skip(i); !q.sign(i, ',') {
			break
		}
		i++
	}
	for n, body := range bodies {
		q.ctes[first+n].sure = recursive
		if !q.query(body.lo, body.hi, nested) {
			return i, false
		}
		q.ctes[first+n].sure = true
	}
	return i, true
}

// marks notes that tokens belong to a table's name or alias.
func (q *queries) marks(lo, hi int) {
	for i := lo; i < hi; i++ {
		switch t := &q.tokens[i]; t.kind {
		case wordToken:
			t.match |= tableSense
		case quotedToken, stringToken:
			t.match = tableSense
		}
	}
}

// part reads a SELECT, VALUES, TABLE or a query in brackets that begins at token i.
func (q *queries) part(i, hi int, at place) (next int, ok bool) {
	switch {
	case i >= hi:
		return i, q.fail(i, "a SELECT is missing")
	case q.sign(i, '('):
		next = q.skip(i)
		return next, q.query(i+1, next-1, at)
	case q.is(i, "SELECT"):
		return q.selects(i, hi, at)
	case q.is(i, "VALUES"):
		for next = i + 1; next < hi && !q.opensClause(next); {
			next = q.skip(next)
		}
		return next, q.scan(i+1, next, inExpression)
	case q.is(i, "TABLE") && q.d != SQLite:
		name, next, ok := q.name(i + 1)
		if !ok || next > hi {
			return i, q.fail(i, "the table is not understood")
		}
		q.source(name, name.Table, q.block(at))
		q.marks(i+1, next)
		return next, true
	case q.sense(i)&writeSense != 0, q.is(i, "REPLACE"):
		return i, q.fail(i, "the text writes")
	}
	return i, q.fail(i, "the text is not a query")
}

// block returns the number of the next SELECT.
func (q *queries) block(at place) int {
	if at != nested {
		return 0
	}
	q.blocks++
	return q.blocks - 1
}

// opensClause returns whether a clause of a query begins with token i, which is outside brackets.
func (q *queries) opensClause(i int) bool {
	if q.sense(i)&clauseSense == 0 || q.asName(i) {
		return false
	}
	switch {
	case q.is(i, "FROM"):
		return !q.distinctFrom(i)
	case q.is(i, "GROUP"):
		return !q.is(i-1, "WITHIN")
	case q.is(i, "FOR"):
		return !q.sequence(i)
	}
	return true
}

// sequence returns whether FOR belongs to MariaDB's NEXT VALUE FOR.
func (q *queries) sequence(i int) bool {
	return q.is(i-1, "VALUE") && q.any(i-2, "NEXT", "PREVIOUS")
}

// distinctFrom returns whether FROM belongs to IS [NOT] DISTINCT FROM.
func (q *queries) distinctFrom(i int) bool {
	return q.is(i-1, "DISTINCT") && (q.is(i-2, "IS") || q.is(i-2, "NOT") && q.is(i-3, "IS"))
}

// tail reads the ORDER BY and LIMIT of a query, which end it.
func (q *queries) tail(i, hi int) bool {
	q.tails++
	ok := q.limits(i, hi)
	q.tails--
	return ok
}

func (q *queries) limits(i, hi int) bool {
	if q.is(i, "ORDER") && i < hi {
		if !q.is(i+1, "BY") {
			return q.fail(i, "ORDER without BY")
		}
		end := i + 2
		for end < hi && !q.opensClause(end) {
			end = q.skip(end)
		}
		if !q.follows(end, hi) || !q.scan(i+2, end, inExpression) {
			return false
		}
		i = end
	}
	for i < hi {
		next, ok := i, false
		switch {
		case q.is(i, "LIMIT"):
			if next, ok = q.amount(i + 1); ok && q.sign(next, ',') {
				next, ok = q.amount(next + 1)
			}
		case q.is(i, "OFFSET"):
			if next, ok = q.amount(i + 1); q.any(next, "ROW", "ROWS") {
				next++
			}
		case q.is(i, "FETCH") && q.any(i+1, "FIRST", "NEXT"):
			if next, ok = q.amount(i + 2); !ok {
				next, ok = i+2, q.failure == nil
			}
			if ok = ok && q.any(next, "ROW", "ROWS"); ok {
				if next++; q.is(next, "WITH") && q.is(next+1, "TIES") {
					next++
				} else {
					ok = q.is(next, "ONLY")
				}
				next++
			}
		case q.is(i, "FOR"), q.is(i, "LOCK"):
			return q.fail(i, "the query locks rows, or asks for more than rows")
		case q.is(i, "INTO"):
			return q.fail(i, "the query writes its result")
		}
		if !ok || next > hi {
			return q.fail(i, "the end of a query is not understood")
		}
		i = next
	}
	return true
}

// amount reads how many rows a LIMIT takes.
func (q *queries) amount(i int) (next int, ok bool) {
	if q.sign(i, '-') {
		i++
	}
	switch {
	case i >= q.end:
		return i, false
	case q.sign(i, '('):
		next = q.skip(i)
		return next, q.scan(i, next, inExpression)
	case q.any(i, "ALL", "NULL"):
		return i + 1, true
	}
	k := q.tokens[i].kind
	return i + 1, k == numberToken || k == paramToken || k == namedToken
}

// follows checks that a clause that begins at token i stands where one can, so that its word is not a name.
func (q *queries) follows(i, hi int) bool {
	if i < hi && q.sense(i)&reservedSense == 0 && !q.ends(i-1) {
		return q.fail(i, "it is not certain what is meant by this word")
	}
	return true
}

// opensQuery returns whether the bracket at token i has a query in it, and not an expression that may begin with one.
func (q *queries) opensQuery(i int) bool {
	if q.plain.lo <= i && i < q.plain.hi {
		return false
	}
	inner := i
	for q.sign(inner, '(') {
		inner++
	}
	if !q.any(inner, "SELECT", "WITH", "VALUES", "TABLE") {
		// Nor does any bracket between them, which will be asked for as well.
		q.plain = run{i, inner}
		return false
	}
	// What follows the brackets within this one shows whether they were operands.
	for at := inner - 2; at >= i; at-- {
		after := q.skip(at + 1)
		if !q.sign(after, ')') && !q.combines(after) && !q.any(after, "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR") {
			return false
		}
	}
	return true
}
