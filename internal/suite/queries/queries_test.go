package queries_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/cacheme/cacheme/internal/suite/queries"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

var update = flag.Bool("update", false, "write the grid of docs/queries.md anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestQueries(t *testing.T) {
	t.Parallel()
	queries.Run(t, writes.Embedded)
}

// The grid of the document is the grid of this suite.
func TestDocument(t *testing.T) {
	t.Parallel()
	const (
		path  = "../../../docs/queries.md"
		begin = "<!-- grid:begin -->\n"
		end   = "<!-- grid:end -->\n"
	)
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(page), begin)
	table, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no place for the grid between\n%s%s", path, begin, end)
	}
	want := "\n" + queries.Document() + "\n"
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("%s is not what the suite holds: run this test with -update (-suite +document)\n%s", path, diff)
	}
}
