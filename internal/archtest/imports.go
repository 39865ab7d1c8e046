package archtest

import (
	"path"
	"strings"
)

// suites are folders of test code that may use everything, whatever their files are called.
var suites = []string{"benchmarks", "internal/suite", "internal/integration"}

// bunKnows are the folders whose product code may import bun.
var bunKnows = []string{"bunhooks", "rowcache", "admin", "examples"}

// forTests reports whether a folder holds code for tests alone. A name that ends in "test" says so by itself:
// cachetest, storetest, archtest.
func forTests(dir string) bool {
	return strings.HasSuffix(path.Base(dir), "test") || under(dir, "internal/embedded") || under(dir, suites...)
}

// importsPointOneWay holds that the root imports internal packages alone, and that internal packages import neither
// the root nor what is built on it, not even in their tests: those would belong one floor up, or into a suite.
func importsPointOneWay(p *pkg, f *file, report func(string, ...any)) {
	internal := under(p.dir, "internal") && !under(p.dir, suites...)
	if p.dir != "." && !internal || p.dir == "." && f.test {
		return
	}
	for _, i := range f.imports {
		if dir, ok := local(i); ok && !under(dir, "internal") {
			report("imports %s, which is built on it: imports point from the edges to the root to internal", i)
		}
	}
}

// suitesAreNotImported holds that nothing but suites and tests uses a suite, and nobody an example or a command.
func suitesAreNotImported(p *pkg, f *file, report func(string, ...any)) {
	for _, i := range f.imports {
		dir, ok := local(i)
		switch {
		case !ok:
		case under(dir, "examples", "cmd") && !under(dir, strings.SplitN(p.dir, "/", 2)[0]):
			report("imports %s: examples and commands are imported by nobody", i)
		case under(dir, suites...) && !f.test && !under(p.dir, suites...):
			report("imports %s: suites are for tests", i)
		}
	}
}

// sqltxMayUse is what of this repository sqltx may import; it stands alone itself.
const sqltxMayUse = "internal/sqltext"

// sqltxStandsAlone holds that sqltx can be taken out, with the reader of SQL texts below it, and used with any
// database/sql program.
func sqltxStandsAlone(p *pkg, f *file, report func(string, ...any)) {
	if !under(p.dir, "sqltx", sqltxMayUse) || f.test {
		return
	}
	for _, i := range f.imports {
		if dir, ok := local(i); ok && dir == sqltxMayUse && under(p.dir, "sqltx") {
			continue
		}
		// A path of the standard library has no dot in its first element; those of modules have.
		if first, _, _ := strings.Cut(i, "/"); strings.Contains(first, ".") {
			report("imports %s: sqltx and %s use the standard library alone", i, sqltxMayUse)
		}
	}
}

// bunStaysAtTheEdge holds that whoever uses the root for other than bun's models does not link bun.
func bunStaysAtTheEdge(p *pkg, f *file, report func(string, ...any)) {
	if f.test || under(p.dir, bunKnows...) || forTests(p.dir) {
		return
	}
	for _, i := range f.imports {
		if under(i, "github.com/uptrace/bun") {
			report("imports %s: only %s know bun", i, strings.Join(bunKnows, ", "))
		}
	}
}

// productsCarryNoTestCode holds that no user's binary contains the testing package, miniredis or a test kit.
func productsCarryNoTestCode(p *pkg, f *file, report func(string, ...any)) {
	if f.test || forTests(p.dir) {
		return
	}
	for _, i := range f.imports {
		dir, ours := local(i)
		switch {
		case under(dir, "internal/embedded") && under(p.dir, "examples"):
			// An example runs without an installed Redis.
		case i == "testing" || strings.HasPrefix(i, "testing/"),
			strings.HasPrefix(i, "github.com/alicebob/miniredis"),
			ours && forTests(dir):
			report("imports %s: product code carries no test code", i)
		}
	}
}

// noUnsafe holds that memory safety is Go's business. A test may name unsafe.Pointer to see it refused.
func noUnsafe(_ *pkg, f *file, report func(string, ...any)) {
	if f.test {
		return
	}
	for _, i := range f.imports {
		if i == "unsafe" {
			report("imports unsafe")
		}
	}
}
