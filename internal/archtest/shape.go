package archtest

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

// maxLines bounds a file: one that needs more holds a second idea. Tests may tell longer stories.
const maxLines = 400

func filesAreShort(_ *pkg, f *file, report func(string, ...any)) {
	if !f.test && f.lines > maxLines {
		report("has %d lines, at most %d are allowed", f.lines, maxLines)
	}
}

// noInit holds that importing a package does nothing.
func noInit(_ *pkg, f *file, report func(string, ...any)) {
	for _, d := range f.syntax.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			report("has an init function")
		}
	}
}

// testFilesAreNamedSo holds that test code is in files the go command leaves out of a build: foo_test_1.25.go would
// be linked into every user's program.
func testFilesAreNamedSo(_ *pkg, f *file, report func(string, ...any)) {
	if f.test {
		return
	}
	if misnamed.MatchString(path.Base(f.path)) {
		report("is called a test and does not end in _test.go")
	}
	for _, d := range f.syntax.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && isTest(fn) {
			report("has %s, which only runs in a file that ends in _test.go", fn.Name.Name)
		}
	}
}

var misnamed = regexp.MustCompile(`(^|_)test[_.]`)

// isTest reports whether the go command would take the function for a test, a benchmark or a fuzz target.
func isTest(fn *ast.FuncDecl) bool {
	if fn.Recv != nil || len(fn.Type.Params.List) != 1 {
		return false
	}
	pointer, ok := fn.Type.Params.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	of, ok := pointer.X.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	from, ok := of.X.(*ast.Ident)
	prefix := map[string]string{"T": "Test", "B": "Benchmark", "F": "Fuzz", "M": "TestMain"}[of.Sel.Name]
	return ok && from.Name == "testing" && prefix != "" && strings.HasPrefix(fn.Name.Name, prefix)
}

// hasDoc holds that a package opens with a comment. In a package of tests alone a test file carries it.
func hasDoc(p *pkg, report func(string, ...any)) {
	product := slices.ContainsFunc(p.files, func(f *file) bool { return !f.test })
	var name string
	for _, f := range p.files {
		if product && f.test {
			continue
		}
		name = strings.TrimSuffix(f.syntax.Name.Name, "_test")
		doc := f.syntax.Doc.Text()
		if name == "main" && doc != "" || strings.HasPrefix(doc, "Package "+name+" ") {
			return
		}
	}
	report("has no package comment of the form \"Package %s ...\"", name)
}
