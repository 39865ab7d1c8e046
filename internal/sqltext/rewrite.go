package sqltext

import (
	"slices"
	"strconv"
	"strings"
)

// spans remember where the parts of a statement stand, so that it can be rewritten.
type spans struct {
	d        Dialect
	text     string
	from, to int // the bytes of the statement
	opaque   bool

	main   int      // the token of the main verb
	ctes   []string // the names that WITH defines
	called string

	// The rest is there for an Update and Delete.
	tokens []token
	lo     int
	end    int
	target target
	items  run // what FROM or USING joins to the target
	where  run
}

// chosen remembers the parts of an UPDATE or DELETE that choose its rows.
func (s *Statement) chosen(r *reader, t target, items run, c clauses) {
	s.HasReturning = c.returning < c.end
	w := &s.written
	w.called = r.raw(t.called)
	w.tokens, w.lo, w.end = r.tokens, r.lo, r.end
	w.target, w.items, w.where = t, items, run{c.where, c.order}
}

// Text returns the statement as it is written, with the comments before it and without what follows its last token.
func (s *Statement) Text() string {
	return s.written.text[s.written.from:s.written.to]
}

// Target returns how an Insert, Update or Delete calls its table, as it is written there: the alias if it has one, else
// the table without its schema. It is what qualifies the columns of Returning and SelectOld. Empty for other kinds.
func (s *Statement) Target() string { return s.written.called }

// Returning returns the text of an Insert, Update or Delete with these columns returned, after those of a RETURNING that is
// there already. The columns stand as given: quoted and qualified by the caller. What follows the statement's last token
// (comments, semicolon) is cut off. Arguments are those of the statement. Empty for other kinds.
func (s *Statement) Returning(columns []string) string {
	switch s.Kind {
	case Insert, Update, Delete:
	default:
		return ""
	}
	text := s.Text()
	switch list := strings.Join(columns, ", "); {
	case list == "":
		return text
	case s.HasReturning:
		return text + ", " + list
	default:
		return text + " RETURNING " + list
	}
}

// SelectOld returns a query for these columns of every row that an Update or Delete is about to write, with tail (such as
// LIMIT or FOR UPDATE) at its end. It may return a row more than once, and more rows than will be written: ORDER BY and
// LIMIT of the statement are left out, because a second look need not choose the same rows of those that are equal.
//
// args are the indexes, from 0, of the statement's arguments that the query takes, in its order: its parameters are numbered anew.
//
// It is not ok for other kinds, in AnyDialect, for named parameters (:name), for WHERE CURRENT OF, and where two looks
// need not choose the same rows: LIMIT in a subquery, window functions, random(), a clock that goes on between them, and
// in MySQL any subquery, which a query reads from the transaction's snapshot and a write from the latest rows.
func (s *Statement) SelectOld(columns []string, tail string) (text string, args []int, ok bool) {
	w := &s.written
	if s.Kind != Update && s.Kind != Delete || w.d == AnyDialect || len(columns) == 0 || w.hides(s.Tables[0]) {
		return "", nil, false
	}
	r := &reader{d: w.d, text: w.text, tokens: w.tokens, lo: w.lo, end: w.end}
	with := run{w.lo, w.main}
	for _, kept := range [...]run{with, w.items, w.where} {
		if !r.steady(kept) {
			return "", nil, false
		}
	}
	p, ok := r.parameters()
	if !ok {
		return "", nil, false
	}
	var b strings.Builder
	if with.lo < with.hi {
		p.write(&b, with)
		b.WriteByte(' ')
	}
	b.WriteString("SELECT " + strings.Join(columns, ", ") + " FROM ")
	p.write(&b, w.target.table)
	for _, part := range [...]run{w.target.partition, w.target.alias, w.target.hints} {
		if part.lo < part.hi {
			b.WriteByte(' ')
			p.write(&b, part)
		}
	}
	if w.items.lo < w.items.hi {
		b.WriteString(", ")
		p.write(&b, w.items)
	}
	if w.where.lo < w.where.hi {
		b.WriteByte(' ')
		p.write(&b, w.where)
	}
	if tail != "" {
		b.WriteString(" " + tail)
	}
	return b.String(), p.args, true
}

// hides returns whether a CTE has the table's name: a write goes to the table all the same, a query would not.
func (w *spans) hides(table Name) bool {
	return slices.ContainsFunc(w.ctes, func(cte string) bool { return same(cte, table.Table) })
}

// parameters writes parts of a statement with their parameters numbered anew.
type parameters struct {
	r       *reader
	index   map[int]int // token to the argument it takes, from 0
	numbers bool        // parameters have numbers, and one can stand twice
	number  map[int]int // argument to its new number
	args    []int
}

// parameters finds out which argument each parameter takes; not ok if one has a name.
func (r *reader) parameters() (*parameters, bool) {
	p := &parameters{r: r, index: make(map[int]int), number: make(map[int]int), numbers: r.d == Postgres}
	highest := 0
	for i := r.lo; i < r.end; i++ {
		switch r.tokens[i].kind {
		case namedToken:
			return nil, false
		case paramToken:
			n := highest + 1
			if digits := r.raw(i)[1:]; digits != "" {
				var err error
				if n, err = strconv.Atoi(digits); err != nil || n < 1 {
					return nil, false
				}
				p.numbers = true
			}
			highest = max(highest, n)
			p.index[i] = n - 1
		}
	}
	return p, true
}

// write writes the tokens of part with what stands between them.
func (p *parameters) write(b *strings.Builder, part run) {
	r := p.r
	at := int(r.tokens[part.lo].start)
	for i := part.lo; i < part.hi; i++ {
		arg, ok := p.index[i]
		if !ok {
			continue
		}
		b.WriteString(r.text[at:r.tokens[i].start])
		at = int(r.tokens[i].end)
		b.WriteByte(r.text[r.tokens[i].start])
		n, again := p.number[arg]
		if !again || !p.numbers {
			p.args = append(p.args, arg)
			n = len(p.args)
			p.number[arg] = n
		}
		if p.numbers {
			b.WriteString(strconv.Itoa(n))
		}
	}
	b.WriteString(r.text[at:r.tokens[part.hi-1].end])
}
