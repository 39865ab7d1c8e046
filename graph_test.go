package cacheme_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// drawnList names a tag of its own, a tag that many have, a whole table, a class, a main key, and what nobody registered.
type drawnList struct {
	cacheme.Node[[]storedBook]
	Shop int64  `cacheme:"field"`
	Lang string `cacheme:"field"`
}

func (drawnList) Meta() cacheme.Meta { return cacheme.Meta{Key: "list:<shop>:<lang>", TTL: time.Hour} }

func (l drawnList) InvalidNodes() []cacheme.Invalid {
	named := []cacheme.Invalid{
		cacheme.Tag("lists"), cacheme.Tag("list of " + l.Lang), cacheme.Table("prices"), cacheme.Class[goodNode](),
		cacheme.Main(drawnPart{ID: 1}),
		drawnPrices{Shop: l.Shop},
		unregisteredChange{},
		nil,
	}
	if l.Lang == "eo" {
		named = append(named, drawnAny{})
	}
	return named
}

func (drawnList) ResultInvalidNodes(books []storedBook) (named []cacheme.Invalid) {
	for _, b := range books {
		named = append(named, goodChange{ID: b.ID})
	}
	return append(named, drawnPrices{})
}

// drawnPart is a part of a main thing whose InvalidNodes are not made for what is made up.
type drawnPart struct {
	cacheme.Node[int64]
	ID int64 `cacheme:"field"`
}

func (drawnPart) Meta() cacheme.Meta { return cacheme.Meta{Key: "drawn:<id>", Field: "part"} }

func (p drawnPart) InvalidNodes() []cacheme.Invalid {
	if p.ID < 100 {
		panic("no such thing")
	}
	return []cacheme.Invalid{goodChange{ID: p.ID}, cacheme.Tag("secret:4711")}
}

type drawnPrices struct {
	cacheme.InvalidNode
	Shop int64 `cacheme:"field"`
}

func (drawnPrices) Meta() cacheme.Meta { return cacheme.Meta{Key: "shop:<shop>:prices"} }

type drawnAny struct{ cacheme.ModelInvalidNode }

func (drawnAny) Meta() cacheme.Meta { return cacheme.Meta{Model: (*storedUser)(nil)} }

// arrows of a graph, each as a line.
func arrows(g *cacheme.Graph) (lines []string) {
	for _, a := range g.Arrows {
		line := a.From + " > " + a.To
		if a.How != cacheme.GraphDeclared {
			line += " (" + string(a.How) + ")"
		}
		lines = append(lines, strings.ReplaceAll(line, "github.com/cacheme/cacheme_test.", ""))
	}
	return lines
}

func graphOf(t *testing.T, cache *cachetest.Cache, o cacheme.GraphOptions) *cacheme.Graph {
	t.Helper()
	g, err := cache.Graph(o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGraphShowsWhatIsDeclared(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, drawnList{}, drawnPart{}, goodNode{}, goodChange{}, drawnPrices{}, drawnAny{}, keyPlaces{})
	columns, err := cache.Columns((*storedBook)(nil), "author_id")
	if err != nil {
		t.Fatal(err)
	}
	cacheme.MustMemo(cache.Cache, cacheme.Memoized[int64, int]{
		Meta: cacheme.Meta{Key: "works:<author>"}, Values: func(id int64) []any { return []any{id} },
		InvalidNodes: func(id int64) []cacheme.Invalid {
			i, err := columns.Of(id)
			if err != nil {
				t.Error(err)
			}
			return []cacheme.Invalid{i, cacheme.Tag("shop:7:prices")}
		},
		InvalidModels: []any{(*keyedPost)(nil)},
		Tags:          []string{"works"},
	}, func(context.Context, int64) (int, error) { return 1, nil })
	cacheme.MustMemo(cache.Cache, cacheme.Memoized[any, int]{
		Meta: cacheme.Meta{Key: "anything"}, Examples: []any{"x"},
		InvalidNodes: func(a any) []cacheme.Invalid { return []cacheme.Invalid{cacheme.Tag(a.(string))} },
	}, func(context.Context, any) (int, error) { return 1, nil })

	g := graphOf(t, cache, cacheme.GraphOptions{})
	want := []string{
		`invalid:Tag("list of …") > node:drawnList`,
		`invalid:Tag("lists") > node:drawnList`,
		`invalid:Tag("works") > node:Memo("works:<author>")`,
		`invalid:Tag("x") > node:Memo("anything")`,
		`invalid:class of cacheme_test.goodNode > node:drawnList`,
		`invalid:drawnPrices > node:Memo("works:<author>")`,
		`invalid:drawnPrices > node:drawnList`,
		`invalid:goodChange > node:drawnList (result)`,
		`invalid:goodChange > node:goodNode`,
		`invalid:keys of keyed_posts > node:Memo("works:<author>")`,
		`invalid:main key of cacheme_test.drawnPart > node:drawnList`,
		`invalid:stored_books by author_id > node:Memo("works:<author>")`,
		`table:keyed_posts > invalid:keys of keyed_posts`,
		`table:prices > node:drawnList`,
		`table:stored_books > invalid:goodChange`,
		`table:stored_books > invalid:stored_books by author_id`,
		`table:stored_places > invalid:keyPlaces`,
		`table:stored_users > invalid:drawnAny`,
	}
	got := arrows(g)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("arrows (-want +got):\n%s", diff)
	}
	for _, picture := range []string{g.SVG(), g.Mermaid(), g.DOT()} {
		for _, name := range []string{"drawnList", "drawnPart", "goodNode", "goodChange", "keyPlaces", "stored_places", "any row of stored_users"} {
			if !strings.Contains(picture, name) {
				t.Errorf("%s is not in\n%s", name, picture)
			}
		}
	}

	// What a node names for some values only is found by examples.
	g = graphOf(t, cache, cacheme.GraphOptions{Examples: []cacheme.Declaration{drawnList{Lang: "eo"}, drawnPart{ID: 100}}})
	for _, more := range []string{"invalid:drawnAny > node:drawnList", "invalid:goodChange > node:drawnPart>part"} {
		if !slices.Contains(arrows(g), more) || slices.Contains(got, more) {
			t.Errorf("with examples the arrows are\n%s\nwant %s as well", strings.Join(arrows(g), "\n"), more)
		}
	}

	g, err = cache.Graph(cacheme.GraphOptions{Examples: []cacheme.Declaration{drawnPart{ID: 100}, unregistered{}, &drawnPart{}}})
	if problem := new(cacheme.UsageError); g != nil || !errors.As(err, &problem) || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("Graph with examples that are no nodes = %v, %v, want a *UsageError for each", g, err)
	}
}

func TestGraphShowsWhatWasSeen(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, drawnPart{}, outerNode{}, goodNode{}, goodChange{}, drawnPrices{}, drawnAny{}, keyPlaces{})
	ctx := within(t)
	outer := func(ctx context.Context, _ outerNode) (string, error) {
		_, err := cacheme.GetFrom(ctx, cache.Cache, drawnPart{ID: 100}, func(context.Context, drawnPart) (int64, error) { return 1, nil })
		return "x", err
	}
	for range 4 {
		if _, err := cacheme.GetFrom(ctx, cache.Cache, outerNode{ID: 1}, outer); err != nil {
			t.Fatal(err)
		}
	}
	sides := cacheme.MustMemo(cache.Cache, cacheme.Memoized[int, int]{
		Meta: cacheme.Meta{Key: "sides:<n>"}, Values: func(n int) []any { return []any{n} },
		InvalidNodes: func(n int) []cacheme.Invalid {
			if n < 10 {
				return nil
			}
			return []cacheme.Invalid{keyPlaces{User: 7}, drawnAny{}, cacheme.Table("prices"), drawnPrices{Shop: 3}}
		},
	}, func(context.Context, int) (int, error) { return 1, nil })
	if _, err := sides.Get(ctx, 10); err != nil {
		t.Fatal(err)
	}

	still, live := graphOf(t, cache, cacheme.GraphOptions{}), graphOf(t, cache, cacheme.GraphOptions{Live: true})
	more := slices.DeleteFunc(arrows(live), func(a string) bool { return slices.Contains(arrows(still), a) })
	slices.Sort(more)
	want := []string{
		`invalid:Tag("…") > node:drawnPart>part (seen)`,
		`invalid:Tag("…") > node:outerNode (seen)`,
		`invalid:class of cacheme_test.drawnPart > node:outerNode (seen)`,
		`invalid:drawnAny > node:Memo("sides:<n>") (seen)`,
		`invalid:drawnPrices > node:Memo("sides:<n>") (seen)`,
		`invalid:goodChange > node:drawnPart>part (seen)`,
		`invalid:goodChange > node:outerNode (seen)`,
		`invalid:keyPlaces > node:Memo("sides:<n>") (seen)`,
		`table:prices > node:Memo("sides:<n>") (seen)`,
	}
	if diff := cmp.Diff(want, more); diff != "" {
		t.Errorf("arrows that were seen (-want +got):\n%s", diff)
	}
	picture := live.SVG() + live.Mermaid()
	if strings.Contains(picture, "4711") {
		t.Error("the picture tells a tag that it found in an entry")
	}
	for _, b := range live.Nodes {
		if b.Name == "cacheme_test.outerNode" && (b.Stats == nil || *b.Stats != cache.StatsOf(outerNode{})) {
			t.Errorf("the stats of %s are %+v, want those of the node", b.Name, b.Stats)
		}
	}
	if !strings.Contains(picture, "hits 75.0 % of 4") && !strings.Contains(picture, "hits 50.0 % of 4") || !strings.Contains(picture, "not asked for yet") {
		t.Errorf("the hit rates are not in the picture:\n%s", live.Mermaid())
	}
}

// What a node with Auto has read is drawn as if it had named it: by columns, and never with their values.
func TestGraphShowsWhatAutoNodesRead(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t)
	var reads []cacheme.Read
	memo := cacheme.MustMemo(cache.Cache, cacheme.Memoized[int, int]{
		Meta: cacheme.Meta{Key: "read:<n>", Observe: cacheme.Auto}, Values: func(n int) []any { return []any{n} },
	}, func(ctx context.Context, _ int) (int, error) {
		for _, r := range reads {
			cache.Observing(ctx).Read(r)
		}
		return 1, nil
	})
	reads = []cacheme.Read{
		{Tables: []string{"shop.books"}, Matches: []cacheme.Match{{Columns: []string{"shop_id", "author_id"}, Values: []any{int64(4711), int64(4712)}}}},
		{Tables: []string{"prices"}},
	}
	if _, err := memo.Get(within(t), 1); err != nil {
		t.Fatal(err)
	}
	if g := graphOf(t, cache, cacheme.GraphOptions{}); len(g.Arrows) != 0 {
		t.Errorf("without Live the arrows are %v, want none", arrows(g))
	}
	g := graphOf(t, cache, cacheme.GraphOptions{Live: true})
	want := []string{
		`invalid:shop.books by author_id, shop_id > node:Memo("read:<n>") (seen)`,
		`table:prices > node:Memo("read:<n>") (seen)`,
		`table:shop.books > invalid:shop.books by author_id, shop_id (seen)`,
	}
	if diff := cmp.Diff(want, arrows(g)); diff != "" {
		t.Errorf("arrows (-want +got):\n%s", diff)
	}
	if picture := g.SVG() + g.Mermaid() + g.DOT(); strings.Contains(picture, "471") {
		t.Errorf("the picture tells values:\n%s", picture)
	}
}

func TestGraphIsJSON(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, drawnList{}, goodNode{}, goodChange{}, drawnPrices{})
	g := graphOf(t, cache, cacheme.GraphOptions{Live: true, Examples: []cacheme.Declaration{drawnList{Shop: 1}}})
	b, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	var back cacheme.Graph
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(g, &back); diff != "" {
		t.Errorf("what comes back (-want +got):\n%s", diff)
	}
	if g.SVG() != back.SVG() {
		t.Error("what comes back is drawn otherwise")
	}
	empty, err := json.Marshal(graphOf(t, cachetest.New(t), cacheme.GraphOptions{}))
	if want := `{"tables":[],"invalid_nodes":[],"nodes":[],"arrows":[]}`; err != nil || string(empty) != want {
		t.Errorf("an empty graph is %s, %v, want %s", empty, err, want)
	}
}
