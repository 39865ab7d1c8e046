package cacheme_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// Models whose rows say what they make wrong.
type (
	keyedPost struct {
		ID     int64 `bun:",pk"`
		UserID int64
	}
	keyedTag struct {
		bun.BaseModel `bun:"table:blog.tags"`
		ID            int64 `bun:",pk"`
	}
	keyedBadly struct {
		ID int64 `bun:",pk"`
	}
)

func (p *keyedPost) CacheKey() string           { return fmt.Sprint("user:", p.UserID) }
func (t keyedTag) CacheKeys() []string          { return []string{fmt.Sprint("tag:", t.ID), "tags"} }
func (keyedBadly) CacheKey() (string, error)    { return "", nil }
func (keyedBadly) CacheKeys(int) (keys []int64) { return nil }

func memoOfPosts(t *testing.T, cache *cachetest.Cache, calls *int) *cacheme.Bound[int64, int] {
	t.Helper()
	posts, err := cacheme.Memo(cache.Cache, cacheme.Memoized[int64, int]{
		Meta:          cacheme.Meta{Key: "posts:<user>"},
		Values:        func(user int64) []any { return []any{user} },
		InvalidNodes:  func(user int64) []cacheme.Invalid { return []cacheme.Invalid{cacheme.Tag(fmt.Sprint("user:", user))} },
		InvalidModels: []any{(*keyedPost)(nil), (*keyedTag)(nil), (*keyedPost)(nil)},
	}, func(context.Context, int64) (int, error) { *calls++; return *calls, nil })
	if err != nil {
		t.Fatal(err)
	}
	return posts
}

func TestWatchedListsWhatIsRegisteredOnTables(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, goodNode{}, keyTable{}, keyPlaces{}, keyAuthor{}, goodChange{}, ofNothing{})
	var calls int
	memoOfPosts(t, cache, &calls)
	book, memo := reflect.TypeFor[storedBook](), `Memo("posts:<user>")`
	want := []cacheme.Watched{
		{Node: memo, Table: "blog.tags", Model: reflect.TypeFor[keyedTag](), Keys: true},
		{Node: memo, Table: "keyed_posts", Model: reflect.TypeFor[keyedPost](), Keys: true},
		{Node: "cacheme_test.goodChange", Table: "stored_books", Model: book, Columns: []string{"id"}},
		{Node: "cacheme_test.keyAuthor", Table: "stored_books", Model: book, Columns: []string{"author_id"}},
		{Node: "cacheme_test.keyTable", Table: "stored_books", Model: book},
		{Node: "cacheme_test.keyPlaces", Table: "stored_places", Model: reflect.TypeFor[storedPlace](), Columns: []string{"user_id", "book_id"}, M2M: true},
	}
	if diff := cmp.Diff(want, cache.Watched(), cmp.Comparer(func(a, b reflect.Type) bool { return a == b })); diff != "" {
		t.Errorf("Watched() (-want +got):\n%s", diff)
	}
	if all := cachetest.New(t).Watched(); len(all) != 0 {
		t.Errorf("Watched() of nothing = %v", all)
	}
}

// A write whose rows are known tells the tags of their keys; one whose rows are not tells the table.
func TestMemoWithInvalidModelsIsWrongByItsTagsAndByItsTables(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t)
	ctx := within(t)
	var calls int
	posts := memoOfPosts(t, cache, &calls)
	ask := func() int {
		t.Helper()
		before := calls
		if _, err := posts.Get(ctx, 7); err != nil {
			t.Fatal(err)
		}
		return calls - before
	}
	ask()
	for _, c := range []struct {
		wrong cacheme.Invalid
		calls int
	}{
		{cacheme.Tag((&keyedPost{UserID: 8}).CacheKey()), 0},
		{cacheme.Row("keyed_posts", []string{"id", "user_id"}, 1, 8), 0},
		{cacheme.Tag((&keyedPost{UserID: 7}).CacheKey()), 1},
		{cacheme.Table("keyed_posts"), 1},
		{cacheme.Table("blog.tags"), 1},
		{cacheme.Table("tags"), 0},
	} {
		if err := cache.Invalidate(ctx, c.wrong); err != nil {
			t.Fatal(err)
		}
		if n := ask(); n != c.calls {
			t.Errorf("%+v costs %d calls, want %d", c.wrong, n, c.calls)
		}
	}
}

func TestInvalidModelsSayWhatIsWrongWithThem(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t)
	_, err := cacheme.Memo(cache.Cache, cacheme.Memoized[struct{}, int]{
		Meta:          cacheme.Meta{Key: "count"},
		InvalidModels: []any{(*storedBook)(nil), keyedPost{}, nil, (*keyedBadly)(nil)},
	}, func(context.Context, struct{}) (int, error) { return 1, nil })
	want := `cacheme: Memo("count").InvalidModels: names *cacheme_test.storedBook, whose rows do not say what they make wrong; write func (m *storedBook) CacheKey() string, or CacheKeys() []string, or bind it by an invalid node
cacheme: Memo("count").InvalidModels: is a cacheme_test.keyedPost; write a nil pointer to the bun model, such as (*Book)(nil)
cacheme: Memo("count").InvalidModels: is a <nil>; write a nil pointer to the bun model, such as (*Book)(nil)
cacheme: Memo("count").InvalidModels: names *cacheme_test.keyedBadly, whose CacheKey is func() (string, error) and would not be found; write CacheKey() string
cacheme: Memo("count").InvalidModels: names *cacheme_test.keyedBadly, whose CacheKeys is func(int) []int64 and would not be found; write CacheKeys() []string`
	if _, ok := errors.AsType[*cacheme.DeclarationError](err); !ok {
		t.Fatalf("Memo = %v, want a *DeclarationError", err)
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("Memo (-want +got):\n%s", diff)
	}
	if all := cache.Watched(); len(all) != 0 {
		t.Errorf("Watched() = %v, want nothing registered", all)
	}
}
