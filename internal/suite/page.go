package suite

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Page holds a part of a document to what a suite makes of it: what stands between the two lines. With update it is
// written there anew.
func Page(t *testing.T, path, begin, end, made string, update bool) {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(page), begin+"\n")
	stands, after, ends := strings.Cut(rest, end+"\n")
	if !begins || !ends {
		t.Fatalf("%s has no place for what the suite makes, between the lines\n%s\n%s", path, begin, end)
	}
	want := "\n" + made + "\n"
	if update {
		if err := os.WriteFile(path, []byte(before+begin+"\n"+want+end+"\n"+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, stands); diff != "" {
		t.Errorf("%s is not what the suite holds: run this test with -update (-suite +document)\n%s", path, diff)
	}
}
