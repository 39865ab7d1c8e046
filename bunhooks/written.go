package bunhooks

import (
	"database/sql/driver"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/sqltx"
)

// written is what one statement wrote. It is kept with the transaction, which forgets it on a rollback.
type written struct {
	by     cacheme.Write
	target *table   // of by; nil: none
	whole  []*table // as a whole
	rows   []rowset
	count  int  // rows of the transaction that are named one by one, those of this statement included
	schema bool // tables were made, changed or dropped
	failed bool // it wrote nothing, and the transaction can no longer be committed
}

// rowset are rows of one table: of each the columns that are read, before or after the write.
type rowset struct {
	table  *table
	values [][]driver.Value
}

func (w *written) nothing() bool { return len(w.whole) == 0 && len(w.rows) == 0 && !w.schema }

// add notes rows.
func (w *written) add(t *table, rows [][]driver.Value) {
	if len(rows) > 0 {
		w.rows = append(w.rows, rowset{t, rows})
		w.count += len(rows)
		for _, other := range t.drags {
			w.giveUp(other)
		}
	}
}

// giveUp names the table as a whole, and with it what the database changes when rows of it go away or are renamed.
func (w *written) giveUp(t *table) { w.whole = t.family(w.whole) }

// giveUpRows names the table as a whole, where its rows stay and keep what others refer to.
func (w *written) giveUpRows(t *table) {
	w.whole = union(w.whole, []*table{t})
	for _, other := range t.drags {
		w.giveUp(other)
	}
}

// note keeps with the transaction what a statement wrote. Rows beyond the cap are not kept: their tables are, as a whole,
// so that a transaction of a million rows costs no memory. A rollback to a savepoint takes such a mark back only together
// with all that came after it.
func (e *engine) note(tx *sqltx.Tx, w *written) {
	if w.nothing() {
		return
	}
	if last, ok := tx.Last().(*written); ok {
		w.count += last.count
	}
	e.cap(w)
	tx.Add(w)
}

func (e *engine) cap(w *written) {
	w.describe()
	if w.count <= e.rowCap {
		return
	}
	for _, r := range w.rows {
		w.giveUpRows(r.table) // the rows that refer to them are among those that were named
	}
	w.by.Whole = true
	w.rows = nil
}

// effect is what one statement makes wrong.
type effect struct {
	by    cacheme.Write
	wrong []cacheme.Invalid
}

// effects are what all of it makes wrong. What several statements wrote is told by each of them: the last one is who made
// it wrong.
func (e *engine) effects(all []*written) (effects []effect) {
	known := map[*table]bool{}
	for _, w := range all {
		for _, t := range w.whole {
			known[t] = true
		}
	}
	for _, w := range all {
		wrong := invalidsOf(w.whole)
		for _, r := range w.rows {
			if known[r.table] {
				continue
			}
			for _, values := range r.values {
				wrong = e.appendRow(wrong, r.table, values)
			}
		}
		if len(wrong) > 0 {
			effects = append(effects, effect{w.by, wrong})
		}
	}
	return effects
}

// invalidsIn are these effects for the cache.
func invalidsIn(effects []effect) (invalids []cacheme.Invalid) {
	for _, f := range effects {
		invalids = append(append(invalids, cacheme.By(f.by)), f.wrong...)
	}
	return invalids
}

// appendRow adds what one row, as it was or as it is, makes wrong.
func (e *engine) appendRow(invalids []cacheme.Invalid, t *table, values []driver.Value) []cacheme.Invalid {
	told := make([]any, len(t.at))
	for i, at := range t.at {
		told[i] = values[at]
	}
	for _, name := range t.names {
		invalids = append(invalids, cacheme.Row(name, t.told, told...))
	}
	if !e.rules.Off(guard.RowsByValues) {
		invalids = t.appendHaving(invalids, values)
	}
	if len(t.keyed) == 0 {
		return invalids
	}
	keys, err := cacheKeys(t, values)
	if err != nil {
		e.warn.once("keys "+t.id.table, "cacheme cannot read a row into its model for its cache keys; the table becomes wrong as a whole",
			"table", t.id.table, "err", err)
		return append(invalids, invalidsOf([]*table{t})...)
	}
	for _, key := range keys {
		invalids = append(invalids, cacheme.Tag(key))
	}
	return invalids
}

// allOf are the entries of a transaction.
func allOf(tx *sqltx.Tx) []*written {
	var all []*written
	for _, entry := range tx.Entries() {
		if w, ok := entry.(*written); ok {
			all = append(all, w)
		}
	}
	return all
}
