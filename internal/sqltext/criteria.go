package sqltext

// What follows reckons with covers. A cover of a condition for an item is a set of criteria such that a row of the item for
// which the condition can be true, whatever the other rows beside it are, satisfies at least one of them. An item without a
// cover is covered by all rows. No criterion is true for the row of NULLs that stands for the item where an outer join found
// none, so a condition that has a cover for an item is not true for that one either.
const (
	maxCriteria   = 100 // in one cover
	maxEqualities = 8   // in one criterion
	maxProducts   = 1 << 14
)

// cover is the cover of one item.
type cover struct {
	item int
	set  []Criterion
}

// covers are those of one condition, for each item at most one, and none that is empty.
type covers []cover

func (c covers) find(item int) int {
	for i := range c {
		if c[i].item == item {
			return i
		}
	}
	return -1
}

// either returns the covers of a OR b: an item is covered if it is by both.
func (q *queries) either(a, b covers) covers {
	kept := a[:0]
	for _, c := range a {
		i := b.find(c.item)
		if i < 0 || len(c.set)+len(b[i].set) > maxCriteria {
			continue
		}
		from := len(q.criteria)
		q.criteria = append(append(q.criteria, c.set...), b[i].set...)
		kept = append(kept, cover{c.item, q.criteria[from:len(q.criteria):len(q.criteria)]})
	}
	return kept
}

// both returns the covers of a AND b.
func (q *queries) both(a, b covers) covers {
	for _, c := range b {
		a = q.and(a, c)
	}
	return a
}

// and returns the covers of a AND c.
func (q *queries) and(a covers, c cover) covers {
	if i := a.find(c.item); i >= 0 {
		a[i].set = q.product(a[i].set, c.set)
		return a
	}
	return append(a, c)
}

// product returns the criteria of rows that satisfy one of a and one of b. Either of the two would do as well, and does where
// there would be too many.
func (q *queries) product(a, b []Criterion) []Criterion {
	n := len(a) * len(b)
	if q.products += n; n > maxCriteria || q.products > maxProducts {
		if len(b) < len(a) {
			return b
		}
		return a
	}
	from := len(q.criteria)
	for _, x := range a {
		first := len(q.criteria)
		for _, y := range b {
			merged, ok := q.merge(x, y)
			if !ok {
				continue
			}
			if len(merged) == len(x) { // x alone is wider than it is with the rest of b
				q.criteria = append(q.criteria[:first], x)
				break
			}
			q.criteria = append(q.criteria, merged)
		}
	}
	if len(q.criteria) == from { // no row satisfies both, and an empty cover would be taken for none
		return a
	}
	return q.criteria[from:len(q.criteria):len(q.criteria)]
}

// merge returns the criterion of rows that satisfy both; not ok if there surely is none. A criterion has one equality for
// a column: where the other may hold of the same value, it is left out.
func (q *queries) merge(a, b Criterion) (merged Criterion, ok bool) {
	from := len(q.equalities)
	q.equalities = append(q.equalities, a...)
	for _, e := range b {
		i := from
		for i < len(q.equalities) && !q.sameColumn(q.equalities[i].Column, e.Column) {
			i++
		}
		if i < len(q.equalities) {
			if q.differ(q.equalities[i].Value, e.Value) {
				q.equalities = q.equalities[:from]
				return nil, false
			}
			continue
		}
		if len(q.equalities)-from == maxEqualities {
			continue
		}
		q.equalities = append(q.equalities, e)
		for ; i > from && q.equalities[i].Column < q.equalities[i-1].Column; i-- {
			q.equalities[i], q.equalities[i-1] = q.equalities[i-1], q.equalities[i]
		}
	}
	return q.equalities[from:len(q.equalities):len(q.equalities)], true
}

// sameColumn compares the names of two columns of one table.
func (q *queries) sameColumn(a, b string) bool {
	return a == b || q.d != Postgres && same(a, b)
}

// differ returns whether no value of any column equals both literals. Two strings can be one under a collation, and MySQL
// has a date and a year that equal several numbers.
func (q *queries) differ(a, b Literal) bool {
	return q.d != MySQL && a.exact() && b.exact() && a.Text != b.Text
}

// exact returns whether a literal stays what it is when it is compared as a floating point number.
func (l Literal) exact() bool { return l.Kind == Integer && len(l.Text) <= 15 }

// single returns the set of one equality.
func (q *queries) single(column string, value Literal) []Criterion {
	from := len(q.criteria)
	q.add(Equality{column, value})
	return q.criteria[from:len(q.criteria):len(q.criteria)]
}

// add adds a criterion of one equality to the criteria.
func (q *queries) add(e Equality) {
	at := len(q.equalities)
	q.equalities = append(q.equalities, e)
	q.criteria = append(q.criteria, q.equalities[at:at+1:at+1])
}
