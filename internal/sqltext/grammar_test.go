package sqltext_test

import (
	"fmt"
	"strconv"
	"strings"
)

// grammar makes random queries on the tables of a world.
type grammar struct {
	world  *world
	names  int
	ctes   []scoped
	budget int // subqueries that may still be made
}

// scoped is what stands in a FROM: columns by their names.
type scoped struct {
	alias   string
	columns []string
	table   bool
}

func (g *grammar) n(n int) int       { return g.world.random.IntN(n) }
func (g *grammar) chance(n int) bool { return g.n(n) == 0 }
func (g *grammar) one(of ...string) string {
	return of[g.n(len(of))]
}

func (g *grammar) name(prefix string) string {
	g.names++
	return prefix + strconv.Itoa(g.names)
}

// text makes a whole query.
func (g *grammar) text() string {
	g.budget = 3
	with := ""
	if g.chance(4) {
		// At times it is called as a table is, which it hides then.
		name := g.name("c")
		if g.chance(3) {
			name = g.one("t", "u")
		}
		body, columns := g.selects(nil, 2, "")
		with = "WITH " + name + " AS (" + body + ") "
		g.ctes = append(g.ctes, scoped{alias: name, columns: columns})
	}
	width := 1 + g.n(3)
	body, _ := g.selects(nil, width, "")
	for g.chance(5) {
		arm, _ := g.selects(nil, width, "")
		body += g.one(" UNION ", " UNION ALL ", " EXCEPT ", " INTERSECT ") + arm
	}
	if g.chance(3) {
		var all []string
		for i := range width {
			all = append(all, strconv.Itoa(i+1)+g.one("", " DESC"))
		}
		body += " ORDER BY " + strings.Join(all, ", ")
		if g.chance(2) {
			body += " LIMIT " + strconv.Itoa(1+g.n(3)) + g.one("", " OFFSET 1")
		}
	}
	return with + body
}

// selects makes a SELECT of so many columns, called c0, c1.. if it is not told what to select.
func (g *grammar) selects(outer []scoped, width int, list string) (text string, columns []string) {
	from, scope := g.from()
	for i := range width {
		columns = append(columns, "c"+strconv.Itoa(i))
	}
	where := ""
	if !g.chance(6) {
		where = " WHERE " + g.condition(scope, outer, 3)
	}
	if list != "" {
		return "SELECT " + list + " FROM " + from + where, columns
	}
	var all []string
	tail := ""
	if g.chance(6) {
		key := g.column(scope)
		tail = " GROUP BY " + key
		if len(scope) == 1 && scope[0].table && g.chance(2) {
			// SQLite takes a column that is not grouped from the row of the max.
			c := scope[0].alias + "." + g.one(scope[0].columns...)
			tail += " HAVING max(" + scope[0].alias + ".rowid) > 0 AND " + c + " = " + g.literal(c)
		} else if g.chance(2) {
			tail += " HAVING " + g.one("count(*) > 1", key+" = "+g.literal(key), "max("+g.column(scope)+") = 2 OR "+key+" = 1")
		}
		for i := range width {
			if i == 0 {
				all = append(all, key+" AS c0")
			} else {
				all = append(all, fmt.Sprintf("%s(%s) AS c%d", g.one("count", "min", "max", "sum"), g.column(scope), i))
			}
		}
	} else {
		for i := range width {
			e := g.column(scope)
			switch {
			case g.chance(8):
				e = "CASE WHEN " + g.condition(scope, outer, 1) + " THEN 1 ELSE " + e + " END"
			case g.budget > 0 && g.chance(10):
				sub, _ := g.sub(append(scope, outer...), "max("+"1"+")")
				e = "(" + sub + ")"
			}
			all = append(all, fmt.Sprintf("%s AS c%d", e, i))
		}
	}
	return "SELECT " + g.one("", "", "", "DISTINCT ") + strings.Join(all, ", ") + " FROM " + from + where + tail, columns
}

// sub makes a subquery that may name the columns of what is around it.
func (g *grammar) sub(outer []scoped, list string) (text string, columns []string) {
	g.budget--
	return g.selects(outer, 1, list)
}

// from makes a FROM.
func (g *grammar) from() (text string, scope []scoped) {
	text, scope = g.item()
	for range g.n(3) {
		other, right := g.item()
		if g.chance(8) { // joins in brackets
			third, more := g.item()
			inner := append(append([]scoped(nil), right...), more...)
			other = "(" + other + g.one(" JOIN ", " LEFT JOIN ") + third + " ON " + g.on(inner, right, more) + ")"
			right = inner
		}
		both := append(append([]scoped(nil), scope...), right...)
		switch g.n(12) {
		case 0, 1:
			text += ", " + other
		case 2:
			text += g.one(" CROSS JOIN ", " JOIN ") + other
		case 3, 4, 5, 6:
			text += g.one(" JOIN ", " INNER JOIN ") + other + " ON " + g.on(both, scope, right)
		case 7, 8, 9:
			text += g.one(" LEFT JOIN ", " LEFT OUTER JOIN ") + other + " ON " + g.on(both, scope, right)
		case 10:
			text += g.one(" RIGHT JOIN ", " FULL JOIN ") + other + " ON " + g.on(both, scope, right)
		case 11:
			if len(right) == 1 && right[0].table && len(scope) == 1 && scope[0].table {
				text += g.one(" JOIN ", " LEFT JOIN ") + other + " USING (a)"
			} else {
				text += " JOIN " + other + " ON " + g.on(both, scope, right)
			}
		}
		scope = both
	}
	return text, scope
}

// on makes the condition of a join, most often with an equality between its sides.
func (g *grammar) on(both, left, right []scoped) string {
	if g.chance(4) {
		return g.condition(both, nil, 2)
	}
	link := g.number(left) + " = " + g.number(right)
	if g.chance(2) {
		link = g.number(right) + " = " + g.number(left)
	}
	switch g.n(4) {
	case 0:
		return "(" + link + ") AND " + g.condition(both, nil, 1)
	case 1:
		return g.condition(both, nil, 0) + " AND " + link
	}
	return link
}

// item makes a table, CTE or derived table.
func (g *grammar) item() (string, []scoped) {
	if len(g.ctes) > 0 && g.chance(3) {
		c := g.ctes[0]
		alias := g.name("k")
		return c.alias + " AS " + alias, []scoped{{alias: alias, columns: c.columns}}
	}
	if g.budget > 0 && g.chance(10) {
		g.budget--
		alias := g.name("d")
		body, columns := g.selects(nil, 2, "")
		return "(" + body + ") AS " + alias, []scoped{{alias: alias, columns: columns}}
	}
	name := g.one("t", "u", "v")
	columns := g.world.tables[name].columns
	for _, c := range g.ctes {
		if c.alias == name {
			columns = c.columns
		}
	}
	alias := g.name("t")
	// The same alias in several blocks, so that an inner one hides an outer.
	if g.chance(5) {
		alias = g.one("q", "r", "w")
	}
	switch g.n(6) {
	case 0:
		return name, []scoped{{alias: name, columns: columns, table: true}}
	case 1:
		return `"` + name + `" ` + alias, []scoped{{alias: alias, columns: columns, table: true}}
	}
	return name + " AS " + alias, []scoped{{alias: alias, columns: columns, table: true}}
}

// column makes the name of a column.
func (g *grammar) column(scope []scoped) string {
	s := scope[g.n(len(scope))]
	c := s.columns[g.n(len(s.columns))]
	switch {
	case g.chance(12), len(scope) == 1 && g.chance(3):
		return c
	case g.chance(4):
		return `"` + s.alias + `"."` + c + `"`
	}
	return s.alias + "." + c
}

// number makes the name of a column that is not s.
func (g *grammar) number(scope []scoped) string {
	for {
		if c := g.column(scope); !text(c) {
			return c
		}
	}
}

func text(column string) bool {
	return column == "s" || strings.HasSuffix(column, ".s") || strings.HasSuffix(column, `."s"`)
}

func (g *grammar) literal(column string) string {
	n := g.n(4)
	if text(column) {
		return "'" + string(rune('p'+n)) + "'"
	}
	if g.chance(12) {
		return "+ 0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// condition makes one for the columns in scope, at times with those of outer. There are no brackets where AND and OR need
// none, and sometimes where they do, so that they bind as they do.
func (g *grammar) condition(scope, outer []scoped, depth int) string {
	if depth == 0 || g.chance(3) {
		return g.atom(scope, outer, depth)
	}
	a, b := g.condition(scope, outer, depth-1), g.condition(scope, outer, depth-1)
	switch g.n(9) {
	case 0, 1, 2:
		return a + " AND " + b
	case 3:
		return a + " OR " + b
	case 4, 5:
		return "(" + a + " OR " + b + ") AND " + g.atom(scope, outer, 0)
	case 6:
		return "NOT " + a + " AND " + b
	case 7:
		return "NOT (" + a + ")"
	}
	return "(" + a + " and " + b + ")"
}

// atom makes a comparison.
func (g *grammar) atom(scope, outer []scoped, depth int) string {
	c := g.column(scope)
	l := func() string { return g.literal(c) }
	if depth > 0 && g.budget > 0 && g.chance(6) {
		around := append(append([]scoped(nil), scope...), outer...)
		switch g.n(4) {
		case 3:
			sub, _ := g.sub(around, "count(*) = 0")
			return "(" + sub + ")"
		case 0:
			sub, _ := g.sub(around, "1")
			return g.one("EXISTS (", "NOT EXISTS (") + sub + ")"
		case 1:
			sub, _ := g.sub(around, "max(1)")
			return c + g.one(" = (", " IN (") + sub + ")"
		}
		from, inner := g.from()
		g.budget--
		return c + g.one(" IN (", " NOT IN (") + "SELECT " + g.column(inner) + " FROM " + from + " WHERE " + g.condition(inner, around, 1) + ")"
	}
	switch g.n(27) {
	case 0, 1, 2, 3, 4, 5, 6:
		return c + " = " + l()
	case 7:
		return l() + "=" + c
	case 8, 9, 10:
		return c + " IN (" + l() + ", " + l() + ")"
	case 11, 12:
		return g.number(scope) + " = " + g.number(scope)
	case 13:
		return c + " BETWEEN " + l() + " AND " + l()
	case 14:
		return c + g.one(" > ", " <> ", " <= ", " IS NOT ") + l()
	case 15:
		return c + g.one(" IS NULL", " NOTNULL", " IS NOT NULL")
	case 16:
		return "CASE WHEN " + g.atom(scope, nil, 0) + " OR " + g.atom(scope, nil, 0) + " THEN " + g.atom(scope, nil, 0) + " ELSE 0 END"
	case 17:
		return c + " NOT IN (" + l() + ")"
	case 18:
		if len(outer) > 0 {
			return g.number(scope) + " = " + g.number(outer)
		}
		return "coalesce(" + c + ", " + l() + ") = " + l()
	case 19:
		if len(outer) > 0 {
			o := g.column(outer)
			return o + " = " + g.literal(o)
		}
		return c + " = " + l() + " COLLATE NOCASE"
	case 20:
		return c + " = " + l() + " = " + g.one("0", "1")
	case 21:
		return "(" + c + " = " + l() + ") = " + g.one("0", "1")
	case 23:
		return l() + " = " + c + g.one(" = 0", " + 1", " COLLATE NOCASE")
	case 25:
		return "CASE WHEN " + g.atom(scope, nil, 0) + " AND " + g.atom(scope, nil, 0) + " AND " + g.atom(scope, nil, 0) + " THEN 0 ELSE 1 END"
	case 24:
		other := g.column(scope)
		return c + " BETWEEN 0 AND " + other + " = " + g.literal(other)
	case 22:
		return c + " = " + l() + g.one(" + 1", " || ''", " - 1")
	}
	return g.one("1", "NULL", c)
}
