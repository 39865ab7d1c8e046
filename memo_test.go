package cacheme_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

type query struct {
	User  int64
	Words string
	Limit *int
}

func TestMemoCachesAFunction(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, goodChange{})
	ctx := context.Background()
	var told []string
	calls := 0
	search, err := cacheme.Memo(cache.Cache, cacheme.Memoized[query, []int64]{
		Meta:               cacheme.Meta{Key: "search:<user>:<words>:<limit>", Field: "ids", TTL: time.Minute},
		Values:             func(q query) []any { return []any{q.User, q.Words, q.Limit} },
		InvalidNodes:       func(q query) []cacheme.Invalid { return []cacheme.Invalid{cacheme.Tag(fmt.Sprint("user:", q.User))} },
		ResultInvalidNodes: func(_ query, ids []int64) []cacheme.Invalid { return []cacheme.Invalid{goodChange{ID: ids[0]}} },
		Tags:               []string{"search"},
		Skip:               func(_ context.Context, q query) bool { return q.User == 0 },
		Hit: func(_ context.Context, key string, q query, ids []int64) {
			told = append(told, fmt.Sprint("hit ", key, q.User, ids))
		},
		Miss: func(_ context.Context, key string, q query) { told = append(told, fmt.Sprint("miss ", key, q.User)) },
	}, func(_ context.Context, q query) ([]int64, error) {
		calls++
		return []int64{q.User * 10, int64(calls)}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(q query) int {
		t.Helper()
		before := calls
		if _, err := search.Get(ctx, q); err != nil {
			t.Fatal(err)
		}
		return calls - before
	}
	ann := query{User: 1, Words: "a b"}
	ask(ann)
	ask(ann) // the token of what the result depends on was made by the first
	told = nil
	if n := ask(ann); n != 0 {
		t.Errorf("a cached search makes %d calls", n)
	}
	if diff := cmp.Diff([]string{"hit search:1:a%20b:%nil>ids1 [10 2]"}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	ten, alsoTen := 10, 10
	ask(query{User: 1, Limit: &ten})
	ask(query{User: 1, Limit: &ten})
	if n := ask(query{User: 1, Limit: &alsoTen}); n != 0 {
		t.Errorf("an equal limit makes %d calls", n)
	}
	for range 2 {
		if n := ask(query{}); n != 1 {
			t.Errorf("a skipped search makes %d calls, want 1", n)
		}
	}

	for _, c := range []struct {
		wrong cacheme.Invalid
		calls int
	}{
		{cacheme.Tag("user:2"), 0},
		{goodChange{ID: 11}, 0},
		{cacheme.Tag("user:1"), 1},
		{cacheme.Tag("search"), 1},
		{goodChange{ID: 10}, 1},
		{cacheme.Table("stored_books"), 1},
	} {
		if err := cache.Invalidate(ctx, c.wrong); err != nil {
			t.Fatal(err)
		}
		if n := ask(ann); n != c.calls {
			t.Errorf("%+v costs %d calls, want %d", c.wrong, n, c.calls)
		}
	}
	cache.Advance(time.Minute)
	if n := ask(ann); n != 1 {
		t.Errorf("a search past its TTL makes %d calls, want 1", n)
	}
	if n := cache.Nodes(); len(n) != 1 || n[0].Node != `Memo("search:<user>:<words>:<limit>")` {
		t.Errorf("Nodes() = %+v, want the memo", n)
	}
}

func TestMemoWithoutArguments(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t)
	calls := 0
	count := cacheme.MustMemo(cache.Cache, cacheme.Memoized[struct{}, *int]{Meta: cacheme.Meta{Key: "count"}},
		func(context.Context, struct{}) (*int, error) { calls++; return nil, nil })
	for range 3 {
		if n, err := count.Get(context.Background(), struct{}{}); n != nil || err != nil {
			t.Errorf("count = %v, %v, want nil", n, err)
		}
	}
	if calls != 1 {
		t.Errorf("%d calls, want 1: nil is a value", calls)
	}
}

func TestMemoSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, goodNode{})
	f := func(context.Context, int64) (int, error) { return 1, nil }
	id := func(i int64) []any { return []any{i} }
	for _, c := range []struct {
		name string
		c    *cacheme.Cache
		give cacheme.Memoized[int64, int]
		f    func(context.Context, int64) (int, error)
		want string
	}{
		{"no cache", nil, cacheme.Memoized[int64, int]{Meta: cacheme.Meta{Key: "a"}}, f, `cacheme: Memo("a"): has a nil cache; give it what cacheme.New returned`},
		{"no function", cache.Cache, cacheme.Memoized[int64, int]{Meta: cacheme.Meta{Key: "a"}}, nil, `cacheme: Memo("a"): has a nil function; give it the function to memoise`},
		{"no key", cache.Cache, cacheme.Memoized[int64, int]{}, f, `cacheme: Memo("").Meta: has no Key; write a template such as "user:<user>:shelf"`},
		{"no values", cache.Cache, cacheme.Memoized[int64, int]{Meta: cacheme.Meta{Key: "a:<b>:<c>"}}, f, `cacheme: Memo("a:<b>:<c>").Values: is nil, and the key has 2 holes; write a func that returns what fills them`},
		{"negative", cache.Cache, cacheme.Memoized[int64, int]{Meta: cacheme.Meta{Key: "a", TTL: -1}}, f, `cacheme: Memo("a").TTL: is negative: -1ns; leave it out for the default`},
		{"a node's key", cache.Cache, cacheme.Memoized[int64, int]{Meta: cacheme.Meta{Key: "good:<b>"}, Values: id}, f, `cacheme: cacheme_test.goodNode.Key: "good:<id>" can make the same key as Memo("good:<b>"), "good:<b>": for example "good:1"; begin one of them differently`},
	} {
		memo, err := cacheme.Memo(c.c, c.give, c.f)
		if memo != nil || err == nil || err.Error() != c.want {
			t.Errorf("%s: Memo = %v, want %s", c.name, err, c.want)
		}
	}
	if n := len(cache.Nodes()); n != 1 {
		t.Errorf("%d nodes are registered, want goodNode alone", n)
	}

	// What only a call can show.
	for name, c := range map[string]struct {
		values func(int64) []any
		want   string
	}{
		"too:<a>":     {func(int64) []any { return []any{1, 2} }, `cacheme: Memo("too:<a>").Values: returned 2 values for 1 holes`},
		"few:<a>:<b>": {id, `cacheme: Memo("few:<a>:<b>").Values: returned 1 values for 2 holes`},
		"kind:<a>":    {func(int64) []any { return []any{1.5} }, `cacheme: Memo("kind:<a>"): has a field value that does not become text: type float64 cannot be part of a key`},
	} {
		memo, err := cacheme.Memo(cache.Cache, cacheme.Memoized[int64, int]{Meta: cacheme.Meta{Key: name}, Values: c.values}, f)
		if err != nil {
			t.Fatal(err)
		}
		_, err = memo.Get(context.Background(), 1)
		var usage *cacheme.UsageError
		if !errors.As(err, &usage) || err.Error() != c.want {
			t.Errorf("the memo %s = %v, want %s", name, err, c.want)
		}
	}
}

// TestMemoOfThousands holds that a declaration is compared with the others once: comparing all pairs at each would take half an hour here.
func TestMemoOfThousands(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t)
	began := time.Now()
	for i := range 1000 {
		m := cacheme.Memoized[int64, int64]{
			Meta: cacheme.Meta{Key: fmt.Sprintf("thousand%d:<id>", i)}, Values: func(id int64) []any { return []any{id} },
		}
		if _, err := cacheme.Memo(cache.Cache, m, func(_ context.Context, id int64) (int64, error) { return id, nil }); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > time.Minute {
			t.Fatalf("%d memos took %v", i+1, took)
		}
	}
	again := cacheme.Memoized[int64, int64]{Meta: cacheme.Meta{Key: "thousand7:<other>"}, Values: func(id int64) []any { return []any{id} }}
	_, err := cacheme.Memo(cache.Cache, again, func(_ context.Context, id int64) (int64, error) { return id, nil })
	if _, ok := errors.AsType[*cacheme.DeclarationError](err); !ok {
		t.Errorf("a memo with the key of an old one: %v, want a *DeclarationError", err)
	}
}
