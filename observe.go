package cacheme

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Observation is told what a load reads while it runs. Package bunhooks tells it of each query on its connections that
// has the loader's context; a loader that reads elsewhere may tell by itself. Of most nodes the cache compares what was
// read with what they declare, and tells by EventUndeclared what is missing; with Meta{Observe: Auto} what was read is
// what an entry depends on. Any goroutine of the load may use it, until the load ends.
type Observation struct {
	plan *nodePlan

	mu   sync.Mutex
	seen seen
	over bool
}

// seen is what was read by a load.
type seen struct {
	reads  []Read
	names  dependencyNames // with Auto
	unseen string          // why that is not all; empty: it is
}

// Read is one table that a load read. One whose rows are found by those of another table, and of which there was none, has
// not been read.
type Read struct {
	// Tables is the table as Row has it. Several are tables of which one was read, nobody knows which.
	Tables []string
	// Matches are the rows that matter: those that one of them describes. None: any may, or it is not known which.
	Matches []Match
	// Any says that every row of the table matters for sure, and that a new one does.
	Any bool
	// Line is where the query came from: "shop/books.go:42".
	Line string
}

// Match are the rows that have these values in these columns, as the database names them. Values are int64, string or
// bool.
type Match struct {
	Columns []string
	Values  []any
	Unique  bool // there is at most one such row
}

// Observing returns what is told of the load that ctx is of. It is nil outside of loads, where the node has
// Meta{Observe: Off}, and in a load of another cache: that one is not told of writes to what is read here, and hears that
// something was not seen. A nil Observation takes everything and does nothing.
func (c *Cache) Observing(ctx context.Context) *Observation {
	s := scopeOf(ctx)
	switch {
	case s == nil:
		return nil
	case s.cache != c:
		s.observation.Unseen("the load read a database whose writes another cache is told of")
		return nil
	}
	return s.observation
}

func newObservation(p *nodePlan) *Observation {
	if p.observe == Off {
		return nil
	}
	return &Observation{plan: p}
}

// IsAuto reports whether what is read is what the entry depends on, so that every read counts, and all that a read is
// told with has to be what writers tell of a row too: see Having.
func (o *Observation) IsAuto() bool { return o != nil && o.plan.observe == Auto }

// Due reports whether a read is to be told whose text has this shape: a hash that texts share which differ in their
// values alone. Every read is with Auto. Else each shape is the first few times, and ever more rarely then: a node asks
// the same things again and again, and what was declared for one of them is for the next.
func (o *Observation) Due(shape uint64) bool {
	return o != nil && (o.plan.observe == Auto || o.plan.known.due(shape))
}

// Read tells a read.
func (o *Observation) Read(r Read) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.over:
	case o.plan.observe == Auto:
		o.seen.names.add(r)
	default:
		o.seen.reads = append(o.seen.reads, r)
	}
}

// Unseen says that the load read, or may have read, what nobody can tell it by: with Auto its value is not stored.
func (o *Observation) Unseen(reason string) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.over && o.seen.unseen == "" {
		o.seen.unseen = reason
	}
}

// end returns what was seen, and takes no more.
func (o *Observation) end() seen {
	if o == nil {
		return seen{}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over = true
	return o.seen
}

// known is what of a node was looked at already.
type known struct {
	mu     sync.Mutex
	shapes map[uint64]uint32 // how often each was met
	told   map[string]bool
}

const (
	// maxShapes bounds what a node whose texts never repeat costs; further ones are not looked at.
	maxShapes = 2000
	// firstLooks is how often a shape is looked at in any case: a first load may have found nothing.
	firstLooks = 4
)

func (k *known) due(shape uint64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	n, met := k.shapes[shape]
	if !met {
		if len(k.shapes) >= maxShapes {
			return false
		}
		if k.shapes == nil {
			k.shapes = map[uint64]uint32{}
		}
	}
	n++
	k.shapes[shape] = n
	return n <= firstLooks || n&(n-1) == 0
}

// first reports whether something is found of a node for the first time.
func (k *known) first(what string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.told == nil {
		k.told = map[string]bool{}
	}
	if k.told[what] || len(k.told) >= maxShapes {
		return false
	}
	k.told[what] = true
	return true
}

// Having stands for the rows of a table that have these values in these columns, whatever is declared of it: what an
// entry of a node with Meta{Observe: Auto} depends on. Whoever watches the database makes it wrong for each row that is
// written, as it was and as it is, and for the columns that readers name; bunhooks has the primary key, its columns, and
// those of foreign keys.
//
// It is for Invalidate and Hold alone. A node cannot name it: what it stands for nobody makes wrong where no node has Auto.
func Having(table string, columns []string, values ...int64) Invalid {
	return &writtenHaving{table: table, columns: columns, values: values}
}

// writtenHaving is a pointer, so that comparing two Invalids never panics.
type writtenHaving struct {
	InvalidNode
	table   string
	columns []string
	values  []int64
}

func (*writtenHaving) Meta() Meta { return Meta{} }

func (h *writtenHaving) append(d *dependencies) error {
	all := make([]any, len(h.values))
	for i, v := range h.values {
		all[i] = v
	}
	name, ok := having(h.table, Match{Columns: h.columns, Values: all})
	if !ok || h.table == "" || len(h.columns) != len(h.values) {
		return &UsageError{Node: "cacheme.Having", Reason: fmt.Sprintf("has %d columns and %d values for the table %q; name the table, and give each column its value", len(h.columns), len(h.values), h.table)}
	}
	d.add(havingKind, name)
	return nil
}

// havingKind is rows by values of columns, with no declaration behind it.
const havingKind kind = "having"

// having renders books:author_id=5, columns in the order of their names. It is not ok for other values than integers: what
// a database takes for the same text, nobody knows for sure.
func having(table string, m Match) (name string, ok bool) {
	parts := make([]string, len(m.Columns))
	for i, column := range m.Columns {
		if i >= len(m.Values) {
			return "", false
		}
		v, isInt := m.Values[i].(int64)
		if !isInt {
			return "", false
		}
		parts[i] = strings.ToLower(column) + "=" + strconv.FormatInt(v, 10)
	}
	slices.Sort(parts)
	return table + ":" + strings.Join(parts, ","), len(parts) > 0
}
