package writes_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme/internal/suite/writes"
)

var update = flag.Bool("update", false, "write the table of docs/invalidation.md anew")

func TestWrites(t *testing.T) {
	t.Parallel()
	writes.Run(t, writes.Embedded)
}

// The table of the document is the table of this suite.
func TestDocument(t *testing.T) {
	t.Parallel()
	const (
		path  = "../../../docs/invalidation.md"
		begin = "<!-- The table of writes, made by: go test ./internal/suite/writes -run TestDocument -update -->\n"
		end   = "<!-- end of the table of writes -->\n"
	)
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(page), begin)
	table, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no place for the table between\n%s%s", path, begin, end)
	}
	want := "\n" + writes.Document() + "\n"
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
