package sqltext

// conjunct is a condition that holds wherever the whole does, as far as it is of use: an equality between columns of two
// items, or what may be anything.
type conjunct struct {
	whole run
	link  bool
	a, b  column
}

// column is a column of an item.
type column struct {
	item int
	name string
}

// covers returns those of the condition between lo and hi, which stands in no brackets but its own, for the items of c. If
// whole, it is a conjunct of c or c itself, and its conjuncts are noted.
func (q *queries) coversOf(c *condition, lo, hi int, whole bool) covers {
	noted := len(q.conjuncts)
	var total, term covers
	terms, operands := 0, 0 // before this one: of OR, and of AND in this term
	between, cases := 0, 0  // that wait for their AND and END
	odd := false
	start := lo
	for i := lo; i <= hi && !odd; i = q.skip(i) {
		and := false
		switch {
		case i == hi:
			odd = between != 0 || cases != 0
		case q.tokens[i].kind == signToken:
			odd = q.oddSign(i)
			continue
		case q.sense(i)&keywordSense == 0 && !q.is(i, "XOR") || q.sign(i-1, '.') || q.is(i-1, "AS"):
			continue
		case q.is(i, "CASE"):
			cases++
			continue
		case q.is(i, "END"):
			cases--
			odd = cases < 0
			continue
		case q.is(i, "XOR"):
			odd = true
		case cases > 0:
			continue
		case q.is(i, "BETWEEN"):
			between++
			continue
		case q.is(i, "AND"):
			if between > 0 {
				between--
				continue
			}
			and = true
		case q.is(i, "OR"):
			odd = between != 0
		default:
			continue
		}
		if odd = odd || i == start; odd {
			break
		}
		found := q.operand(c, start, i, whole && terms == 0)
		if operands == 0 {
			term = found
		} else {
			term = q.both(term, found)
		}
		operands++
		if start = i + 1; and {
			continue
		}
		if terms == 0 {
			total = term
		} else {
			total = q.either(total, term)
		}
		terms, operands, term = terms+1, 0, nil
	}
	if odd || terms > 1 {
		q.conjuncts = q.conjuncts[:noted]
		if whole {
			q.conjuncts = append(q.conjuncts, conjunct{whole: run{lo, hi}})
		}
	}
	if odd {
		return nil
	}
	return total
}

// oddSign returns whether a sign binds less than AND: a comma, and MySQL's ||, && and :=.
func (q *queries) oddSign(i int) bool {
	switch q.text[q.tokens[i].start] {
	case ',':
		return true
	case '|', '&':
		return q.d == MySQL && q.sign(i+1, q.text[q.tokens[i].start])
	case ':':
		return q.d == MySQL
	}
	return false
}

// operand returns the covers of what stands between two ANDs or ORs.
func (q *queries) operand(c *condition, lo, hi int, whole bool) covers {
	if q.sign(lo, '(') && q.skip(lo) == hi && !q.opensQuery(lo) {
		return q.coversOf(c, lo+1, hi-1, whole)
	}
	a, set, k := q.atom(c, lo, hi)
	if whole {
		k.whole = run{lo, hi}
		q.conjuncts = append(q.conjuncts, k)
	}
	if set == nil {
		return nil
	}
	return covers{{a, set}}
}

// atom reads a comparison. It returns a set if the tokens are exactly one of those that have a cover.
func (q *queries) atom(c *condition, lo, hi int) (item int, set []Criterion, k conjunct) {
	if q.sign(lo, '(') {
		item, set = q.tuples(c, lo, hi)
		return item, set, k
	}
	col, next, ok := q.column(c, lo)
	switch {
	case !ok:
		value, next, ok := q.literal(lo)
		if !ok || !q.sign(next, '=') {
			return 0, nil, k
		}
		if col, end, ok := q.column(c, next+1); ok && end == hi {
			return col.item, q.single(col.name, value), k
		}
	case q.sign(next, '='):
		if value, end, ok := q.literal(next + 1); ok && end == hi {
			return col.item, q.single(col.name, value), k
		}
		if other, end, ok := q.column(c, next+1); ok && end == hi && other.item != col.item {
			return 0, nil, conjunct{link: true, a: col, b: other}
		}
	case q.is(next, "IN") && q.sign(next+1, '(') && q.skip(next+1) == hi:
		return col.item, q.list(col, next+2, hi-1), k
	}
	return 0, nil, k
}

// list reads the values of col IN (..), which stand between lo and hi.
func (q *queries) list(col column, lo, hi int) []Criterion {
	from, equalities := len(q.criteria), len(q.equalities)
	for i := lo; ; i++ {
		value, next, ok := q.literal(i)
		if ok = ok && next <= hi && len(q.criteria)-from < maxCriteria; ok {
			q.add(Equality{col.name, value})
		}
		if ok && next == hi {
			return q.criteria[from:len(q.criteria):len(q.criteria)]
		}
		if i = next; !ok || !q.sign(i, ',') {
			q.criteria, q.equalities = q.criteria[:from], q.equalities[:equalities]
			return nil
		}
	}
}

// tuples reads (a, b) IN ((1, 2), ..), whose columns are all of one item.
func (q *queries) tuples(c *condition, lo, hi int) (item int, set []Criterion) {
	var columns [maxEqualities]column
	n := 0
	i := lo + 1
	for ; ; i++ {
		col, next, ok := q.column(c, i)
		if !ok || n == len(columns) || n > 0 && col.item != columns[0].item {
			return 0, nil
		}
		columns[n] = col //nolint:gosec // the array is not full: see above
		n++
		if i = next; !q.sign(i, ',') {
			break
		}
	}
	list := i + 2
	if !q.sign(i, ')') || !q.is(i+1, "IN") || !q.sign(list, '(') || q.skip(list) != hi {
		return 0, nil
	}
	from := len(q.criteria)
	for i = list + 1; ; i++ {
		if !q.sign(i, '(') || len(q.criteria)-from == maxCriteria {
			return 0, nil
		}
		var merged Criterion
		for at := range n {
			value, next, ok := q.literal(i + 1)
			if i = next; !ok || at < n-1 && !q.sign(i, ',') {
				return 0, nil
			}
			equalities := len(q.equalities)
			q.equalities = append(q.equalities, Equality{columns[at].name, value})
			one := Criterion(q.equalities[equalities : equalities+1 : equalities+1])
			if merged == nil {
				merged = one
			} else if both, ok := q.merge(merged, one); ok { // of two values for one column, one is enough
				merged = both
			}
		}
		if !q.sign(i, ')') {
			return 0, nil
		}
		q.criteria = append(q.criteria, merged)
		if i++; i == hi-1 {
			return columns[0].item, q.criteria[from:len(q.criteria):len(q.criteria)]
		}
		if !q.sign(i, ',') {
			return 0, nil
		}
	}
}
