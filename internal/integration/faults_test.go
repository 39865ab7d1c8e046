package integration_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var updateFaults = flag.Bool("update", false, "write the table of docs/faults.md anew")

// fault is a row of the fault matrix, which docs/faults.md shows.
type fault struct {
	name   string
	expect string // in a user's words, written before it was tried
	// run shows it. Where a suite does that already, elsewhere names its test instead, as go test prints it.
	run       func(*testing.T)
	elsewhere string
}

// faults is the matrix, by what breaks.
func faults() []fault {
	return slices.Concat(redisFaults, networkFaults, processFaults, databaseFaults, clockFaults)
}

// TestFault runs the rows that no suite has.
func TestFault(t *testing.T) {
	t.Parallel()
	for _, f := range faults() {
		if f.run != nil {
			t.Run(f.name, f.run)
		}
	}
}

// The page has every row with its expected outcome, and where it is shown.
func TestFaults_are_on_their_page(t *testing.T) {
	t.Parallel()
	page := filepath.Join("..", "..", "docs", "faults.md")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- begin faults -->\n", "<!-- end faults -->"
	before, rest, found := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the table", page)
	}
	want := before + begin + table() + end + after
	if *updateFaults {
		if err := os.WriteFile(page, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if string(text) != want && !*updateFaults {
		t.Errorf("%s is not what the rows are; run go test -run TestFaults -update here", page)
	}
}

func table() string {
	var b strings.Builder
	b.WriteString("| Fault | Expected | Shown by |\n|---|---|---|\n")
	for _, f := range faults() {
		where := f.elsewhere
		if f.run != nil {
			where = "TestFault/" + strings.ReplaceAll(f.name, " ", "_")
		}
		fmt.Fprintf(&b, "| %s | %s | `%s` |\n", f.name, f.expect, where)
	}
	return b.String()
}

// A test that a row names is there: each part of its name is written somewhere in the tests or in the suites.
func TestFaults_name_tests_that_exist(t *testing.T) {
	t.Parallel()
	var sources strings.Builder
	root := filepath.Join("..", "..")
	check(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		tested := strings.HasSuffix(path, "_test.go") || strings.Contains(filepath.ToSlash(path), "internal/suite/")
		if err != nil || d.IsDir() || !tested || strings.HasSuffix(path, "faults_test.go") || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		sources.Write(text)
		return err
	}))
	all := sources.String()
	for _, f := range faults() {
		if (f.run == nil) == (f.elsewhere == "") {
			t.Errorf("row %q has to be shown here or elsewhere", f.name)
		}
		if f.elsewhere == "" {
			continue
		}
		for part := range strings.SplitSeq(f.elsewhere, "/") {
			if !strings.Contains(all, part) && !strings.Contains(all, strings.ReplaceAll(part, "_", " ")) {
				t.Errorf("row %q: no test has %q in its name", f.name, part)
			}
		}
	}
}
