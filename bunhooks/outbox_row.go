package bunhooks

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/cacheme/cacheme"
)

// outboxRow is one row of an outbox. Wrote is a JSON array of table names, as the cache has them.
type outboxRow struct{ id, cache, wrote, what string }

// slip is what a row says in what: Writes, of a writer that knew what became wrong, or the rest, of a trigger, which knows
// rows alone. Another version may write another one.
type slip struct {
	Version int         `json:"v"`
	Writes  []slipWrite `json:"writes,omitempty"`

	Op    string           `json:"op,omitempty"`
	Rows  []map[string]any `json:"rows,omitempty"`  // of the table, as they were and as they are
	Whole bool             `json:"whole,omitempty"` // too many, or nobody knows which
}

// slipWrite is what one statement made wrong, as cacheme.Names has it.
type slipWrite struct {
	By    cacheme.Write `json:"by,omitzero"`
	Names []string      `json:"names"`
}

const slipVersion = 1

// maxSlip bounds a row: beyond, its tables are wrong as wholes. It is some five hundred rows that are named one by one; what
// is lost is a few more loads after a process was killed, and what is saved is a copy of each bulk write.
const maxSlip = 32 << 10

// newRow is the row for what a transaction makes wrong.
func (e *engine) newRow(effects []effect, all []*written) outboxRow {
	tables := tablesOf(all)
	r := outboxRow{id: newRowID(), cache: e.cache.Prefix(), wrote: jsonText(namesOf(tables))}
	s := slip{Version: slipVersion}
	readable := true
	for _, f := range effects {
		names, err := e.cache.Names(f.wrong...)
		readable = readable && err == nil && !slices.ContainsFunc(names, func(n string) bool { return !utf8.ValidString(n) })
		s.Writes = append(s.Writes, slipWrite{f.by, names})
	}
	if r.what = jsonText(s); readable && len(r.what) <= maxSlip {
		return r
	}
	names, err := e.cache.Names(invalidsOf(tables)...)
	if err != nil {
		names = nil // of tables it does not fail; whoever reads a row without any goes by wrote
	}
	by := effects[len(effects)-1].by
	by.Whole = true
	r.what = jsonText(slip{Version: slipVersion, Writes: []slipWrite{{by, names}}})
	return r
}

// newRowID begins with the time, so that rows stand in their table in the order in which they came, and ends at random.
func newRowID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // it never fails
	return fmt.Sprintf("%016x", time.Now().UnixMicro()) + hex.EncodeToString(b[:])
}

// tablesOf are the tables that were written.
func tablesOf(all []*written) (tables []*table) {
	for _, w := range all {
		tables = union(tables, w.whole)
		for _, r := range w.rows {
			tables = union(tables, []*table{r.table})
		}
	}
	return tables
}

func namesOf(tables []*table) []string {
	names := []string{}
	for _, t := range tables {
		names = append(names, t.names...)
	}
	return names
}

// jsonText is of types that have a JSON.
func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "{}"
	}
	return string(b)
}
