package queries

import (
	"fmt"
	"slices"
	"strings"
)

// Document is the grid as docs/queries.md has it: which write has which query loaded again, and which tables count as
// wholes.
func Document() string {
	all := gridWrites()
	var b strings.Builder
	b.WriteString("● the answer is another, and is loaded again; ○ it is the same, and is loaded again all the same; · it is kept.\n\n")
	b.WriteString("| Query | Criterion |")
	for i := range all {
		fmt.Fprintf(&b, " %d |", i+1)
	}
	b.WriteString(" Counts as a whole |\n|---|---|")
	b.WriteString(strings.Repeat("---|", len(all)+1) + "\n")
	for _, s := range shapes() {
		for c, want := range s.want {
			if want == "" {
				continue
			}
			fmt.Fprintf(&b, "| %s | %s |", s.name, criterion(c))
			for _, letter := range want {
				fmt.Fprintf(&b, " %s |", map[rune]string{kept: "·", loaded: "●", needless: "○"}[letter])
			}
			fmt.Fprintf(&b, " %s |\n", want.wholes(all))
		}
	}
	b.WriteString("\nThe writes:\n\n")
	for i, w := range all {
		fmt.Fprintf(&b, "%d. %s\n", i+1, w.name)
	}
	return b.String()
}

// wholes are the tables of which a row that has nothing to do with the query had its answer loaded again.
func (c cells) wholes(all []write) string {
	var tables []string
	for i, w := range all {
		if w.elsewhere != "" && c[i] != kept && !slices.Contains(tables, w.elsewhere) {
			tables = append(tables, w.elsewhere)
		}
	}
	return strings.Join(tables, ", ")
}
