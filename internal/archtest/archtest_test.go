package archtest_test

import (
	"io/fs"
	"maps"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme/internal/archtest"
)

const ours = "github.com/cacheme/cacheme"

func TestRepository(t *testing.T) {
	t.Parallel()
	root := os.DirFS("../..")
	if _, err := fs.Stat(root, "go.mod"); err != nil {
		t.Fatalf("this is not the repository: %v", err)
	}
	tree, err := archtest.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range tree.Check() {
		t.Error(f)
	}
}

// source is the text of a Go file.
func source(name string, imports ...string) string {
	var b strings.Builder
	b.WriteString("// Package " + strings.TrimSuffix(name, "_test") + " is here.\npackage " + name + "\n")
	for _, i := range imports {
		b.WriteString("import _ \"" + i + "\"\n")
	}
	return b.String()
}

// sound is a small repository that keeps every rule, on the edge where there is one.
func sound() map[string]string {
	return map[string]string{
		"go.mod":                            "module " + ours,
		"doc.go":                            source("cacheme", ours+"/internal/store", "github.com/redis/go-redis/v9"),
		"cache_test.go":                     source("cacheme_test", "testing", ours+"/cachetest", ours+"/bunhooks", "github.com/uptrace/bun"),
		"internal/store/store.go":           source("store", ours+"/internal/envelope"),
		"internal/store/long_test.go":       source("store_test", ours+"/internal/store/storetest") + strings.Repeat("\n", 500),
		"internal/store/storetest/suite.go": source("storetest", "testing", ours+"/internal/embedded") + "func TestStore(t *testing.T, s any) {}\n",
		"internal/envelope/envelope.go":     source("envelope") + strings.Repeat("\n", 398),
		"internal/embedded/embedded.go":     source("embedded", "github.com/alicebob/miniredis/v2"),
		"internal/suite/model_test.go":      source("suite_test", ours, ours+"/bunhooks"),
		"internal/integration/go.mod":       "module " + ours + "/internal/integration",
		"internal/integration/kit/kit.go":   source("kit", "testing", ours),
		"sqltx/connector.go":                source("sqltx", "database/sql/driver", ours+"/internal/sqltext"),
		"internal/sqltext/parse.go":         source("sqltext", "strings"),
		"sqltx/connector_test.go":           source("sqltx_test", "github.com/google/go-cmp/cmp", "unsafe"),
		"bunhooks/hook.go":                  source("bunhooks", ours, ours+"/sqltx", "github.com/uptrace/bun/schema"),
		"cachetest/kit.go":                  source("cachetest", "testing", ours, ours+"/internal/embedded"),
		"examples/bookstore/main.go":        "// Bookstore sells.\npackage main\nimport _ \"" + ours + "/examples/bookstore/store\"\n",
		"examples/bookstore/store/store.go": source("store", ours, ours+"/internal/embedded", "github.com/uptrace/bun"),
		"cmd/cacheme/main.go":               "// Command cacheme looks inside.\npackage main\n",
		"docs/testdata/broken.go":           "this is no Go",
		".hidden/broken.go":                 "nor is this",
		"docs/architecture.md": `# Architecture
| Key | Meaning |
|---|---|
| ` + "`internal/else`" + ` | another table |

| Path | Purpose |
|---|---|
` + rows(".", "internal/store", "internal/store/storetest", "internal/envelope", "internal/embedded", "internal/sqltext", "internal/suite",
			"internal/integration/kit", "sqltx/", "bunhooks", "cachetest", "examples/bookstore", "examples/bookstore/store", "cmd/cacheme") + `
| ` + "`internal/other`" + ` | and another |
`,
	}
}

func rows(dirs ...string) string {
	var b strings.Builder
	for _, d := range dirs {
		b.WriteString("| `" + d + "` | a purpose |\n")
	}
	return b.String()
}

func check(t *testing.T, files map[string]string) []archtest.Finding {
	t.Helper()
	fsys := make(fstest.MapFS)
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	tree, err := archtest.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return tree.Check()
}

func TestCheck_a_sound_repository_has_no_findings(t *testing.T) {
	t.Parallel()
	if got := check(t, sound()); len(got) != 0 {
		t.Errorf("findings:\n%v", got)
	}
}

func TestCheck_each_breach_is_found_once(t *testing.T) {
	t.Parallel()
	const (
		oneWay   = "imports point one way"
		suites   = "suites are not imported"
		alone    = "sqltx stands alone"
		edge     = "bun stays at the edge"
		tests    = "products carry no test code"
		comment  = "packages have a comment"
		named    = "test files are named so"
		document = "document names every package"
	)
	for _, breach := range []struct{ name, rule, file, text string }{
		{"root imports an edge", oneWay, "get.go", source("cacheme", ours+"/admin")},
		{"root imports sqltx", oneWay, "get.go", source("cacheme", ours+"/sqltx")},
		{"internal imports root", oneWay, "internal/store/get.go", source("store", ours)},
		{"internal's test imports root", oneWay, "internal/store/get_test.go", source("store_test", ours)},
		{"internal imports an edge", oneWay, "internal/store/get.go", source("store", ours+"/bunhooks")},
		{"an edge imports an example", suites, "bunhooks/get.go", source("bunhooks", ours+"/examples/bookstore/store")},
		{"an edge imports a command", suites, "bunhooks/get_test.go", source("bunhooks_test", ours+"/cmd/cacheme/ask")},
		{"a test kit imports a suite", suites, "cachetest/get.go", source("cachetest", ours+"/internal/integration/kit")},
		{"sqltx imports a module", alone, "sqltx/get.go", source("sqltx", "golang.org/x/sync/errgroup")},
		{"sqltx imports root", alone, "sqltx/get.go", source("sqltx", ours)},
		{"sqltx imports another internal package", alone, "sqltx/get.go", source("sqltx", ours+"/internal/store")},
		{"sqltext imports a module", alone, "internal/sqltext/get.go", source("sqltext", "github.com/klauspost/compress/s2")},
		{"sqltext imports another internal package", alone, "internal/sqltext/get.go", source("sqltext", ours+"/internal/store")},
		{"root imports bun", edge, "get.go", source("cacheme", "github.com/uptrace/bun")},
		{"internal imports bun's schema", edge, "internal/store/get.go", source("store", "github.com/uptrace/bun/schema")},
		{"a command imports a dialect", edge, "cmd/cacheme/get.go", source("main", "github.com/uptrace/bun/dialect/pgdialect")},
		{"root imports testing", tests, "get.go", source("cacheme", "testing")},
		{"root imports a part of testing", tests, "get.go", source("cacheme", "testing/synctest")},
		{"an edge imports miniredis", tests, "bunhooks/get.go", source("bunhooks", "github.com/alicebob/miniredis/v2/server")},
		{"an example imports miniredis", tests, "examples/bookstore/get.go", source("main", "github.com/alicebob/miniredis/v2")},
		{"a command imports cachetest", tests, "cmd/cacheme/get.go", source("main", ours+"/cachetest")},
		{"an edge imports embedded", tests, "bunhooks/get.go", source("bunhooks", ours+"/internal/embedded")},
		{"internal imports a suite for stores", tests, "internal/envelope/get.go", source("envelope", ours+"/internal/store/storetest")},
		{"a file imports unsafe", "no unsafe", "internal/store/get.go", source("store", "unsafe")},
		{"a file reads the wall clock", "no wall clock", "internal/store/get.go", source("store") + "var n = x.Now().UnixMicro()\n"},
		{"a file has init", "no init", "internal/store/get.go", source("store") + "func init() {}\n"},
		{"a file is long", "files are short", "internal/store/get.go", source("store") + strings.Repeat("\n", 399)},
		{"a package has no comment", comment, "internal/store/store.go", "package store\n"},
		{"a package's comment does not name it", comment, "internal/store/store.go", "// This is it.\npackage store\n"},
		{"a command has no comment", comment, "cmd/cacheme/main.go", "package main\n"},
		{"a test file is misnamed", named, "internal/store/get_test_1.25.go", source("store")},
		{"a test is in no test file", named, "internal/store/storetest/get.go", source("storetest") + "func TestGet(t *testing.T) {}\n"},
		{"a benchmark is in no test file", named, "cachetest/get.go", source("cachetest") + "func BenchmarkGet(b *testing.B) {}\n"},
		{"a package is in no row", document, "internal/near/near.go", source("near")},
		{"a row has no package", document, "docs/architecture.md", strings.Replace(sound()["docs/architecture.md"], "| `.`", rows("internal/gone")+"| `.`", 1)},
		{"a row stands twice", document, "docs/architecture.md", strings.Replace(sound()["docs/architecture.md"], "| `.`", rows(".")+"| `.`", 1)},
		{"a row says nothing", document, "docs/architecture.md", strings.Replace(sound()["docs/architecture.md"], "| `.` | a purpose |", "| `.` | |", 1)},
		{"the table is missing", document, "docs/architecture.md", "# Architecture\n"},
	} {
		t.Run(strings.ReplaceAll(breach.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			files := sound()
			files[breach.file] = breach.text
			var got []string
			for _, f := range check(t, files) {
				got = append(got, f.Rule)
			}
			if diff := cmp.Diff([]string{breach.rule}, got); diff != "" {
				t.Errorf("rules broken (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("the_document_is_missing", func(t *testing.T) {
		t.Parallel()
		files := maps.Clone(sound())
		delete(files, "docs/architecture.md")
		want := []archtest.Finding{{Rule: document, Where: "docs/architecture.md", What: "does not exist"}}
		if diff := cmp.Diff(want, check(t, files)); diff != "" {
			t.Errorf("findings (-want +got):\n%s", diff)
		}
	})
}

func TestLoad_reports_a_file_that_does_not_parse(t *testing.T) {
	t.Parallel()
	_, err := archtest.Load(fstest.MapFS{"internal/store/store.go": {Data: []byte("package")}})
	if err == nil || !strings.Contains(err.Error(), "internal/store/store.go") {
		t.Errorf("Load = %v, want an error that names the file", err)
	}
}
