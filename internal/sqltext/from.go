package sqltext

import "slices"

// maxItems is how many items a FROM can have and still have criteria: what is known of one is looked for among all.
const maxItems = 64

// joinKind is what a join does with rows that its condition rejects.
type joinKind uint8

const (
	innerJoin joinKind = iota
	leftJoin
	rightJoin
	fullJoin
)

// from reads a list of joins that takes all tokens from i to hi.
func (q *queries) from(b *block, i, hi int) bool {
	for {
		next, ok := q.joined(b, i, hi)
		if !ok {
			return false
		}
		if i = next; i == hi {
			return true
		}
		if !q.sign(i, ',') {
			return q.fail(i, "what is joined is not understood")
		}
		i++
	}
}

// joined reads one element of the list: an item with all that is joined to it. The list's comma binds less than JOIN, but in
// SQLite, where an ON may speak of what stands before the comma; nothing is concluded for that.
func (q *queries) joined(b *block, i, hi int) (next int, ok bool) {
	first := len(q.items)
	if i, ok = q.item(b, i, hi); !ok {
		return i, false
	}
	for i < hi && !q.sign(i, ',') {
		kind, natural, next, ok := q.join(i)
		if !ok {
			return i, q.fail(i, "what is joined is not understood")
		}
		q.marks(i, next)
		mid := len(q.items)
		if i, ok = q.item(b, next, hi); !ok {
			return i, false
		}
		last := len(q.items)
		b.merges = b.merges || natural
		b.outer = b.outer || kind == rightJoin || kind == fullJoin
		switch {
		case q.is(i, "ON") && !natural:
			end := q.condition(i+1, hi)
			if end < hi && !q.sign(end, ',') && !q.ends(end-1) {
				return i, q.fail(end, "it is not certain what is meant by this word")
			}
			c := condition{on: run{i + 1, end}, lo: first, hi: last, rlo: first, rhi: last, left: -1}
			switch kind {
			case leftJoin:
				c.rlo = mid
				if last == mid+1 && b.brackets == 0 {
					c.left = mid
				}
			case rightJoin, fullJoin:
				c.rlo, c.rhi = last, last
			}
			q.conditions = append(q.conditions, c)
			i = end
		case q.is(i, "USING") && q.sign(i+1, '(') && !natural:
			b.merges = true
			i = q.skip(i + 1)
			q.marks(i-1, i)
		case natural, kind == innerJoin && (q.d != Postgres || q.is(next-2, "CROSS")):
		default:
			return i, q.fail(i, "a join has no ON")
		}
	}
	return i, true
}

// join reads the words of a join.
func (q *queries) join(i int) (kind joinKind, natural bool, next int, ok bool) {
	if q.is(i, "STRAIGHT_JOIN") && q.d == MySQL {
		return innerJoin, false, i + 1, true
	}
	for n := 0; n < 3 && !q.is(i, "JOIN"); n++ {
		switch {
		case q.is(i, "NATURAL") && !natural:
			natural = true
		case q.any(i, "INNER", "CROSS"):
		case q.is(i, "OUTER") && kind != innerJoin:
		case q.is(i, "LEFT") && kind == innerJoin:
			kind = leftJoin
		case q.is(i, "RIGHT") && kind == innerJoin:
			kind = rightJoin
		case q.is(i, "FULL") && kind == innerJoin && q.d != MySQL: // where it is an alias
			kind = fullJoin
		default:
			return kind, natural, i, false
		}
		i++
	}
	return kind, natural, i + 1, q.is(i, "JOIN")
}

// condition returns where the condition of an ON ends: at the next join, comma or closing bracket.
func (q *queries) condition(i, hi int) int {
	for ; i < hi; i = q.skip(i) {
		if q.sign(i, ',') {
			return i
		}
		s := q.sense(i)
		if s&joinSense != 0 && !q.asName(i) && (s&scalarSense == 0 || !q.sign(i+1, '(')) {
			return i
		}
	}
	return hi
}

// item reads a table, a query in brackets or joins in brackets, with its alias.
func (q *queries) item(b *block, i, hi int) (next int, ok bool) {
	if q.is(i, "LATERAL") && q.d != SQLite && q.sign(i+1, '(') {
		q.marks(i, i+1)
		i++
	}
	if i >= hi {
		return i, q.fail(i, "a table is missing")
	}
	if q.sign(i, '(') {
		end := q.skip(i)
		if q.opensQuery(i) {
			if !q.query(i+1, end-1, nested) {
				return i, false
			}
			b.tables = false
			it := item{source: -1}
			if next, ok = q.alias(&it, end, hi); !ok {
				return next, false
			}
			if q.sign(next, '(') && it.called {
				next = q.columns(next)
			}
			q.items = append(q.items, it)
			return next, true
		}
		b.brackets++
		ok = q.from(b, i+1, end-1)
		b.brackets--
		if ok && end < hi && !q.sign(end, ',') && !q.any(end, "ON", "USING") && q.sense(end)&joinSense == 0 {
			return end, q.fail(end, "joins in brackets have a name")
		}
		return end, ok
	}
	return q.table(b, i, hi)
}

// table reads a table or CTE.
func (q *queries) table(b *block, i, hi int) (next int, ok bool) {
	start := i
	only := q.is(i, "ONLY") && q.d == Postgres
	brackets := only && q.sign(i+1, '(')
	if only {
		i++
	}
	if brackets {
		i++
	}
	if s := q.sense(i); s&(structureSense|clauseSense|joinSense|writeSense) != 0 {
		return i, q.fail(i, "a table is missing before this word")
	}
	if q.d == MySQL && q.is(i, "DUAL") {
		q.marks(i, i+1)
		q.items = append(q.items, item{source: -1})
		b.tables = false
		return i + 1, true
	}
	name, next, ok := q.name(i)
	if !ok || next > hi {
		return i, q.fail(i, "a table is not understood")
	}
	if brackets {
		if !q.sign(next, ')') {
			return next, q.fail(next, "a table is not understood")
		}
		next++
	}
	if q.sign(next, '(') {
		return i, q.fail(i, "there is a function among the tables")
	}
	if q.d == Postgres && q.sign(next, '*') {
		next++
	}
	if q.d == MySQL {
		next = q.partition(&target{}, next)
	}
	it := item{source: -1, alias: name.Table}
	if next, ok = q.alias(&it, next, hi); !ok {
		return next, false
	}
	q.marks(start, next)
	renamed := q.sign(next, '(') && it.called
	if renamed {
		next = q.columns(next)
	}
	hints := target{}
	if hinted := q.hints(&hints, next); q.d != Postgres && hinted <= hi {
		q.marks(next, hinted)
		next = hinted
	}
	known, sure := q.isCTE(name)
	if !known || !sure {
		at := q.source(name, it.alias, b.number)
		if !known && !renamed {
			it.source = at
		}
	}
	b.tables = b.tables && it.source >= 0
	q.items = append(q.items, it)
	return next, true
}

// alias reads the alias of an item, if it has one.
func (q *queries) alias(it *item, i, hi int) (next int, ok bool) {
	as := q.is(i, "AS")
	if as {
		i++
	} else if q.sense(i)&(keywordSense|clauseSense|joinSense) != 0 || q.is(i, "INDEXED") || q.d == MySQL && q.any(i, "USE", "FORCE", "IGNORE") {
		return i, true
	}
	if i < hi {
		if alias, named := q.ident(i); named {
			it.alias, it.called = alias, true
			q.marks(i, i+1)
			return i + 1, true
		}
	}
	if as {
		return i, q.fail(i, "an alias is not understood")
	}
	return i, true
}

// columns skips the names that an alias gives to columns.
func (q *queries) columns(i int) int {
	next := q.skip(i)
	q.marks(i, next)
	return next
}

// source adds a source to the reading, and returns its index.
func (q *queries) source(name Name, alias string, block int) int {
	q.reading.Sources = append(q.reading.Sources, Source{Table: name, Alias: alias, Block: block})
	return len(q.reading.Sources) - 1
}

// isCTE returns whether a table's name is that of a CTE here, and whether that is sure.
func (q *queries) isCTE(name Name) (known, sure bool) {
	if name.Schema != "" {
		return false, false
	}
	for _, c := range slices.Backward(q.ctes) {
		if c.name == name.Table {
			return true, c.sure
		}
		if q.d != Postgres && same(c.name, name.Table) {
			return true, c.sure && q.d == SQLite
		}
	}
	return false, false
}
