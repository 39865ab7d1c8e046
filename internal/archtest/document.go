package archtest

import (
	"regexp"
	"strings"
)

var (
	tableHead = regexp.MustCompile(`(?i)^\|\s*path\s*\|`)
	tableRow  = regexp.MustCompile("^\\|\\s*`([^`]+)`\\s*\\|\\s*([^|]*?)\\s*\\|")
)

// documentNamesEveryPackage holds that the table "| Path | Purpose |" of docs/architecture.md has one row
// "| `internal/store` | ... |" for each package and no others. The root is `.`.
func documentNamesEveryPackage(t *Tree) []Finding {
	report := func(format string, args ...any) Finding {
		return newFinding("document names every package", architecture, format, args...)
	}
	if t.document == nil {
		return []Finding{report("does not exist")}
	}
	rows, found := table(string(t.document))
	if !found {
		return []Finding{report("has no table that begins \"| Path |\"")}
	}
	var findings []Finding
	named := make(map[string]bool)
	for _, r := range rows {
		dir := strings.TrimSuffix(r.path, "/")
		switch {
		case named[dir]:
			findings = append(findings, report("names %s twice", dir))
		case !t.has(dir):
			findings = append(findings, report("names %s, which is no package", dir))
		case r.purpose == "":
			findings = append(findings, report("does not say what %s is for", dir))
		}
		named[dir] = true
	}
	for _, p := range t.packages {
		if !named[p.dir] {
			findings = append(findings, report("does not name %s", p.dir))
		}
	}
	return findings
}

type row struct{ path, purpose string }

func table(document string) (rows []row, found bool) {
	for line := range strings.Lines(document) {
		switch m := tableRow.FindStringSubmatch(line); {
		case !found:
			found = tableHead.MatchString(line)
		case !strings.HasPrefix(line, "|"):
			return rows, true
		case m != nil:
			rows = append(rows, row{m[1], m[2]})
		}
	}
	return rows, found
}

func (t *Tree) has(dir string) bool {
	for _, p := range t.packages {
		if p.dir == dir {
			return true
		}
	}
	return false
}
