package cacheme_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// seen is a memo whose loader is seen to read.
type seen struct {
	*cachetest.Cache
	*cacheme.Bound[int64, string]
	loads int
	err   error
}

func newSeen(t testing.TB, m cacheme.Memoized[int64, string], o cacheme.Options, reads func(id int64) []cacheme.Read, declarations ...cacheme.Declaration) *seen {
	t.Helper()
	s := &seen{Cache: cachetest.NewWith(t, o, declarations...)}
	if m.Meta.Key == "" {
		m.Meta.Key = "seen:<id>"
	}
	m.Values = func(id int64) []any { return []any{id} }
	var err error
	s.Bound, err = cacheme.Memo(s.Cache.Cache, m, func(ctx context.Context, id int64) (string, error) {
		s.loads++
		for _, r := range reads(id) {
			s.Observing(ctx).Read(r)
		}
		return "", s.err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// get asks twice, for the first entry that depends on a new token is one for its caller alone, and then wants a hit.
func (s *seen) get(t *testing.T, id int64) {
	t.Helper()
	for range 2 {
		if _, err := s.Get(t.Context(), id); err != nil && s.err == nil {
			t.Fatal(err)
		}
	}
	s.wantKept(t, id, true)
}

func (s *seen) wantKept(t *testing.T, id int64, want bool) {
	t.Helper()
	before := s.loads
	_, _ = s.Get(t.Context(), id)
	if kept := s.loads == before; kept != want {
		t.Errorf("the entry is kept: %v, want %v", kept, want)
	}
}

func having(table, column string, v int64) cacheme.Read {
	return cacheme.Read{Tables: []string{table}, Matches: []cacheme.Match{{Columns: []string{column}, Values: []any{v}}}}
}

func TestAutoDependsOnWhatIsRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		reads  []cacheme.Read
		wrong  cacheme.Invalid
		keeps  cacheme.Invalid
		memo   cacheme.Memoized[int64, string]
		failed error
	}{
		{
			name: "rows by a value", reads: []cacheme.Read{having("books", "author_id", 5)},
			wrong: cacheme.Having("books", []string{"author_id"}, 5), keeps: cacheme.Having("books", []string{"author_id"}, 6),
		},
		{
			name: "rows by several, in any order", reads: []cacheme.Read{{Tables: []string{"places"}, Matches: []cacheme.Match{{Columns: []string{"b", "A"}, Values: []any{int64(2), int64(1)}}}}},
			wrong: cacheme.Having("places", []string{"a", "b"}, 1, 2), keeps: cacheme.Having("places", []string{"a", "b"}, 2, 1),
		},
		{
			name: "the table of rows by a value", reads: []cacheme.Read{having("books", "author_id", 5)},
			wrong: cacheme.Table("books"), keeps: cacheme.Row("books", []string{"id"}, 1),
		},
		{
			name: "a table", reads: []cacheme.Read{{Tables: []string{"books"}}},
			wrong: cacheme.Row("books", []string{"id"}, 1), keeps: cacheme.Row("authors", []string{"id"}, 1),
		},
		{
			name: "one of two tables", reads: []cacheme.Read{{Tables: []string{"a.books", "b.books"}, Matches: having("", "id", 1).Matches}},
			wrong: cacheme.Row("b.books", []string{"id"}, 9), keeps: cacheme.Row("books", []string{"id"}, 9),
		},
		{
			name: "a text, of which nobody knows what equals it", reads: []cacheme.Read{{Tables: []string{"books"}, Matches: []cacheme.Match{{Columns: []string{"slug"}, Values: []any{"emma"}}}}},
			wrong: cacheme.Row("books", []string{"id"}, 1), keeps: cacheme.Having("books", []string{"slug"}, 1),
		},
		{
			name: "what is declared too", reads: []cacheme.Read{having("books", "id", 1)}, memo: cacheme.Memoized[int64, string]{Tags: []string{"mine"}},
			wrong: cacheme.Tag("mine"), keeps: cacheme.Having("books", []string{"id"}, 2),
		},
		{
			name: "not found", reads: []cacheme.Read{having("books", "id", 1)}, memo: cacheme.Memoized[int64, string]{Meta: cacheme.Meta{Key: "gone:<id>", Negative: time.Minute}},
			failed: cacheme.ErrNotFound, wrong: cacheme.Having("books", []string{"id"}, 1), keeps: cacheme.Having("books", []string{"id"}, 2),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.memo.Meta.Observe = cacheme.Auto
			s := newSeen(t, c.memo, cacheme.Options{}, func(int64) []cacheme.Read { return c.reads })
			s.err = c.failed
			s.get(t, 1)
			for _, step := range []struct {
				invalid cacheme.Invalid
				kept    bool
			}{{c.keeps, true}, {c.wrong, false}} {
				if err := s.Invalidate(t.Context(), step.invalid); err != nil {
					t.Fatal(err)
				}
				s.wantKept(t, 1, step.kept)
			}
		})
	}
}

// Beyond a bound an entry names the table, and not each row.
func TestAutoOfManyRowsDependsOnTheTable(t *testing.T) {
	t.Parallel()
	s := newSeen(t, cacheme.Memoized[int64, string]{Meta: cacheme.Meta{Key: "many:<id>", Observe: cacheme.Auto}}, cacheme.Options{}, func(int64) (all []cacheme.Read) {
		for id := range int64(300) {
			all = append(all, having("books", "id", id))
		}
		return all
	})
	s.get(t, 1)
	if err := s.Invalidate(t.Context(), cacheme.Row("books", []string{"id"}, 1000)); err != nil {
		t.Fatal(err)
	}
	s.wantKept(t, 1, false)
}

// A load inside another hands what it is seen to depend on up.
func TestAutoInsideAnotherLoad(t *testing.T) {
	t.Parallel()
	inner := newSeen(t, cacheme.Memoized[int64, string]{Meta: cacheme.Meta{Key: "inner:<id>", Observe: cacheme.Auto}}, cacheme.Options{},
		func(id int64) []cacheme.Read { return []cacheme.Read{having("books", "id", id)} })
	loads := 0
	outer, err := cacheme.Memo(inner.Cache.Cache, cacheme.Memoized[int64, string]{
		Meta: cacheme.Meta{Key: "outer:<id>", Observe: cacheme.Auto}, Values: func(id int64) []any { return []any{id} },
	}, func(ctx context.Context, id int64) (string, error) {
		loads++
		return inner.Get(ctx, id)
	})
	if err != nil {
		t.Fatal(err)
	}
	get := func() int {
		for range 3 {
			if _, err := outer.Get(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		return loads
	}
	if n := get(); n > 2 {
		t.Errorf("3 calls load %d times", n)
	}
	before := loads
	if err := inner.Invalidate(t.Context(), cacheme.Having("books", []string{"id"}, 1)); err != nil {
		t.Fatal(err)
	}
	if n := get(); n == before {
		t.Errorf("the outer entry is kept")
	}
}

func TestUndeclaredIsToldOnce(t *testing.T) {
	t.Parallel()
	var told []cacheme.Event
	o := cacheme.Options{Observer: func(_ context.Context, e cacheme.Event) {
		if e.Kind == cacheme.EventUndeclared {
			told = append(told, e)
		}
	}}
	for _, c := range []struct {
		name    string
		meta    cacheme.Meta
		options cacheme.Switch
		want    int
	}{
		{"by default", cacheme.Meta{}, cacheme.Default, 2},
		{"not where the options say so", cacheme.Meta{}, cacheme.Off, 0},
		{"but where the node says otherwise", cacheme.Meta{Key: "n:<id>", Observe: cacheme.On}, cacheme.Off, 2},
		{"not where the node says so", cacheme.Meta{Key: "n:<id>", Observe: cacheme.Off}, cacheme.Default, 0},
	} {
		told = nil
		o.Observe = c.options
		s := newSeen(&quiet{t}, cacheme.Memoized[int64, string]{Meta: c.meta}, o, func(id int64) []cacheme.Read {
			return []cacheme.Read{having("books", "author_id", id), having("books", "author_id", id), having("authors", "id", id)}
		})
		for id := range int64(5) {
			_, _ = s.Get(t.Context(), id)
		}
		if len(told) != c.want || int(s.Stats().Undeclared) != c.want {
			t.Errorf("%s: %d are told, and %d counted, want %d: %+v", c.name, len(told), s.Stats().Undeclared, c.want, told)
		}
	}
}

// quiet is a test that does not mind what is not declared.
type quiet struct{ *testing.T }

func (*quiet) Errorf(string, ...any) {}

func TestObservingIsOfOneCache(t *testing.T) {
	t.Parallel()
	var reasons []string
	mine := cachetest.NewWith(t, cacheme.Options{Observer: func(_ context.Context, e cacheme.Event) {
		if e.Kind == cacheme.EventUnseen {
			reasons = append(reasons, e.Reason)
		}
	}})
	other := cachetest.New(t)
	if o := mine.Observing(t.Context()); o != nil {
		t.Errorf("Observing() = %v outside of a load, want nil", o)
	}
	var none *cacheme.Observation // takes everything
	none.Read(cacheme.Read{})
	none.Unseen("nothing")
	if none.Due(1) || none.IsAuto() {
		t.Error("a nil Observation wants to know something")
	}
	memo, err := cacheme.Memo(mine.Cache, cacheme.Memoized[int64, string]{Meta: cacheme.Meta{Key: "two", Observe: cacheme.Auto}}, func(ctx context.Context, _ int64) (string, error) {
		mine.Observing(ctx).Read(having("books", "id", 1))
		if o := other.Observing(ctx); o != nil {
			t.Errorf("Observing() = %v in a load of another cache, want nil", o)
		}
		return "", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := memo.Get(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	if len(reasons) != 1 || !strings.Contains(reasons[0], "another cache") || mine.Stats().Loads != 3 {
		t.Errorf("%d of 3 calls load, and it is told %q; want 3, and one reason", mine.Stats().Loads, reasons)
	}
}

// Due is asked for every query of every load: a shape is looked at a few times, and then ever more rarely.
func TestDueIsRare(t *testing.T) {
	t.Parallel()
	var due []int
	n := 0
	c := cachetest.New(t)
	memo, err := cacheme.Memo(c.Cache, cacheme.Memoized[int64, string]{Meta: cacheme.Meta{Key: "due:<id>"}, Values: func(id int64) []any { return []any{id} }}, func(ctx context.Context, _ int64) (string, error) {
		n++
		if c.Observing(ctx).Due(42) {
			due = append(due, n)
		}
		return "", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for id := range int64(40) {
		if _, err := memo.Get(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]int{1, 2, 3, 4, 8, 16, 32}, due); diff != "" {
		t.Errorf("it is due at other loads (-want +got):\n%s", diff)
	}
}

func TestAutoIsForNodesAlone(t *testing.T) {
	t.Parallel()
	c := cachetest.New(t)
	_, err := cacheme.Memo(c.Cache, cacheme.Memoized[int64, string]{Meta: cacheme.Meta{Key: "x", Compress: cacheme.Auto}}, func(context.Context, int64) (string, error) { return "", nil })
	if err == nil || !strings.Contains(err.Error(), "Compress") {
		t.Errorf("Memo() = %v, want a mistake in Compress", err)
	}
	if _, err := cacheme.New(c.Redis(), cacheme.Options{Observe: cacheme.Auto}); err == nil || !strings.Contains(err.Error(), "Observe") {
		t.Errorf("New() = %v, want a mistake in Observe", err)
	}
	if slices.ContainsFunc(c.Watched(), func(w cacheme.Watched) bool { return w.Every }) {
		t.Error("every table is watched for nobody")
	}
}

func TestHaving_is_for_writers_alone(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t)
	var usage *cacheme.UsageError
	for _, wrong := range []cacheme.Invalid{
		cacheme.Having("books", []string{"id", "author_id"}, 7),
		cacheme.Having("books", nil),
		cacheme.Having("", []string{"id"}, 7),
	} {
		if err := cache.Invalidate(t.Context(), wrong); !errors.As(err, &usage) || usage.Node != "cacheme.Having" {
			t.Errorf("Invalidate(%+v) = %v, want a UsageError of cacheme.Having", wrong, err)
		}
	}
	memo, err := cacheme.Memo(cache.Cache, cacheme.Memoized[int64, int]{
		Meta:   cacheme.Meta{Key: "having:<id>"},
		Values: func(id int64) []any { return []any{id} },
		InvalidNodes: func(id int64) []cacheme.Invalid {
			return []cacheme.Invalid{cacheme.Having("books", []string{"id"}, id)}
		},
	}, func(context.Context, int64) (int, error) { return 1, nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := memo.Get(t.Context(), 7); !errors.As(err, &usage) || !strings.Contains(usage.Reason, "only Invalidate and Hold") {
		t.Errorf("Get of a node that names Having = %v, want a UsageError that says whom it is for", err)
	}
}
