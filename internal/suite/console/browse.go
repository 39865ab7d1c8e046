package console

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/suite"
)

// steps goes on until the end, and returns the keys that were found, each once, and the longest step.
func (w *world) steps(k *cacheme.Console, l cacheme.Look) (keys []string, longest int) {
	w.t.Helper()
	for range 10_000 {
		found, err := k.Browse(w.t.Context(), l)
		must(w.t, err)
		longest = max(longest, found.Looked)
		for _, e := range found.Entries {
			keys = append(keys, e.Key)
		}
		if l.Cursor = found.Next; l.Cursor == "" {
			slices.Sort(keys)
			return slices.Compact(keys), longest
		}
	}
	w.t.Fatal("Browse does not come to an end")
	return nil, 0
}

func browses(t *testing.T, open suite.Open) {
	w := newWorld(t, open(t))
	all := w.fill(100)
	var owners []string
	for id := range 100 {
		owners = append(owners, fmt.Sprintf("book:%d>owner", id))
	}
	slices.Sort(owners)
	for who, k := range w.both() {
		keys, longest := w.steps(k, cacheme.Look{Most: 20})
		if !slices.Equal(keys, all) || longest > 20 {
			t.Errorf("%s: found %d entries in steps of at most %d, want %d in 20", who, len(keys), longest, len(all))
		}
		if keys, _ := w.steps(k, cacheme.Look{Node: "console.Owner"}); !slices.Equal(keys, owners) {
			t.Errorf("%s: of owners found %q", who, keys)
		}
		if keys, _ := w.steps(k, cacheme.Look{Pattern: "book:[67]>*"}); !slices.Equal(keys, []string{"book:6>owner", "book:7>owner"}) {
			t.Errorf("%s: by a pattern found %q", who, keys)
		}
		found, err := k.Browse(t.Context(), cacheme.Look{Node: "console.Book", Pattern: "book:7", Most: 100_000})
		must(t, err)
		if len(found.Entries) != 1 {
			t.Fatalf("%s: book:7 was found %d times", who, len(found.Entries))
		}
		e := found.Entries[0]
		if e.Node != "console.Book" || e.Bytes < 90 || e.Age <= 0 || e.Age > time.Minute || e.Left <= 0 || e.Left > time.Minute || e.Kept <= 0 || e.Garbage || e.Loading {
			t.Errorf("%s: book:7 is %+v", who, e)
		}
		if found.Total < 200 {
			t.Errorf("%s: of %d keys in all, want 200 and more", who, found.Total)
		}
	}
}

func browsesWrong(t *testing.T, open suite.Open) {
	w := newWorld(t, open(t))
	w.fill(50)
	for who, k := range w.both() {
		invalid, err := k.Invalid("console.BookChanged", map[string]string{"id": "7"})
		must(t, err)
		impact, err := k.Cache().WouldInvalidate(invalid)
		must(t, err)
		if keys, _ := w.steps(k, cacheme.Look{Wrong: impact.Dependencies, Most: 20}); !slices.Equal(keys, []string{"book:7", "book:7>owner"}) {
			t.Errorf("%s: found %q", who, keys)
		}
		var classes []string
		for _, n := range impact.Nodes {
			classes = append(classes, n.Node)
		}
		if want := []string{"console.Book", "console.Owner", "console.Ticket"}; who == "attached" && !slices.Equal(classes, want) {
			t.Errorf("%s: classes %q, want %q", who, classes, want)
		}
	}
}

func refuses(t *testing.T, open suite.Open) {
	w := newWorld(t, open(t))
	for who, k := range w.both() {
		for what, err := range map[string]error{
			"a cursor of nobody's":  second(k.Browse(t.Context(), cacheme.Look{Cursor: "1.7-0"})),
			"a cursor that is text": second(k.Browse(t.Context(), cacheme.Look{Cursor: "'; DROP TABLE"})),
			"a bad pattern":         second(k.Browse(t.Context(), cacheme.Look{Pattern: "book:["})),
			"an unknown node":       second(k.Browse(t.Context(), cacheme.Look{Node: "console.Nobody"})),
			"a key of no node":      second(k.Explain(t.Context(), "nobody:7")),
			"a value of no node":    second(k.Value(t.Context(), "nobody:7")),
			"to remove no node":     second(k.Remove(t.Context(), "book:7", "nobody:7")),
			"a missing field":       second(k.Key("console.Book", nil)),
			"a field too much":      second(k.Key("console.Book", map[string]string{"id": "7", "oder": "8"})),
			"no such name":          second(k.Invalid("console.Nobody", nil)),
			"fields of a class":     second(k.Invalid("console.Book", map[string]string{"id": "7"})),
			"too few fields":        second(k.Invalid("console.BookChanged", nil)),
			"a misspelt field":      second(k.Invalid("console.BookChanged", map[string]string{"ID": "7"})),
			"a text for a number":   second(k.Invalid("console.BookChanged", map[string]string{"id": "seven"})),
			"nothing for a number":  second(k.Invalid("console.Shelves", map[string]string{"user": "", "book": "7"})),
			"zero for any":          second(k.Invalid("console.Shelves", map[string]string{"user": "0", "book": "7"})),
			"a text for a key":      second(k.Key("console.Book", map[string]string{"id": "seven"})),
			"a truth for a bool":    second(k.Key("console.Shelf", map[string]string{"user": "7", "kind": "", "sold": "yes"})),
			"the node of no key":    second(k.NodeOf("nobody:7")),
			"to remove by nonsense": k.CheckPattern("book:["),
		} {
			if usage := (*cacheme.UsageError)(nil); !errors.As(err, &usage) {
				t.Errorf("%s: %s gives %v, want a *UsageError", who, what, err)
			}
		}
	}
	for who, k := range w.both() {
		if node, err := k.NodeOf("book:7>owner"); node != "console.Owner" || err != nil {
			t.Errorf("%s: NodeOf() = %q, %v", who, node, err)
		}
		if err := k.CheckPattern("book:*"); err != nil {
			t.Errorf("%s: CheckPattern() = %v", who, err)
		}
		// As the program renders it, however it was written.
		if key, err := k.Key("console.Book", map[string]string{"id": "007"}); key != "book:7" || err != nil {
			t.Errorf("%s: Key() = %q, %v, want book:7", who, key, err)
		}
	}
	if _, err := w.console.Value(t.Context(), "book:404"); !errors.Is(err, cacheme.ErrNoEntry) {
		t.Errorf("Value() of no entry = %v, want ErrNoEntry", err)
	}
}

func second[T any](_ T, err error) error { return err }

func attaches(t *testing.T, open suite.Open) {
	_, err := cacheme.Attach(t.Context(), open(t).Client(suite.PatientClient), suite.Patient(cacheme.Options{Prefix: suite.Prefix()}))
	if !errors.Is(err, cacheme.ErrNotPublished) {
		t.Errorf("Attach() = %v, want ErrNotPublished", err)
	}
}

func describes(t *testing.T, open suite.Open) {
	w := newWorld(t, open(t))
	got := map[string]string{}
	for who, k := range w.both() {
		for _, n := range k.Nodes() {
			said := fmt.Sprint(n.Key, n.Fields, n.TTL, n.Stale, n.Dependencies, n.Opaque)
			if first, known := got[n.Node]; known && first != said {
				t.Errorf("%s says of %s %s, and the other says %s", who, n.Node, said, first)
			}
			got[n.Node] = said
		}
	}
	const class = "class:github.com/cacheme/cacheme/internal/suite/console."
	for node, want := range map[string]string{
		"console.Owner":  "book:<book>>owner[book] 1h0m0s 0s [" + class + "Owner main:book:<book> row:book_row:<book> table:book_rows tag:owners] false",
		"console.Fickle": "fickle:<id>[id] 1h0m0s 0s [] true",
	} {
		if got[node] != want {
			t.Errorf("of %s is said\n%s, want\n%s", node, got[node], want)
		}
	}
	if got := w.other.Tags(); !slices.Equal(got, []string{"owners"}) {
		t.Errorf("Tags() = %q, want owners", got)
	}
}
