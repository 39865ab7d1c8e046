package sqltext

import "strings"

// column reads the name of a column, and finds the item of c that it surely belongs to.
func (q *queries) column(c *condition, i int) (col column, next int, ok bool) {
	var parts [3]string
	n, first := 0, i
	for ; ; i++ {
		if i >= q.end || n == len(parts) {
			return col, i, false
		}
		if k := q.tokens[i].kind; k != wordToken && k != quotedToken {
			return col, i, false
		}
		parts[n], _ = q.ident(i)
		n++
		if i++; !q.sign(i, '.') {
			break
		}
	}
	col.name = parts[n-1]
	switch n {
	case 1:
		if q.sense(first)&keywordSense != 0 {
			return col, i, false
		}
		col.item, ok = q.unqualified(c, col.name)
	case 2:
		col.item, ok = q.itemOf(c, "", parts[0])
		ok = ok && q.innermost(c, col)
	default:
		col.item, ok = q.itemOf(c, parts[0], parts[1])
		ok = ok && q.innermost(c, col)
	}
	return col, i, ok
}

// itemOf returns the one item that is called so, if it is a table.
func (q *queries) itemOf(c *condition, schema, called string) (index int, ok bool) {
	index = -1
	for i := c.block; i < len(q.items); i++ {
		it := &q.items[i]
		if !same(it.alias, called) {
			continue
		}
		// Some databases compare aliases with their case, and some without: neither may find another.
		if index >= 0 {
			return -1, false
		}
		index = i
	}
	if index < 0 || q.items[index].source < 0 {
		return -1, false
	}
	it := &q.items[index]
	if it.alias != called && q.d != SQLite {
		return -1, false
	}
	if schema != "" && (it.called || q.reading.Sources[it.source].Table.Schema != schema) {
		return -1, false
	}
	return index, true
}

// innermost returns whether a column is surely the item's. SQLite and MySQL look for a column that the item does not have in
// what is called as it is further out.
func (q *queries) innermost(c *condition, col column) bool {
	it := &q.items[col.item]
	if c.block == 0 && q.tails == 0 || q.owner != nil && q.owner(q.reading.Sources[it.source].Table, col.name) {
		return true
	}
	for i := range q.items[:c.block] {
		if same(q.items[i].alias, it.alias) {
			return false
		}
	}
	return q.tails == 0
}

// unqualified returns the one item that surely has a column, if no other can have it.
func (q *queries) unqualified(c *condition, name string) (index int, ok bool) {
	if q.owner == nil || !c.tables {
		return -1, false
	}
	index = -1
	for i := c.block; i < len(q.items); i++ {
		if !q.owner(q.reading.Sources[q.items[i].source].Table, name) {
			continue
		}
		if index >= 0 {
			return -1, false
		}
		index = i
	}
	return index, index >= 0
}

// literal reads a literal whose value is certain, up to what follows it.
func (q *queries) literal(i int) (l Literal, next int, ok bool) {
	if i >= q.end {
		return l, i, false
	}
	switch q.tokens[i].kind {
	case stringToken:
		text, ok := q.decoded(i)
		return Literal{String, text}, i + 1, ok
	case numberToken:
		text, ok := digits(q.raw(i))
		return Literal{Integer, text}, i + 1, ok
	case signToken:
		minus := q.sign(i, '-')
		if !minus && !q.sign(i, '+') || i+1 >= q.end || q.tokens[i+1].kind != numberToken {
			return l, i, false
		}
		text, ok := digits(q.raw(i + 1))
		if minus && text != "0" {
			text = "-" + text
		}
		return Literal{Integer, text}, i + 2, ok
	case wordToken:
		if q.d != SQLite && q.any(i, "TRUE", "FALSE") && !q.sign(i+1, '.') {
			return Literal{Bool, fold(q.raw(i))}, i + 1, true
		}
	}
	return l, i, false
}

// digits returns an integer without leading zeros. Longer ones may be floating point numbers to a database.
func digits(raw string) (text string, ok bool) {
	for i := range len(raw) {
		if classes[raw[i]] != digit {
			return "", false
		}
	}
	for len(raw) > 1 && raw[0] == '0' {
		raw = raw[1:]
	}
	return raw, len(raw) <= 18
}

// decoded returns what a string stands for. Escapes of MySQL are not certain unless one of them keeps a quote from closing
// the string, which shows that the text is written with them.
func (q *queries) decoded(i int) (text string, ok bool) {
	raw := q.raw(i)
	if raw[0] != '\'' {
		return "", false
	}
	if q.d != MySQL || strings.IndexByte(raw, '\\') < 0 {
		return unquote(raw), true
	}
	raw = raw[1 : len(raw)-1]
	var b strings.Builder
	sure := false
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '\'':
			i++
		case '\\':
			i++
			sure = sure || raw[i] == '\''
			if raw[i] == '%' || raw[i] == '_' {
				b.WriteByte('\\')
			} else if at := strings.IndexByte("0bnrtZ", raw[i]); at >= 0 {
				b.WriteByte("\x00\b\n\r\t\x1a"[at])
				continue
			}
		}
		b.WriteByte(raw[i])
	}
	return b.String(), sure
}
