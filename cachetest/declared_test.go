package cachetest_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

// recorder is a test that keeps its errors to itself.
type recorder struct {
	testing.TB
	errs []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.errs = append(r.errs, fmt.Sprintf(format, args...))
}

func (r *recorder) FailNow() { runtime.Goexit() }

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	r.FailNow()
}

// loadReading is a loader that is seen to read a table.
func loadReading(cache *cachetest.Cache, table string) func(context.Context, Detail) (Book, error) {
	return func(ctx context.Context, d Detail) (Book, error) {
		cache.Observing(ctx).Read(cacheme.Read{
			Tables: []string{table}, Line: "shop/books.go:42",
			Matches: []cacheme.Match{{Columns: []string{"id"}, Values: []any{d.ID}, Unique: true}},
		})
		return Book{ID: d.ID}, nil
	}
}

func TestUndeclaredDependencyFailsTheTest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, table string
		options     cacheme.Options
		want        []string // parts of the one failure
	}{
		{"of a table that is declared: none", "books", cacheme.Options{}, nil},
		{"of one that is not", "authors", cacheme.Options{}, []string{"shop/books.go:42", "cachetest_test.Detail", "authors", "declare a cacheme.ModelInvalidNode"}},
		{"of one that is not, and nobody minds", "authors", cacheme.Options{Observe: cacheme.Off}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			told := 0
			c.options.Observer = func(_ context.Context, e cacheme.Event) {
				if e.Kind == cacheme.EventUndeclared {
					told++
				}
			}
			cache := cachetest.NewWith(r, c.options, Detail{}, BookChanged{})
			for id := range int64(3) {
				get(t, cache, Detail{ID: id}, loadReading(cache, c.table))
			}
			if c.want == nil {
				if len(r.errs) > 0 {
					t.Errorf("fails with %q", r.errs)
				}
				return
			}
			if len(r.errs) != 1 || told != 1 {
				t.Fatalf("fails %d times, %q, and the test's own observer is told %d times; want once each", len(r.errs), r.errs, told)
			}
			for _, part := range c.want {
				if !strings.Contains(r.errs[0], part) {
					t.Errorf("fails with %q, which does not say %q", r.errs[0], part)
				}
			}
		})
	}
}

func TestRequireDependenciesDeclared(t *testing.T) {
	t.Parallel()
	outer := &recorder{TB: t}
	cache := cachetest.New(outer, Detail{}, BookChanged{})
	for _, c := range []struct {
		name string
		do   func()
		want string // a part of the failure; empty: it does not fail
	}{
		{"all is declared", func() { get(t, cache, Detail{ID: 1}, loadReading(cache, "books")) }, ""},
		{"nothing is loaded", func() { get(t, cache, Detail{ID: 1}, loadReading(cache, "books")) }, "nothing was loaded"},
		{"something is not declared", func() { get(t, cache, Detail{ID: 2}, loadReading(cache, "authors")) }, "authors"},
	} {
		inner := &recorder{TB: t}
		ended, done := true, make(chan struct{})
		go func() {
			defer close(done)
			cachetest.RequireDependenciesDeclared(inner, cache, c.do)
			ended = false
		}()
		<-done
		if want := c.want != ""; ended != want {
			t.Errorf("%s: the test is ended: %t, want %t", c.name, ended, want)
		}
		switch got := strings.Join(inner.errs, "\n"); {
		case c.want == "" && got != "":
			t.Errorf("%s: fails with %q", c.name, got)
		case !strings.Contains(got, c.want):
			t.Errorf("%s: fails with %q, want %q", c.name, got, c.want)
		}
	}
	get(t, cache, Detail{ID: 3}, loadReading(cache, "publishers"))
	if len(outer.errs) != 1 || !strings.Contains(outer.errs[0], "publishers") {
		t.Errorf("the test of New fails with %q, want what was read afterwards alone", outer.errs)
	}
}
