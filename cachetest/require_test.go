package cachetest_test

import (
	"context"
	"database/sql"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// library is a database of titles.
type library map[int64]string

func (l library) load(_ context.Context, d Detail) (Book, error) {
	title, ok := l[d.ID]
	if !ok {
		return Book{}, sql.ErrNoRows
	}
	return Book{ID: d.ID, Title: title}, nil
}

func (l library) list(context.Context, Listing) ([]Book, error) {
	var books []Book
	for id := range int64(len(l)) {
		books = append(books, Book{ID: id + 1, Title: l[id+1]})
	}
	return books, nil
}

// Absent caches that there is no such book.
type Absent struct {
	cacheme.Node[Book]
	ID int64 `cacheme:"field"`
}

func (Absent) Meta() cacheme.Meta {
	return cacheme.Meta{Key: "absent:<id>", TTL: ttl, Negative: time.Minute}
}

func (a Absent) InvalidNodes() []cacheme.Invalid { return []cacheme.Invalid{BookChanged{ID: a.ID}} }

func (l library) absent(ctx context.Context, a Absent) (Book, error) {
	return l.load(ctx, Detail{ID: a.ID})
}

// Private is never cached.
type Private struct {
	cacheme.Node[Book]
	ID int64 `cacheme:"field"`
}

func (Private) Meta() cacheme.Meta        { return cacheme.Meta{Key: "private:<id>", TTL: ttl} }
func (Private) Skip(context.Context) bool { return true }

func (l library) private(ctx context.Context, p Private) (Book, error) {
	return l.load(ctx, Detail{ID: p.ID})
}

func newLibrary(t testing.TB) (*cachetest.Cache, library) {
	t.Helper()
	return cachetest.New(t, Detail{}, Listing{}, Absent{}, Private{}, BookChanged{}), library{1: "Emma", 2: "Persuasion"}
}

// rename writes a title, and says so.
func (l library) rename(c *cachetest.Cache, id int64, title string) func() {
	return func() {
		l[id] = title
		_ = c.Invalidate(context.Background(), BookChanged{ID: id})
	}
}

func TestRequirementsThatAreMetLetTheTestGoOn(t *testing.T) {
	t.Parallel()
	c, l := newLibrary(t)
	cachetest.RequireFresh(t, c, Detail{ID: 1}, l.load)
	cachetest.RequireFresh(t, c, Detail{ID: 9}, l.load)
	cachetest.RequireInvalidates(t, c, l.rename(c, 1, "Emma!"),
		cachetest.EntryOf(Detail{ID: 1}, l.load), cachetest.EntryOf(Listing{Page: 1}, l.list))
	cachetest.RequireUntouched(t, c, l.rename(c, 2, "Persuasion!"), cachetest.EntryOf(Detail{ID: 1}, l.load))
	cachetest.RequireInvalidates(t, c, l.rename(c, 9, "new"), cachetest.EntryOf(Absent{ID: 9}, l.absent))
	cachetest.RequireFresh(t, c, Absent{ID: 9}, l.absent)
	cachetest.RequireFresh(t, c, Listing{Page: 1}, l.list)
	cachetest.RequireFresh(t, c, Private{ID: 1}, l.private)
}

func TestRequireUntouchedLoadsNothingAfterTheWrite(t *testing.T) {
	t.Parallel()
	c, l := newLibrary(t)
	cachetest.RequireUntouched(t, c, func() {}, cachetest.EntryOf(Detail{ID: 1}, l.load))
	get(t, c, Detail{ID: 1}, l.load)
	wantLoads(t, c.LoadsOf(Detail{ID: 1}), 1, "warmed, watched and read")
}

// line is where a write was.
var line = regexp.MustCompile(`\.go:\d+`)

func TestRequirementsThatAreNotMetSayWhatToDo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		call func(testing.TB, *cachetest.Cache, library)
		want string
	}{
		"old": {
			func(t testing.TB, c *cachetest.Cache, l library) {
				cachetest.RequireFresh(t, c, Detail{ID: 1}, l.load)
				l[1] = "Emma!"
				cachetest.RequireFresh(t, c, Detail{ID: 1}, l.load)
			},
			`cachetest: cachetest_test.Detail (key detail:1) is not fresh: Get and its loader differ (-Get +loader):
cachetest_test.Book{
  	ID:    1,
- 	Title: "Emma",
+ 	Title: "Emma!",
  }
Something that it depends on was written and is not declared, or was written past the cache: RequireInvalidates with that write tells which.`,
		},
		"gone": {
			func(t testing.TB, c *cachetest.Cache, l library) {
				cachetest.RequireFresh(t, c, Detail{ID: 1}, l.load)
				delete(l, 1)
				cachetest.RequireFresh(t, c, Detail{ID: 1}, l.load)
			},
			`cachetest: cachetest_test.Detail (key detail:1) is not fresh: Get returns {ID:1 Title:Emma}, and its loader says that it is not found
Something that it depends on was written and is not declared, or was written past the cache: RequireInvalidates with that write tells which.`,
		},
		"come": {
			func(t testing.TB, c *cachetest.Cache, l library) {
				cachetest.RequireFresh(t, c, Absent{ID: 9}, l.absent)
				l[9] = "new"
				cachetest.RequireFresh(t, c, Absent{ID: 9}, l.absent)
			},
			`cachetest: cachetest_test.Absent (key absent:9) is not fresh: Get says that it is not found, and its loader returns {ID:9 Title:new}
Something that it depends on was written and is not declared, or was written past the cache: RequireInvalidates with that write tells which.`,
		},
		"not made wrong by a write of something else": {
			func(t testing.TB, c *cachetest.Cache, l library) {
				cachetest.RequireInvalidates(t, c, l.rename(c, 2, "x"), cachetest.EntryOf(Detail{ID: 1}, l.load), cachetest.EntryOf(Detail{ID: 2}, l.load))
			},
			`cachetest: cachetest_test.Detail (key detail:1) is still fresh after the write, want it made wrong
The write made wrong: row:book:2, rows:books.
If what was written concerns it, name that in its InvalidNodes or ResultInvalidNodes; if nothing was made wrong, write through the database that bunhooks.Install returned, or call Invalidate.`,
		},
		"not made wrong by a write past the cache": {
			func(t testing.TB, c *cachetest.Cache, l library) {
				cachetest.RequireInvalidates(t, c, func() { l[1] = "x" }, cachetest.EntryOf(Detail{ID: 1}, l.load))
			},
			`cachetest: cachetest_test.Detail (key detail:1) is still fresh after the write, want it made wrong
The write made nothing wrong.
If what was written concerns it, name that in its InvalidNodes or ResultInvalidNodes; if nothing was made wrong, write through the database that bunhooks.Install returned, or call Invalidate.`,
		},
		"touched": {
			func(t testing.TB, c *cachetest.Cache, l library) {
				cachetest.RequireUntouched(t, c, l.rename(c, 2, "x"), cachetest.EntryOf(Detail{ID: 1}, l.load), cachetest.EntryOf(Listing{Page: 1}, l.list))
			},
			`cachetest: cachetest_test.Listing (key listing:1) is not fresh after the write, want it untouched: row:book:2: Invalidate at cachetest/require_test.go:LINE, just now
The write made wrong: row:book:2, rows:books.
If that does not concern it, let it depend on less: rows in place of tables, the columns that it reads, the side of a relation that it shows.`,
		},
		"never cached": {
			func(t testing.TB, c *cachetest.Cache, l library) {
				cachetest.RequireInvalidates(t, c, func() {}, cachetest.EntryOf(Private{ID: 1}, l.private))
			},
			`cachetest: cachetest_test.Private (key private:1) is not cached after a Get, before the write: the node's Skip says so`,
		},
		"not stored": {
			func(t testing.TB, c *cachetest.Cache, l library) {
				cachetest.RequireUntouched(t, c, func() {}, cachetest.EntryOf(Detail{ID: 1}, func(ctx context.Context, d Detail) (Book, error) {
					cacheme.DoNotStore(ctx, "for one caller")
					return l.load(ctx, d)
				}))
			},
			`cachetest: cachetest_test.Detail (key detail:1) is not cached after a Get, before the write: for one caller`,
		},
		"nothing to watch": {
			func(t testing.TB, c *cachetest.Cache, _ library) { cachetest.RequireInvalidates(t, c, func() {}) },
			`cachetest: no entry to watch; give one such as cachetest.EntryOf(Shelf{User: 7}, store.LoadShelf)`,
		},
		"not registered": {
			func(t testing.TB, c *cachetest.Cache, _ library) { c.LoadsOf(Version{ID: 1}) },
			`cacheme: cachetest_test.Version: is not registered with this cache; call Register(cachetest_test.Version{}) at start-up`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// cmp writes blanks of either kind, so that nobody compares its words.
			words := func(s string) string {
				return strings.Join(strings.Fields(line.ReplaceAllString(s, ".go:LINE")), " ")
			}
			got := failing(t, func(tb testing.TB) {
				cache, l := newLibrary(tb)
				c.call(tb, cache, l)
			})
			if diff := cmp.Diff(words(c.want), words(got)); diff != "" {
				t.Errorf("failure (-want +got):\n%s\n%s", diff, got)
			}
		})
	}
}

// A helper in a subtest fails that one: the test of New is in use by another goroutine.
func TestRequirementsFailTheTestThatTheyWereGiven(t *testing.T) {
	t.Parallel()
	outer := &fatal{TB: t}
	c, l := newLibrary(outer)
	unknown := func(context.Context, Version) (int, error) { return 1, nil }
	for name, r := range map[string]struct {
		call func(testing.TB)
		want string
	}{
		"RequireFresh of a node that is not registered": {
			func(t testing.TB) { cachetest.RequireFresh(t, c, Version{ID: 1}, unknown) },
			"cachetest: cachetest_test.Version: Get = cacheme: cachetest_test.Version: is not registered with this cache",
		},
		"RequireInvalidates of one": {
			func(t testing.TB) {
				cachetest.RequireInvalidates(t, c, func() {}, cachetest.EntryOf(Version{ID: 1}, unknown))
			},
			"cachetest: cachetest_test.Version: Get = cacheme: cachetest_test.Version: is not registered with this cache",
		},
		"a Redis that is gone by then": {
			func(t testing.TB) {
				defer c.Up()
				cachetest.RequireInvalidates(t, c, func() { c.LoseCommands(math.MaxInt) }, cachetest.EntryOf(Detail{ID: 1}, l.load))
			},
			"cachetest: cachetest_test.Detail (key detail:1): Redis does not answer",
		},
	} {
		if got := failing(t, r.call); !strings.HasPrefix(got, r.want) {
			t.Errorf("%s fails with %q, want %q", name, got, r.want)
		}
	}
	if outer.text != "" {
		t.Errorf("the test of New fails too, with %q", outer.text)
	}
}

// Measured is what go-cmp and Options.Verify judge differently.
type Measured struct {
	Title  string
	Tags   []string
	Weight float64
}

type Measurement struct {
	cacheme.Node[Measured]
	ID int64 `cacheme:"field"`
}

func (Measurement) Meta() cacheme.Meta { return cacheme.Meta{Key: "measurement:<id>", TTL: ttl} }

func TestRequireFreshJudgesAsVerifyDoes(t *testing.T) {
	t.Parallel()
	c := cachetest.New(t, Measurement{})
	now := Measured{Title: "Emma", Tags: []string{}}
	load := func(context.Context, Measurement) (Measured, error) { return now, nil }
	cachetest.RequireFresh(t, c, Measurement{ID: 1}, load)
	now.Tags = nil
	cachetest.RequireFresh(t, c, Measurement{ID: 1}, load)
	now.Title, now.Tags = "Persuasion", []string{}
	got := failing(t, func(t testing.TB) { cachetest.RequireFresh(t, c, Measurement{ID: 1}, load) })
	if !strings.Contains(got, "Persuasion") || strings.Contains(got, "Tags:   nil") {
		t.Errorf("RequireFresh fails with %q, want the title alone", got)
	}
	now = Measured{Weight: math.NaN()}
	cachetest.RequireFresh(t, c, Measurement{ID: 2}, load)
}

func TestLoadsOf(t *testing.T) {
	t.Parallel()
	c, l := newLibrary(t)
	ctx := context.Background()
	many := func(ctx context.Context, ds []Detail) (map[Detail]Book, error) {
		books := map[Detail]Book{}
		for _, d := range ds {
			books[d], _ = l.load(ctx, d)
		}
		return books, nil
	}
	want := func(id int64, n int, when string) {
		t.Helper()
		wantLoads(t, c.LoadsOf(Detail{ID: id}), n, when)
	}
	want(1, 0, "before anybody asked")
	get(t, c, Detail{ID: 1}, l.load)
	get(t, c, Detail{ID: 1}, l.load)
	want(1, 1, "asked twice")
	want(2, 0, "nobody asked for the other")
	if _, err := cacheme.GetManyFrom(ctx, c.Cache, []Detail{{ID: 1}, {ID: 2}, {ID: 3}}, many); err != nil {
		t.Fatal(err)
	}
	want(1, 1, "a hit in a batch")
	want(2, 1, "loaded in a batch")
	want(3, 1, "loaded in the same batch, not first")
	if _, err := cacheme.GetFrom(cacheme.Bypass(ctx), c.Cache, Detail{ID: 1}, l.load); err != nil {
		t.Fatal(err)
	}
	want(1, 2, "past the cache")
	if _, err := cacheme.GetFrom(ctx, c.Cache, Detail{ID: 9}, l.load); err == nil {
		t.Fatal("Get of nothing succeeds")
	}
	want(9, 1, "a load that failed")

	greet := greeting(t, c)
	for range 2 {
		if _, err := greet.Get(ctx, "Ann"); err != nil {
			t.Fatal(err)
		}
	}
	wantLoads(t, c.LoadsOf(greet.Node("Ann")), 1, "of a memo")
}

func greeting(t *testing.T, c *cachetest.Cache) *cacheme.Bound[string, string] {
	t.Helper()
	greet, err := cacheme.Memo(c.Cache, cacheme.Memoized[string, string]{
		Meta:         cacheme.Meta{Key: "greet:<name>"},
		Values:       func(name string) []any { return []any{name} },
		InvalidNodes: func(name string) []cacheme.Invalid { return []cacheme.Invalid{cacheme.Tag("person:" + name)} },
	}, func(_ context.Context, name string) (string, error) { return "hello " + name, nil })
	if err != nil {
		t.Fatal(err)
	}
	return greet
}

func TestWhatIsBoundCanBeWatched(t *testing.T) {
	t.Parallel()
	c, _ := newLibrary(t)
	greet := greeting(t, c)
	marry := func() { _ = c.Invalidate(context.Background(), cacheme.Tag("person:Ann")) }
	cachetest.RequireInvalidates(t, c, marry, cachetest.BoundEntry(greet, "Ann"))
	cachetest.RequireUntouched(t, c, marry, cachetest.BoundEntry(greet, "Bob"))
	got := failing(t, func(t testing.TB) { cachetest.RequireInvalidates(t, c, marry, cachetest.BoundEntry(greet, "Bob")) })
	if want := "cachetest: the entry (key greet:Bob) is still fresh after the write"; !strings.HasPrefix(got, want) {
		t.Errorf("RequireInvalidates fails with %q, want %q", got, want)
	}
}

// The write alone counts: what else becomes of the entry meanwhile does not.
func TestRequirementsJudgeTheWriteAndNotTheEntry(t *testing.T) {
	t.Parallel()
	c, l := newLibrary(t)
	rendered := func(t testing.TB, c *cachetest.Cache, l library) {
		l.rename(c, 1, "Emma!")()
		_, err := cacheme.GetFrom(t.Context(), c.Cache, Detail{ID: 1}, l.load)
		if err != nil {
			t.Fatal(err)
		}
	}
	cachetest.RequireInvalidates(t, c, func() { rendered(t, c, l) }, cachetest.EntryOf(Detail{ID: 1}, l.load))
	for name, tt := range map[string]struct {
		call func(testing.TB, *cachetest.Cache, library)
		want string
	}{
		"read again": {func(t testing.TB, c *cachetest.Cache, l library) {
			cachetest.RequireUntouched(t, c, func() { rendered(t, c, l) }, cachetest.EntryOf(Detail{ID: 1}, l.load))
		}, "was made wrong by the write, and loaded again meanwhile"},
		"expired": {func(t testing.TB, c *cachetest.Cache, l library) {
			cachetest.RequireInvalidates(t, c, func() { c.Advance(2 * ttl) }, cachetest.EntryOf(Detail{ID: 1}, l.load))
		}, "was not made wrong by it"},
		"flushed": {func(t testing.TB, c *cachetest.Cache, l library) {
			cachetest.RequireInvalidates(t, c, c.FlushAll, cachetest.EntryOf(Detail{ID: 1}, l.load))
		}, "was not made wrong by it"},
		"removed": {func(t testing.TB, c *cachetest.Cache, l library) {
			cachetest.RequireInvalidates(t, c, func() { _ = c.Remove(t.Context(), Detail{ID: 1}) }, cachetest.EntryOf(Detail{ID: 1}, l.load))
		}, "was not made wrong by it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := failing(t, func(tb testing.TB) {
				c, l := newLibrary(tb)
				tt.call(tb, c, l)
			})
			if !strings.Contains(got, tt.want) {
				t.Errorf("it says %q, want %q in it", got, tt.want)
			}
		})
	}
}
