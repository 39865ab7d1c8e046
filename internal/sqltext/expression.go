package sqltext

import (
	"slices"
	"strings"
)

// inside is what the tokens that are scanned stand in, which allows words that mean something else elsewhere.
type inside uint8

const (
	inExpression inside = iota
	inClauses           // the clauses behind WHERE
	inWords             // a call whose arguments have words between them: EXTRACT(x FROM y), SUBSTRING(x FROM 1 FOR 2)
	inFilter            // FILTER (WHERE ..)
)

// scan reads the queries and calls that are among tokens which are no structure of a query themselves. It sees every token,
// and refuses what it does not expect, so that no table is missed.
func (q *queries) scan(lo, hi int, in inside) bool {
	for i := lo; i < hi; i++ {
		switch q.tokens[i].kind {
		case wordToken:
			if !q.word(i, lo, in) {
				return false
			}
		case quotedToken:
			if q.sign(i+1, '(') && !q.is(i-1, "AS") && !q.sign(i-1, ':') && !q.called(i, true) {
				return false
			}
		case signToken:
			switch q.text[q.tokens[i].start] {
			case '(':
				end := q.skip(i)
				if q.opensQuery(i) {
					if !q.query(i+1, end-1, nested) {
						return false
					}
				} else if !q.scan(i+1, end-1, q.insideOf(i)) {
					return false
				}
				i = end - 1
			case '[':
				if end := q.skip(i); end > i+1 {
					if !q.scan(i+1, end-1, inExpression) {
						return false
					}
					i = end - 1
				}
			case '@':
				if q.d == MySQL && !q.variable(i) {
					return false
				}
			case ';':
				return q.fail(i, "the text has several statements")
			case '{':
				return q.fail(i, "this is not understood")
			}
		}
	}
	return true
}

// insideOf returns what the bracket at token i makes of its tokens.
func (q *queries) insideOf(i int) inside {
	switch {
	case q.any(i-1, "EXTRACT", "SUBSTRING", "SUBSTR", "TRIM", "OVERLAY", "POSITION"):
		return inWords
	case q.is(i-1, "FILTER"):
		return inFilter
	}
	return inExpression
}

// word reads a word among the tokens that begin at lo.
func (q *queries) word(i, lo int, in inside) bool {
	call := q.sign(i+1, '(')
	switch {
	case q.is(i-1, "AS") && i > lo:
		return true // an alias, or the type of a CAST
	case q.sign(i-1, '.'):
		return !call || q.called(i, false)
	case q.sign(i+1, '.'):
		return true
	}
	s := q.sense(i)
	if s == 0 {
		switch {
		case call && !q.sign(i-1, ':'):
			return q.called(i, false)
		case q.any(i, "NEXT", "PREVIOUS") && q.is(i+1, "VALUE"):
			return q.function("nextval")
		case q.is(i, "LOCK") && q.is(i+1, "IN"):
			return q.fail(i, "the query locks rows")
		case q.is(i, "SQL_CALC_FOUND_ROWS"):
			return q.fail(i, "the query leaves something for the next one")
		}
		return true
	}
	switch {
	case s&writeSense != 0:
		if !q.is(i, "INSERT") || !call {
			return q.fail(i, "the text writes")
		}
	case s&structureSense != 0:
		switch {
		case q.is(i, "FROM") && (in == inWords || q.distinctFrom(i)):
		case q.is(i, "WHERE") && in == inFilter && i == lo:
		case q.is(i, "HAVING") && in == inClauses:
		case q.is(i, "INTO"):
			return q.fail(i, "the query writes its result")
		default:
			return q.fail(i, "this word is not expected here")
		}
	case q.is(i, "FOR"):
		if in != inWords && !q.sequence(i) {
			return q.fail(i, "this word is not expected here")
		}
	case q.is(i, "IN"):
		// SQLite takes the name of a table there.
		if !call && q.d == SQLite {
			return q.fail(i, "IN has no list")
		}
	case q.is(i, "MATCH") && q.d == MySQL:
		// How well a row matches depends on all the others.
		q.calls = true
		return q.function("match")
	case q.is(i, "OVER"):
		q.calls = true
	case s&sessionSense != 0:
		q.calls = true
		return q.function(fold(q.raw(i)))
	case call && s&scalarSense == 0:
		q.calls = q.calls || s&aggregateSense != 0
	}
	return true
}

// called notes the function that token i names.
func (q *queries) called(i int, quoted bool) bool {
	q.calls = true
	name, _ := q.ident(i)
	if quoted && !q.sign(i-1, '.') && fold(name) == name && senseOf(name)&(scalarSense|aggregateSense) != 0 {
		return true
	}
	name = fold(name)
	if q.sign(i-1, '.') {
		if schema, ok := q.ident(i - 2); ok {
			name = fold(schema) + "." + name
		}
	}
	return q.function(name)
}

// variable notes MySQL's variable that token i begins.
func (q *queries) variable(i int) bool {
	if q.sign(i-1, '@') {
		return true
	}
	at := i + 1
	if q.sign(at, '@') {
		at++
	}
	name := ""
	if at < q.end {
		name = strings.ToLower(q.raw(at))
	}
	q.calls = true
	return q.function("@@"[:at-i] + name)
}

// maxFunctions is how many functions that are not known a text may call.
const maxFunctions = 100

func (q *queries) function(name string) bool {
	if slices.Contains(q.reading.Functions, name) {
		return true
	}
	q.reading.Functions = append(q.reading.Functions, name)
	if len(q.reading.Functions) > maxFunctions {
		return q.fail(q.end, "there are too many functions")
	}
	return true
}
