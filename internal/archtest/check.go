package archtest

import "fmt"

// Finding is one breach of one rule.
type Finding struct {
	Rule  string // the rule's name, in words
	Where string // the file or folder, relative to the repository
	What  string // what is wrong there
}

// String returns the place, what is wrong there and the rule.
func (f Finding) String() string { return fmt.Sprintf("%s %s (%s)", f.Where, f.What, f.Rule) }

func newFinding(rule, where, format string, args ...any) Finding {
	return Finding{Rule: rule, Where: where, What: fmt.Sprintf(format, args...)}
}

// fileRules look at one file of a package at a time.
var fileRules = []struct {
	name  string
	check func(p *pkg, f *file, report func(format string, args ...any))
}{
	{"imports point one way", importsPointOneWay},
	{"suites are not imported", suitesAreNotImported},
	{"sqltx stands alone", sqltxStandsAlone},
	{"bun stays at the edge", bunStaysAtTheEdge},
	{"products carry no test code", productsCarryNoTestCode},
	{"no unsafe", noUnsafe},
	{"no wall clock", noWallClock},
	{"no init", noInit},
	{"files are short", filesAreShort},
	{"test files are named so", testFilesAreNamedSo},
}

// Check returns every breach of every rule, in the order of the files; none means that the architecture holds.
func (t *Tree) Check() []Finding {
	var findings []Finding
	for _, p := range t.packages {
		for _, f := range p.files {
			for _, r := range fileRules {
				r.check(p, f, func(format string, args ...any) {
					findings = append(findings, newFinding(r.name, f.path, format, args...))
				})
			}
		}
		hasDoc(p, func(format string, args ...any) {
			findings = append(findings, newFinding("packages have a comment", p.dir, format, args...))
		})
	}
	return append(findings, documentNamesEveryPackage(t)...)
}
