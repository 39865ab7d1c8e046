package cacheme_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// renamedPart is a part of the same main keys as drawnPart's, which calls the hole otherwise.
type renamedPart struct {
	cacheme.Node[int64]
	Drawn int64 `cacheme:"field"`
}

func (renamedPart) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "drawn:<drawn>", Field: "renamed"}
}

func TestImpactFindsTheClassesOfNodes(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, drawnList{}, drawnPart{}, renamedPart{}, goodNode{}, goodChange{}, drawnPrices{}, drawnAny{}, keyPlaces{})
	columns, err := cache.Columns((*storedBook)(nil), "author_id")
	if err != nil {
		t.Fatal(err)
	}
	ofAuthor, err := columns.Of(5)
	if err != nil {
		t.Fatal(err)
	}
	var calls int
	memoOfPosts(t, cache, &calls)
	cacheme.MustMemo(cache.Cache, cacheme.Memoized[int, int]{
		Meta: cacheme.Meta{Key: "works:<n>"}, Values: func(n int) []any { return []any{n} },
		InvalidNodes: func(int) []cacheme.Invalid { return []cacheme.Invalid{ofAuthor, drawnAny{}} },
	}, func(context.Context, int) (int, error) { return 1, nil })
	auto := cacheme.MustMemo(cache.Cache, cacheme.Memoized[int, int]{
		Meta: cacheme.Meta{Key: "auto:<n>", Observe: cacheme.Auto}, Values: func(n int) []any { return []any{n} },
	}, func(ctx context.Context, n int) (int, error) {
		if n == 1 {
			cache.Observing(ctx).Read(cacheme.Read{Tables: []string{"stored_books"}})
		} else {
			cache.Observing(ctx).Read(cacheme.Read{Tables: []string{"pens"}, Matches: []cacheme.Match{{Columns: []string{"id"}, Values: []any{int64(7)}}}})
		}
		return 1, nil
	})

	// Not loaded yet, a node with Auto is known to depend on nothing.
	if got := impactOf(t, cache, cacheme.Table("pens")); len(got) != 0 {
		t.Errorf("before its first load %v, want none", got)
	}
	for n := range 2 {
		if _, err := auto.Get(within(t), n); err != nil {
			t.Fatal(err)
		}
	}

	const books, posts = "any row of stored_books", "keys of keyedPost"
	row := func(table string) cacheme.Invalid { return cacheme.Row(table, []string{"id"}, int64(1)) }
	for _, c := range []struct {
		name    string
		written []cacheme.Invalid
		want    []string
	}{
		{"a declared node", []cacheme.Invalid{goodChange{ID: 1}}, []string{
			"auto:<n> by " + books, "good:<id> by goodChange", "list:<shop>:<lang> by goodChange",
		}},
		{"columns", []cacheme.Invalid{ofAuthor}, []string{"auto:<n> by " + books, "works:<n> by stored_books by author_id"}},
		{"a table", []cacheme.Invalid{cacheme.Table("stored_books")}, []string{
			"auto:<n> by " + books, "good:<id> by goodChange", "list:<shop>:<lang> by goodChange", "works:<n> by stored_books by author_id",
		}},
		{"a row of which not all is known", []cacheme.Invalid{row("stored_books")}, []string{
			"auto:<n> by " + books, "good:<id> by goodChange", "list:<shop>:<lang> by goodChange", "works:<n> by stored_books by author_id",
		}},
		{"a whole table by a declared node", []cacheme.Invalid{drawnAny{}}, []string{"works:<n> by drawnAny"}},
		{"a row of a table that is named as a whole", []cacheme.Invalid{row("prices")}, []string{"list:<shop>:<lang> by any row of prices"}},
		{"a row of a model that names its keys", []cacheme.Invalid{row("keyed_posts")}, []string{"posts:<user> by " + posts}},
		{"the table of a model that names its keys", []cacheme.Invalid{cacheme.Table("keyed_posts")}, []string{"posts:<user> by " + posts}},
		{"rows that a node with Auto read", []cacheme.Invalid{cacheme.Having("pens", []string{"id"}, 1)}, []string{"auto:<n> by pens by id"}},
		{"other columns of them", []cacheme.Invalid{cacheme.Having("pens", []string{"shop_id"}, 1)}, nil},
		{"the table that a node with Auto read", []cacheme.Invalid{cacheme.Table("pens")}, []string{"auto:<n> by any row of pens"}},
		{"a main key", []cacheme.Invalid{cacheme.Main(drawnPart{ID: 100})}, []string{
			"list:<shop>:<lang> by main key of drawnPart", "drawn:<id>>part by main key of drawnPart", "drawn:<drawn>>renamed by main key of renamedPart",
		}},
		{"another main key", []cacheme.Invalid{cacheme.Main(goodNode{ID: 1})}, nil},
		{"a class", []cacheme.Invalid{cacheme.Class[goodNode]()}, []string{"list:<shop>:<lang> by class of goodNode", "good:<id> by class of goodNode"}},
		{"a tag", []cacheme.Invalid{cacheme.Tag("lists")}, []string{`list:<shop>:<lang> by Tag("lists")`}},
		{"the key of a declared node as a tag", []cacheme.Invalid{cacheme.Tag("shop:7:prices")}, []string{"list:<shop>:<lang> by drawnPrices"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := impactOf(t, cache, c.written...)
			want := map[string]bool{}
			for _, line := range c.want {
				want[line] = true
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("nodes (-want +got):\n%s", diff)
			}
		})
	}
}

// impactOf are the nodes of an Impact, each as a line.
func impactOf(t *testing.T, cache *cachetest.Cache, written ...cacheme.Invalid) map[string]bool {
	t.Helper()
	i, err := cache.WouldInvalidate(written...)
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]bool{}
	for _, n := range i.Nodes {
		lines[strings.ReplaceAll(n.Key+" by "+strings.Join(n.Via, " and "), "cacheme_test.", "")] = true
	}
	return lines
}

func TestImpactNamesTheWrite(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, goodNode{}, goodChange{})
	by := func(operation string) cacheme.Invalid {
		return cacheme.By(cacheme.Write{Operation: operation, Table: "b"})
	}
	for _, c := range []struct {
		written []cacheme.Invalid
		want    string
	}{
		{[]cacheme.Invalid{goodChange{ID: 1}}, "Invalidate would make wrong\n"},
		{[]cacheme.Invalid{by("import"), goodChange{ID: 1}}, "import b would make wrong\n"},
		{[]cacheme.Invalid{by("import"), goodChange{ID: 1}, by("export"), goodChange{ID: 2}}, "Invalidate would make wrong\n"},
	} {
		i, err := cache.WouldInvalidate(c.written...)
		if err != nil || !strings.HasPrefix(i.String(), c.want) {
			t.Errorf("WouldInvalidate(%v) = %v, %v, want %q..", c.written, i, err, c.want)
		}
	}
}

func TestScanRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	e := newExplained(t, cacheme.Options{})
	i, err := e.WouldInvalidate(SongChanged{ID: 1})
	e.must(err)
	text, err := json.Marshal(i)
	e.must(err)
	var read cacheme.Impact
	e.must(json.Unmarshal(text, &read))
	for name, err := range map[string]error{
		"no entry":        i.Scan(t.Context(), 0, nil),
		"less than none":  i.Scan(t.Context(), -1, nil),
		"the zero Impact": new(cacheme.Impact).Scan(t.Context(), 1, nil),
		"one from JSON":   read.Scan(t.Context(), 1, nil),
	} {
		if usage := new(cacheme.UsageError); !errors.As(err, &usage) {
			t.Errorf("Scan of %s = %v, want a *UsageError", name, err)
		}
	}
	e.away.Store(true)
	defer e.away.Store(false)
	if err := i.Scan(t.Context(), 1, nil); err == nil || !strings.HasPrefix(fmt.Sprint(err), "cacheme: scan entries: ") {
		t.Errorf("Scan without Redis = %v", err)
	}
}
