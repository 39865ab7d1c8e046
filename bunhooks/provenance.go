package bunhooks

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/sqltext"
	"github.com/cacheme/cacheme/sqltx"
)

// shownRows is how many rows of a statement are named when it tells of itself: the cache keeps as many.
const shownRows = 5

// provenance is what a statement says of itself. It is asked on the goroutine of whoever runs the statement, whose line of
// code is part of it.
func (e *engine) provenance(ctx context.Context, s *sqltx.Statement, v verdict) cacheme.Write {
	return e.cache.NewWrite(ctx, operationOf(s.Text, s.Script()), v.target())
}

// target is the name of the table that a statement writes first; empty: of none that is known.
func (v verdict) target() string {
	if len(v.tables) == 0 {
		return ""
	}
	return v.tables[0].name()
}

// operationOf is the word for what a text does: of several statements, the first that may write.
func operationOf(text string, script sqltext.Script) string {
	for i := range script.Statements {
		switch script.Statements[i].Kind {
		case sqltext.Insert:
			return "INSERT"
		case sqltext.Update:
			return "UPDATE"
		case sqltext.Delete:
			return "DELETE"
		default:
		}
	}
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	if word = strings.ToUpper(word); word == "" || word == "WITH" || strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "SQL"
	}
	return word
}

// name is how the table is called where it is shown.
func (t *table) name() string {
	if len(t.names) > 0 {
		return t.names[0]
	}
	return t.id.name()
}

// describe tells the rows of the statement's own table, each once: an update has read them before and after.
func (w *written) describe() {
	if w.by.Operation == "" || w.target == nil || w.by.Count > 0 {
		return
	}
	w.by.Whole = slices.Contains(w.whole, w.target)
	known := map[string]bool{}
	for _, r := range w.rows {
		if r.table != w.target {
			continue
		}
		for _, values := range r.values {
			key := keyOf(w.target, values)
			if known[key] && w.target.keys > 0 {
				continue
			}
			known[key] = true
			w.by.Count++
			if len(w.by.Rows) < shownRows && w.target.keys > 0 {
				w.by.Rows = append(w.by.Rows, key)
			}
		}
	}
}

// keyOf is a row's primary key as text.
func keyOf(t *table, row []driver.Value) string {
	parts := make([]string, t.keys)
	for i, v := range row[:t.keys] {
		parts[i] = text(v)
	}
	return strings.Join(parts, ",")
}
