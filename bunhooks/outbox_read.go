package bunhooks

import (
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cacheme/cacheme"
)

// read is what a row makes wrong, and how many names that is. One that is not understood, because another version wrote it
// for one, makes its tables wrong as wholes: no row is lost without a word, and none keeps those behind it.
func (o *Outbox) read(e *engine, r outboxRow) (invalids []cacheme.Invalid, names int) {
	err := e.protect(func() (err error) {
		if invalids, err = e.invalidsOfRow(r); err != nil {
			return err
		}
		// What the cache would refuse is refused here, where it is one row alone.
		all, err := e.cache.Names(invalids...)
		names = len(all)
		return err
	})
	if err == nil {
		return invalids, names
	}
	o.counts.unreadable.Add(1)
	e.warn.once("outbox unreadable", "cacheme found a row in its outbox that it does not understand; the tables that it names become wrong as wholes, all of them where it names none",
		"id", r.id, "tables", r.wrote, "err", err)
	whole := e.watch().wholes(r.wrote)
	return append([]cacheme.Invalid{cacheme.By(cacheme.Write{Operation: "outbox", Whole: true})}, whole...), len(whole)
}

// maxRead is the longest row that is read, in bytes: some ten times what the largest of a trigger's has.
const maxRead = 4 << 20

func readSlip(what string) (s slip, err error) {
	if len(what) > maxRead || !utf8.ValidString(what) { // which JSON would mend in silence, to another value
		return s, errUnreadable
	}
	d := json.NewDecoder(strings.NewReader(what))
	d.UseNumber()
	if err := d.Decode(&s); err != nil {
		return s, err
	}
	if s.Version != slipVersion {
		return s, fmt.Errorf("bunhooks: a row of version %d", s.Version)
	}
	return s, nil
}

func (e *engine) invalidsOfRow(r outboxRow) (invalids []cacheme.Invalid, err error) {
	s, err := readSlip(r.what)
	if err != nil {
		return nil, err
	}
	if s.Op != "" {
		if len(tablesIn(r.wrote)) == 0 {
			return nil, errNamesNothing
		}
		return invalidsIn(e.effects(e.watch().writtenIn(r.wrote, s, e.rowCap))), nil
	}
	for _, w := range s.Writes {
		invalids = append(invalids, cacheme.By(w.By), cacheme.Named(w.Names...))
	}
	if len(invalids) == 0 {
		return nil, errNamesNothing
	}
	return invalids, nil
}

var (
	errNamesNothing = errors.New("bunhooks: a row that names nothing")
	errUnreadable   = errors.New("bunhooks: a row that is too long, or no text")
)

// tablesIn are the names of the tables that a row has in wrote: none, where they cannot be read.
func tablesIn(wrote string) (names []string) {
	if err := json.Unmarshal([]byte(wrote), &names); err != nil || !utf8.ValidString(wrote) || slices.Contains(names, "") {
		return nil
	}
	return names
}

// wholes are the tables that a row names: all, where nobody knows which it means. One that is not watched here may be elsewhere,
// by the same name.
func (w *watch) wholes(wrote string) (invalids []cacheme.Invalid) {
	names := tablesIn(wrote)
	if len(names) == 0 {
		return invalidsOf(w.all)
	}
	for _, name := range names {
		if tables := w.called(name); len(tables) > 0 {
			all := &written{}
			for _, t := range tables {
				all.giveUp(t)
			}
			invalids = append(invalids, invalidsOf(all.whole)...)
		}
		invalids = append(invalids, cacheme.Table(name))
	}
	return invalids
}

// called are the watched tables of this name.
func (w *watch) called(name string) (tables []*table) {
	id := idOf(name, w.standard)
	for _, t := range w.byName[id.table] {
		if t.id == id {
			tables = append(tables, t)
		}
	}
	return tables
}

// writtenIn is what a trigger saw, as if a statement of this process had written it. A table of another process's, of which it
// is not known here what its rows make wrong, is wrong as a whole.
func (w *watch) writtenIn(wrote string, s slip, most int) (all []*written) {
	for _, name := range tablesIn(wrote) {
		by := cacheme.Write{Operation: s.Op, Table: name}
		tables := w.called(name)
		if len(tables) == 0 {
			by.Whole = true
			all = append(all, &written{by: by, whole: []*table{{names: []string{name}}}})
		}
		for _, t := range tables {
			one := &written{by: by, target: t}
			rows, ok := w.rowsIn(t, s)
			switch {
			case !ok, len(rows) > most, len(t.keyed) > 0:
				one.giveUp(t)
			default:
				one.add(t, rows)
				w.dragSilently(one, t, s.Op, rows)
			}
			one.describe()
			all = append(all, one)
		}
	}
	return all
}

// dragSilently gives up what the database changes along with rows without a trigger of its own: MariaDB's cascades.
func (w *watch) dragSilently(one *written, t *table, op string, rows [][]driver.Value) {
	if !w.catalog.quietCascades {
		return
	}
	for _, c := range t.children {
		moved := len(rows) == 2 && slices.ContainsFunc(c.parentCols, func(column string) bool {
			at := t.position(column)
			return at < 0 || text(rows[0][at]) != text(rows[1][at])
		})
		if op == "DELETE" && c.onDelete != noAction || moved && c.onUpdate != noAction {
			one.giveUp(c.table)
		}
	}
}

// rowsIn are the rows that a trigger kept, as a driver would return them. It is not ok where a column is missing that says
// what becomes wrong, nor where there is one more than is read here: another version has told the trigger of it, and that one's
// keys are not known.
func (w *watch) rowsIn(t *table, s slip) (rows [][]driver.Value, ok bool) {
	if s.Whole {
		return nil, false
	}
	facts := w.catalog.tables[t.id].columns
	for _, kept := range s.Rows {
		for column := range kept {
			if t.position(column) < 0 {
				return nil, false
			}
		}
		row := make([]driver.Value, len(t.columns))
		for i, column := range t.columns {
			v, found := kept[column]
			known := false
			if found {
				row[i], known = valueIn(v, facts[strings.ToLower(column)].binary)
			}
			if !known && t.tells(i) {
				return nil, false
			}
		}
		rows = append(rows, row)
	}
	return rows, true
}

// tells reports whether a column says what becomes wrong.
func (t *table) tells(column int) bool {
	return slices.Contains(t.at, column) || slices.ContainsFunc(t.keysets, func(k keyset) bool { return slices.Contains(k.at, column) })
}

// valueIn is a value of a trigger's JSON as a driver would return it.
func valueIn(v any, binary bool) (value driver.Value, ok bool) {
	switch v := v.(type) {
	case nil, bool:
		return v, true
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, true
		}
		return v.String(), true
	case string:
		if !binary {
			return v, true
		}
		digits, isHex := strings.CutPrefix(v, `\x`) // with bytea_output = escape it is not, and may look like it
		b, err := hex.DecodeString(digits)
		return b, isHex && err == nil
	default:
		return nil, false
	}
}
