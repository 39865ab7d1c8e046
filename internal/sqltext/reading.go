package sqltext

import "fmt"

// Reading is what the result of a query depends on.
type Reading struct {
	// Sources are the tables that are read: every occurrence in a FROM or JOIN, those of subqueries, CTEs and set
	// operations included. A SELECT's own come before those of the subqueries that stand in it elsewhere than in its FROM. A
	// table that is read twice is two sources.
	Sources []Source

	// Functions are the functions that the text calls and that are not known to be functions of their arguments alone, each
	// once, in lower case and with their schema if the text names it: now, random, date, any that the user has defined.
	// The words CURRENT_TIMESTAMP, CURRENT_USER and their like, MySQL's variables (@x, @@x), sequences (nextval), and texts
	// that PostgreSQL may read as a moment ('now', 'today 10:00') are among them.
	Functions []string
}

// Source is one occurrence of a table.
type Source struct {
	Table Name

	// Alias is how the text calls the source: its alias, or the table's own name if it has none.
	Alias string

	// Block is the number of the SELECT in whose FROM the source stands. The outermost SELECT is 0; of a set operation that
	// is its first.
	Block int

	// Criteria say which rows of the table matter: a row that satisfies none of them can come, go or become another such
	// row, and the result stays what it is. nil says that every row may matter. It is never empty otherwise.
	//
	// A criterion compares as the database does. Whether that is a comparison of bytes depends on the column, and is for the
	// caller to know: a String equals more than itself under a collation that folds, and an Integer, a String or a Bool that
	// is compared with a column of another kind equals whatever the database converts into it. Where the caller does not
	// know it, or does not know the column, it has to take every row for one that matters.
	Criteria []Criterion

	// Joined is set where the rows of the source are chosen by a LEFT JOIN on columns of another source, and by nothing else.
	Joined *Join
}

// Join is a LEFT JOIN to one table: rows whose Columns equal the Others of a row of the source To are joined to that row.
//
// Whatever else its ON asks concerns the joined table alone, so that it drops rows of it and chooses none. No other clause of
// the text depends on the joined table but the outermost select list, which has no aggregates, and the ON of other sources
// that are Joined to it. So a result depends on those rows of the table which its own rows have joined, provided that Columns
// are unique in the table: more than one row for one would move what an OFFSET skips.
type Join struct {
	To      string   // the alias of the other source, which is in the same block
	Columns []string // of this source, in the order of the text
	Others  []string // of the other source, one for each of Columns
}

// Criterion is satisfied by a row that satisfies each of its equalities. They are sorted by column.
type Criterion []Equality

// Equality is satisfied by a row whose column equals the value; never by NULL. Column is unquoted, as [Name] is.
type Equality struct {
	Column string
	Value  Literal
}

// LiteralKind is what a literal is in the text. The column can be of another kind.
type LiteralKind uint8

const (
	// Integer is a number of up to 18 digits without a fraction.
	Integer LiteralKind = iota
	// String is a '..'.
	String
	// Bool is TRUE or FALSE, which are 1 and 0 in MySQL. There is none in SQLite, where they can be columns.
	Bool
)

// Literal is a value that stands in a text.
type Literal struct {
	Kind LiteralKind

	// Text is the value: an Integer's digits without leading zeros or plus, as "-5"; a String without quotes and escapes;
	// "true" or "false".
	Text string
}

// UnreadableError says why a text is not understood, or has a result that does not depend on its tables alone.
type UnreadableError struct {
	// Reason names what it is, in words for the one who wrote the query, and the word of the text where it is.
	Reason string
}

func (e *UnreadableError) Error() string { return e.Reason }

// Reads returns what the result of a text depends on, as far as the text can tell: a view that it names is a table here, and
// what a function reads is not seen. The text is one query: SELECT, VALUES or TABLE, with WITH and set operations.
//
// It is wrong in one direction only. A condition that it does not understand makes Criteria wider, and where it does not
// understand which tables are read it returns an *[UnreadableError]. It does so as well for a query that writes, locks rows,
// reads a part of a table by chance, or reads what is no table, such as a function in FROM.
//
// owner returns whether a table surely has a column; columns are asked for as [Name] spells tables. It is needed for columns
// that the text names without a table: such a column belongs to the one source of its SELECT that has it, if the others are
// tables as well and do not. Without owner, which can be nil, conditions on such columns are not understood.
//
// Its time is linear in the text. Parameters are values that are not known.
func Reads(d Dialect, text string, owner func(table Name, column string) bool) (Reading, error) {
	if d == AnyDialect {
		return Reading{}, &UnreadableError{Reason: "the database is none of SQLite, PostgreSQL, MySQL and MariaDB"}
	}
	tokens, state := tokenize(d, text)
	if state != lexed {
		return Reading{}, &UnreadableError{Reason: "it is not certain where the text's strings, comments and names end"}
	}
	end := len(tokens)
	for end > 0 && tokens[end-1].kind == signToken && text[tokens[end-1].start] == ';' {
		end--
	}
	if end == 0 {
		return Reading{}, &UnreadableError{Reason: "the text is empty"}
	}
	q := queries{reader: reader{d: d, text: text, tokens: tokens, end: end}, owner: owner, blocks: 1}
	q.equalities, q.criteria = make([]Equality, 0, 8), make([]Criterion, 0, 8)
	q.items, q.conditions, q.conjuncts = make([]item, 0, 4), make([]condition, 0, 4), make([]conjunct, 0, 4)
	q.classify()
	if !q.query(0, end, alone) || !q.moments() {
		return Reading{}, q.failure
	}
	return q.reading, nil
}

// queries reads a text that is one query.
type queries struct {
	reader
	owner   func(table Name, column string) bool
	reading Reading
	failure *UnreadableError

	blocks int // SELECTs so far; the outermost is counted from the start
	depth  int // queries around this one
	tails  int // ORDER BYs around this one, whose SELECTs are not known any more
	ctes   []cte

	// What the SELECTs around this one need later lies below what it needs itself.
	items      []item
	conditions []condition

	// The parts of all criteria, which are slices of these two.
	equalities []Equality
	criteria   []Criterion
	conjuncts  []conjunct

	products int  // of criteria so far
	plain    run  // has brackets of which none opens a query
	calls    bool // something was called that is not known to work on one row at a time
}

// fail says why the text cannot be read, and at which token.
func (q *queries) fail(i int, reason string) bool {
	if q.failure == nil {
		if i < q.end {
			reason = fmt.Sprintf("%s: %s", reason, q.raw(i))
		} else {
			reason += " at the end of the text"
		}
		q.failure = &UnreadableError{Reason: reason}
	}
	return false
}
