package bunhooks

import (
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/sqltext"
	"github.com/cacheme/cacheme/sqltx"
)

// look waits for the rows of a query, where these decide which tables it has read anything of: one that is joined is told
// only if there was a row. An empty list needs nothing of what it would have been joined with.
type look struct {
	o     *cacheme.Observation
	reads []joined
	rows  bool
}

// joined is a table whose rows are chosen by those of another one.
type joined struct {
	read   cacheme.Read
	prefix string // of its columns in the result, where there may be no row of it beside the others; empty: there is one
	at     []int  // these columns
	found  bool
}

// waits keeps a read until then. Of an aggregate the rows say nothing, and nor do those of a left join that are not named as bun
// names them.
func (l *look) waits(read cacheme.Read, s *sqltext.Source) {
	j := joined{read: read}
	if s.Joined != nil {
		j.prefix = s.Alias + "__"
	}
	l.reads = append(l.reads, j)
}

// aggregates are what gives a row where there are none.
var aggregates = []string{"count(", "sum(", "min(", "max(", "avg(", "total(", "_agg(", "group_concat(", "exists"}

// isAggregate reports whether a query may give a row where its tables have none. It is a quick look.
func isAggregate(text string) bool {
	lower := strings.ToLower(text)
	list, _, _ := strings.Cut(lower, " from ")
	return slices.ContainsFunc(aggregates, func(a string) bool { return strings.Contains(list, a) })
}

// watch looks at the rows as the program reads them.
func (l *look) watch(rows driver.Rows) driver.Rows {
	if l == nil || rows == nil || len(l.reads) == 0 {
		return rows
	}
	columns := rows.Columns()
	for i := range l.reads {
		j := &l.reads[i]
		for at, c := range columns {
			if j.prefix != "" && strings.HasPrefix(strings.ToLower(c), strings.ToLower(j.prefix)) {
				j.at = append(j.at, at)
			}
		}
	}
	return sqltx.Seen(rows, l.see, l.tell)
}

func (l *look) see(row []driver.Value) {
	l.rows = true
	for i := range l.reads {
		j := &l.reads[i]
		j.found = j.found || slices.ContainsFunc(j.at, func(at int) bool { return at < len(row) && row[at] != nil })
	}
}

func (l *look) tell() {
	for _, j := range l.reads {
		if l.rows && (j.prefix == "" || j.found) {
			l.o.Read(j.read)
		}
	}
}
