package sqltext

import (
	"slices"
	"strings"
)

// steady returns whether the tokens of part choose the same rows twice, one after the other in one transaction.
func (r *reader) steady(part run) bool {
	if r.is(part.lo, "WHERE") && r.is(part.lo+1, "CURRENT") && r.is(part.lo+2, "OF") {
		return false
	}
	for i := part.lo; i < part.hi; i++ {
		switch t := r.tokens[i]; t.kind {
		case stringToken:
			if r.d == SQLite && same(unquote(r.raw(i)), "now") {
				return false
			}
		case signToken:
			if r.d == MySQL && r.text[t.start] == ':' { // @x := ..
				return false
			}
		case wordToken:
			if !r.sign(i-1, '.') && !r.steadyWord(i) {
				return false
			}
		}
	}
	return true
}

func (r *reader) steadyWord(i int) bool {
	switch {
	case r.any(i, "LIMIT", "FETCH", "TABLESAMPLE", "INTO"), r.is(i, "DISTINCT") && r.is(i+1, "ON"):
		return false
	case r.is(i, "OVER") && i+1 < r.end && (r.sign(i+1, '(') || r.tokens[i+1].kind != signToken):
		return false
	}
	called := r.sign(i+1, '(')
	bare := func(names ...string) bool { return r.any(i, names...) }
	call := func(names ...string) bool { return called && r.any(i, names...) }
	switch r.d {
	case Postgres:
		// now() and CURRENT_TIMESTAMP stand still in a transaction.
		return !call("random", "random_normal", "gen_random_uuid", "gen_random_bytes", "uuidv4", "uuidv7", "uuid_generate_v1", "uuid_generate_v1mc",
			"uuid_generate_v4", "nextval", "currval", "lastval", "setval", "clock_timestamp", "statement_timestamp", "timeofday",
			"pg_try_advisory_lock", "pg_try_advisory_xact_lock", "pg_try_advisory_lock_shared", "pg_try_advisory_xact_lock_shared",
			"pg_advisory_lock", "pg_advisory_lock_shared", "pg_advisory_unlock", "pg_advisory_unlock_shared", "pg_advisory_unlock_all",
			"pg_sleep", "pg_sleep_for", "pg_sleep_until")
	case SQLite:
		return !bare("current_timestamp", "current_date", "current_time") &&
			!call("random", "randomblob", "changes", "total_changes", "last_insert_rowid") &&
			(!call("date", "time", "datetime", "julianday", "unixepoch") || !r.sign(i+2, ')'))
	default:
		return !bare("select", "table", "values", "current_timestamp", "current_date", "current_time", "localtime", "localtimestamp", "utc_timestamp", "utc_date", "utc_time") &&
			!call("rand", "random_bytes", "uuid", "uuid_short", "uuid_v4", "uuid_v7", "sys_guid", "now", "sysdate", "curdate", "curtime", "unix_timestamp",
				"row_count", "found_rows", "last_insert_id", "sleep", "get_lock", "release_lock", "is_free_lock", "is_used_lock",
				"nextval", "lastval", "setval", "benchmark")
	}
}

// moments notes the texts that PostgreSQL reads as a time of today wherever it expects a time, be it because of a column
// that they are compared with. Where it expects none they are texts like any other, which is not known here.
func (q *queries) moments() bool {
	if q.d != Postgres {
		return true
	}
	for i, t := range q.tokens[:q.end] {
		if t.kind != stringToken {
			continue
		}
		fields := strings.Fields(strings.ToLower(strings.Trim(q.raw(i), "'$eE")))
		if len(fields) > 3 { // a day, a time and a zone
			continue
		}
		for _, moment := range []string{"now", "today", "tomorrow", "yesterday"} {
			if slices.Contains(fields, moment) && !q.function("'"+moment+"'") {
				return false
			}
		}
	}
	return true
}
