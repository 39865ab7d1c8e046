package sqltext

// restrict finds the criteria of a SELECT's sources, and which of them are Joined, once all its conditions are known.
//
// Why covers of conditions are criteria: let a row r of an item s come or go. What a tree of joins has then differs only in
// tuples in which s is r or NULL. That holds for s itself; a join hands a tuple on with the rows that it has, or puts NULLs in
// their place, and it does either for all tuples in which s is neither r nor NULL as before, be it inner or outer. Now let a
// condition have a cover for s whose criteria r does not satisfy. It is not true for any tuple in which s is r or NULL. So
// none of them passes WHERE, whatever the joins are; none passes the ON of an inner join that has s on either side; and none is
// matched by the ON of a LEFT JOIN that has s on the right, whose left rows are therefore matched, or not, as before. From there
// on nothing differs. The ON of a LEFT JOIN does not restrict its left side, whose rows are kept without a match; that of a
// FULL JOIN restricts neither. A RIGHT JOIN could restrict its left side, and is taken for one that restricts nothing. HAVING
// and what follows it see only what passed WHERE.
//
// Several conditions each have to be passed, so that a row that matters satisfies one criterion of each.
func (q *queries) restrict(b *block) {
	conditions := q.conditions[b.conditions:]
	if len(conditions) == 0 || len(q.items)-b.base > maxItems {
		return
	}
	q.conjuncts = q.conjuncts[:0]
	var all covers
	for i := range conditions {
		c := &conditions[i]
		c.block, c.tables = b.base, b.tables && !b.merges
		c.conjuncts.lo = len(q.conjuncts)
		for _, found := range q.coversOf(c, c.on.lo, c.on.hi, true) {
			if c.rlo <= found.item && found.item < c.rhi {
				all = q.and(all, found)
			}
		}
		c.conjuncts.hi = len(q.conjuncts)
	}
	all = q.carry(conditions, all)
	for _, c := range all {
		q.reading.Sources[q.items[c.item].source].Criteria = c.set
	}
	if b.joins && !b.merges && !b.outer {
		q.findJoined(b)
	}
}

// maxLinks is how many equalities between columns carry literals in one SELECT.
const maxLinks = 64

// carry gives an item the literals of another whose column its own has to equal.
//
// Let a condition that restricts b have b.y = a.x as a conjunct, and let all criteria of a ask a literal of x. If a row r of b
// comes or goes, tuples that this condition lets pass or match differ only where b is r and a.x = r.y; by the same reasoning
// what is made of them differs only where a is such a row or NULL. Unless r.y is one of the literals such an a does not satisfy
// its criteria, so a condition above rejects these tuples, or one below has never let them come that far.
//
// Strings are not carried: a.x may fold them and b.y not, and then b.y would be compared otherwise than a.x = b.y is.
func (q *queries) carry(conditions []condition, all covers) covers {
	var links [maxLinks][2]column // the first takes from the second
	n := 0
	for i := range conditions {
		c := &conditions[i]
		for _, k := range q.conjuncts[c.conjuncts.lo:c.conjuncts.hi] {
			if !k.link || k.a.item < c.lo || k.a.item >= c.hi || k.b.item < c.lo || k.b.item >= c.hi {
				continue
			}
			for _, link := range [...][2]column{{k.a, k.b}, {k.b, k.a}} {
				if to := link[0].item; c.rlo <= to && to < c.rhi && n < maxLinks {
					links[n] = link
					n++
				}
			}
		}
	}
	var used [maxLinks]bool
	for again := n > 0 && len(all) > 0; again; {
		again = false
		for i, link := range links[:n] {
			at := all.find(link[1].item)
			if used[i] || at < 0 {
				continue
			}
			set := q.carried(all[at].set, link[1].name, link[0].name)
			if set == nil {
				continue
			}
			used[i], again = true, true
			all = q.and(all, cover{link[0].item, set})
		}
	}
	return all
}

// carried returns what the criteria ask of column x, as criteria for y; nil if one does not ask for an exact literal.
func (q *queries) carried(set []Criterion, x, y string) []Criterion {
	from, equalities := len(q.criteria), len(q.equalities)
	for _, c := range set {
		found := false
		for _, e := range c {
			if found = q.sameColumn(e.Column, x) && e.Value.exact(); found {
				if !q.has(from, e.Value) {
					q.add(Equality{y, e.Value})
				}
				break
			}
		}
		if !found {
			q.criteria, q.equalities = q.criteria[:from], q.equalities[:equalities]
			return nil
		}
	}
	return q.criteria[from:len(q.criteria):len(q.criteria)]
}

// has returns whether one of the criteria from there on, which have one equality each, has this value.
func (q *queries) has(from int, value Literal) bool {
	for _, c := range q.criteria[from:] {
		if c[0].Value == value {
			return true
		}
	}
	return false
}
