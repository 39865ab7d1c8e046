package observe

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite/writes"
)

//go:embed loaders.go
var loaders string

// lineOf is where the query of a mistake stands.
func lineOf(name string) string {
	for i, line := range strings.Split(loaders, "\n") {
		if strings.HasSuffix(line, "// seeded: "+name) {
			return fmt.Sprintf("observe/loaders.go:%d", i+1)
		}
	}
	return "nowhere"
}

// mistakes asks for everything, by its right and its wrong declaration.
func mistakes(t *testing.T, open writes.Open) {
	p := newPlace(t, open(t), 0)
	d := newDice(1)
	check(t, p.plant(t.Context(), d))
	for _, how := range []manner{rightly, wrongly, auto} {
		t.Run(string(how), func(t *testing.T) {
			before := len(p.events.all())
			for _, c := range p.declare(t, how) {
				for id := range int64(10) {
					if _, err := c.Get(t.Context(), id); err != nil && !errors.Is(err, cacheme.ErrNotFound) {
						t.Fatalf("%s of %d: %v", c.name, id, err)
					}
				}
			}
			type told struct{ Node, Table, Columns, Line string }
			var got, want []told
			for _, e := range p.events.all()[before:] {
				got = append(got, told{e.Node, e.Table, e.Columns, e.Line})
				t.Logf("%s: %s: %s", e.Node, e.Line, e.Reason)
			}
			for _, a := range asks {
				if how == wrongly {
					want = append(want, told{fmt.Sprintf("Memo(%q)", "wrong:"+a.name+":<id>"), a.table, a.columns, lineOf(a.name)})
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("what is told is another than what is wrong (-want +got):\n%s", diff)
			}
		})
	}
}
