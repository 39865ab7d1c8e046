package writes

import (
	"fmt"
	"slices"
	"strings"
)

// Document is the table of writes as docs/invalidation.md has it: what each makes wrong, and where less is known.
func Document() string {
	var b strings.Builder
	b.WriteString("| Write | What becomes wrong | SQLite | PostgreSQL | MariaDB |\n|---|---|---|---|---|\n")
	for _, w := range writes() {
		fmt.Fprintf(&b, "| %s | %s", escaped(w.name), escaped(w.effect()))
		for _, d := range []Dialect{SQLite, Postgres, MariaDB} {
			b.WriteString(" | " + escaped(w.precision(d)))
		}
		b.WriteString(" |\n")
	}
	b.WriteString("\nEach of them is run in these manners:\n\n")
	for _, m := range manners() {
		after := "what it made wrong is wrong when that has returned"
		switch {
		case m.undone && len(m.besides) > 0:
			after = "nothing that it wrote is wrong, what the rest wrote is"
		case m.undone:
			after = "nothing is wrong"
		}
		fmt.Fprintf(&b, "- %s: %s\n", m.name, after)
	}
	return b.String()
}

// effect is what becomes wrong, at best.
func (w *write) effect() string {
	switch {
	case len(w.wrong) > 0:
		return strings.Join(w.wrong, ", ")
	case len(w.wide) == 0:
		return "nothing"
	case len(w.wide) == len(watched()):
		return "everything"
	}
	return "everything of " + quoted(w.wide)
}

// precision is how well that is known in a database.
func (w *write) precision(d Dialect) string {
	switch {
	case !w.runsIn(d):
		return "–"
	case !w.isWideIn(d):
		return "exact"
	case len(w.wide) == len(watched()):
		return "everything: " + w.why
	case len(w.wide) == 1:
		return quoted(w.wide) + " as a whole: " + w.why
	}
	return quoted(w.wide) + " as wholes: " + w.why
}

// watched are the tables that some node names.
func watched() (tables []string) {
	for _, c := range world() {
		if !slices.Contains(tables, c.table) {
			tables = append(tables, c.table)
		}
	}
	return tables
}

func quoted(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }

func escaped(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
