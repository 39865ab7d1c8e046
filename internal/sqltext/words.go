package sqltext

import "strings"

// sense is what a word without quotes can mean in a query. It may mean several things in different places.
type sense = int32

const (
	clauseSense    sense = 1 << iota // begins a clause of a query
	joinSense                        // begins a join
	structureSense                   // stands in a query's structure, so not in an expression
	writeSense                       // begins a write
	operatorSense                    // is not the end of an expression
	keywordSense                     // is neither a column nor a function
	sessionSense                     // is a value that the tables do not have
	scalarSense                      // is a function of one row's values
	aggregateSense                   // is a function of several rows' values
	reservedSense                    // is reserved by all dialects
	tableSense                       // this very token belongs to a table's name or alias, or to a CTE's
)

// senses are the words that have one. It is only read.
var senses = func() map[string]sense {
	all := make(map[string]sense, 600)
	for s, words := range map[sense]string{
		clauseSense | structureSense | operatorSense | keywordSense: `FROM WHERE HAVING UNION INTERSECT EXCEPT INTO`,
		clauseSense | operatorSense | keywordSense:                  `GROUP ORDER LIMIT OFFSET FETCH FOR WINDOW`,
		joinSense | structureSense | operatorSense | keywordSense:   `JOIN STRAIGHT_JOIN`,
		joinSense | operatorSense | keywordSense:                    `INNER CROSS NATURAL FULL OUTER`,
		joinSense | operatorSense | keywordSense | scalarSense:      `LEFT RIGHT`,
		structureSense | operatorSense | keywordSense:               `SELECT VALUES TABLE LATERAL TABLESAMPLE`,
		writeSense | operatorSense | keywordSense:                   `INSERT UPDATE DELETE MERGE`,
		operatorSense | keywordSense: `AND OR XOR NOT IN IS LIKE ILIKE GLOB REGEXP RLIKE MATCH SIMILAR TO BETWEEN SYMMETRIC ON USING AS BY
			CASE WHEN THEN ELSE DISTINCT ALL ANY SOME DIV EXISTS ESCAPE COLLATE WITH OVER FILTER WITHIN ARRAY ROW AGAINST BINARY
			PARTITION RECURSIVE INTERVAL MEMBER OVERLAPS SOUNDS`,
		keywordSense: `NULL TRUE FALSE UNKNOWN END ASC DESC NULLS ISNULL NOTNULL GROUPING SETS ROLLUP CUBE ROWS RANGE GROUPS UNBOUNDED PRECEDING FOLLOWING
			CURRENT MATERIALIZED VARYING PRECISION SEPARATOR`,
		sessionSense | keywordSense: `CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP LOCALTIME LOCALTIMESTAMP CURRENT_USER CURRENT_ROLE CURRENT_CATALOG
			CURRENT_SCHEMA SESSION_USER SYSTEM_USER UTC_DATE UTC_TIME UTC_TIMESTAMP`,
		scalarSense: `IF CHAR COALESCE NULLIF IFNULL IIF NVL NVL2 LOWER UPPER UCASE LCASE LENGTH CHAR_LENGTH CHARACTER_LENGTH OCTET_LENGTH BIT_LENGTH
			ABS ROUND CEIL CEILING FLOOR TRUNC TRUNCATE MOD SIGN POWER POW SQRT EXP LN LOG LOG2 LOG10 PI SIN COS TAN ASIN ACOS ATAN ATAN2 RADIANS DEGREES
			GREATEST LEAST SUBSTR SUBSTRING SUBSTRING_INDEX TRIM LTRIM RTRIM BTRIM LPAD RPAD REPLACE TRANSLATE REVERSE REPEAT ASCII CHR UNICODE
			CONCAT CONCAT_WS INSTR STRPOS POSITION LOCATE OVERLAY SPLIT_PART INITCAP STARTS_WITH REGEXP_REPLACE REGEXP_LIKE REGEXP_SUBSTR REGEXP_INSTR
			HEX UNHEX MD5 SHA1 SHA2 SHA256 TO_HEX QUOTE_LITERAL QUOTE_IDENT CAST CONVERT TYPEOF FIELD FIND_IN_SET ELT STRCMP SPACE
			JSON_EXTRACT JSON_VALUE JSON_QUERY JSON_UNQUOTE JSON_CONTAINS JSON_CONTAINS_PATH JSON_LENGTH JSON_KEYS JSON_SEARCH JSON_TYPE JSON_VALID JSON_OBJECT
			JSON_ARRAY JSON_SET JSON_INSERT JSON_REPLACE JSON_REMOVE JSON_QUOTE JSON_ARRAY_LENGTH JSONB_ARRAY_LENGTH JSON_BUILD_OBJECT JSONB_BUILD_OBJECT
			JSON_BUILD_ARRAY JSONB_BUILD_ARRAY JSON_EXTRACT_PATH JSON_EXTRACT_PATH_TEXT JSONB_EXTRACT_PATH JSONB_EXTRACT_PATH_TEXT JSON_TYPEOF JSONB_TYPEOF
			JSONB_SET JSONB_INSERT JSONB_STRIP_NULLS JSON_STRIP_NULLS JSONB_PATH_EXISTS JSONB_PATH_QUERY_FIRST JSONB_PATH_MATCH TO_JSON TO_JSONB ROW_TO_JSON JSON
			JSONB ARRAY_LENGTH ARRAY_POSITION ARRAY_TO_STRING STRING_TO_ARRAY ARRAY_APPEND ARRAY_REMOVE ARRAY_CAT CARDINALITY`,
		reservedSense: `SELECT FROM WHERE HAVING UNION GROUP ORDER LIMIT JOIN AND OR NOT NULL IN IS BETWEEN ON AS CASE WHEN THEN ELSE DISTINCT ALL EXISTS`,
		aggregateSense: `COUNT SUM AVG MIN MAX TOTAL GROUP_CONCAT STRING_AGG ARRAY_AGG BOOL_AND BOOL_OR EVERY BIT_AND BIT_OR BIT_XOR STDDEV STDDEV_POP
			STDDEV_SAMP VARIANCE VAR_POP VAR_SAMP CORR COVAR_POP COVAR_SAMP PERCENTILE_CONT PERCENTILE_DISC MODE ANY_VALUE
			JSON_AGG JSONB_AGG JSON_OBJECT_AGG JSONB_OBJECT_AGG JSON_ARRAYAGG JSON_OBJECTAGG JSON_GROUP_ARRAY JSON_GROUP_OBJECT
			ROW_NUMBER RANK DENSE_RANK PERCENT_RANK CUME_DIST NTILE LAG LEAD FIRST_VALUE LAST_VALUE NTH_VALUE UNNEST`,
	} {
		for word := range strings.FieldsSeq(words) {
			all[strings.ToLower(word)] |= s
		}
	}
	return all
}()

// senseOf returns what a word can mean, 0 if it can only be a name.
func senseOf(word string) sense {
	var b [24]byte
	if len(word) > len(b) {
		return 0
	}
	for i := range len(word) {
		b[i] = lower(word[i])
	}
	return senses[string(b[:len(word)])]
}

// classify writes the senses of all words where their tokens, which are no brackets, have room for them.
func (q *queries) classify() {
	for i := range q.tokens[:q.end] {
		t := &q.tokens[i]
		if t.kind != wordToken {
			continue
		}
		t.match = senseOf(q.raw(i))
		if q.d == Postgres && same(q.raw(i), "user") {
			t.match = sessionSense | keywordSense
		}
	}
}

// sense returns what token i can mean, 0 if it is no word.
func (q *queries) sense(i int) sense {
	if i < q.lo || i >= q.end || q.tokens[i].kind != wordToken {
		return 0
	}
	return q.tokens[i].match
}

// ends returns whether an expression can end with token i. Where none can, a word that follows is an operand, whatever else
// it means.
func (q *queries) ends(i int) bool {
	if i < q.lo {
		return false
	}
	switch q.tokens[i].kind {
	case signToken:
		return q.sign(i, ')') || q.sign(i, ']') || q.sign(i, '*') && (q.sign(i-1, '.') || q.sign(i-1, ',') || q.is(i-1, "SELECT"))
	case wordToken:
		return q.sense(i)&operatorSense == 0 || q.asName(i)
	}
	return true
}
