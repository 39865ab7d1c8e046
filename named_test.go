package cacheme_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/cachetest"
)

type namedCount struct{ cacheme.Node[int] }

func (namedCount) Meta() cacheme.Meta { return cacheme.Meta{Key: "named:count"} }

func (namedCount) InvalidNodes() []cacheme.Invalid {
	return []cacheme.Invalid{cacheme.Tag("shop:1"), cacheme.Table("books")}
}

func TestNamed_makes_wrong_what_Names_returned(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t, namedCount{})
	ctx := t.Context()
	names, err := cache.Names(cacheme.By(cacheme.Write{Operation: "a test"}), cacheme.Tag("shop:1"), cacheme.Table("books"))
	if diff := cmp.Diff([]string{"tag:shop:1", "table:books", "rows:books"}, names); diff != "" || err != nil {
		t.Errorf("Names() = %v (-want +got):\n%s", err, diff)
	}
	loads := 0
	get := func() {
		t.Helper()
		if _, err := cacheme.GetFrom(ctx, cache.Cache, namedCount{}, func(context.Context, namedCount) (int, error) { loads++; return loads, nil }); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		get()
		before := loads
		if get(); loads != before {
			t.Fatal("the value is not cached")
		}
		if err := cache.Invalidate(ctx, cacheme.Named(name)); err != nil {
			t.Errorf("Invalidate(Named(%q)) = %v", name, err)
		}
		if get(); loads != before+1 {
			t.Errorf("after Invalidate(Named(%q)) the value is still cached", name)
		}
	}
	for _, name := range []string{"", "tag", "tag:", "galaxy:1"} {
		if err := cache.Invalidate(ctx, cacheme.Named(name)); !errors.As(err, new(*cacheme.UsageError)) {
			t.Errorf("Invalidate(Named(%q)) = %v, want a *UsageError", name, err)
		}
	}
}

func TestNamed_is_no_dependency(t *testing.T) {
	t.Parallel()
	cache := cachetest.New(t)
	if err := cache.Register(cacheme.Named("tag:x")); err == nil {
		t.Error("Register(Named) = nil")
	}
	if _, err := cache.KeyOf(cacheme.Named("tag:x")); !errors.As(err, new(*cacheme.UsageError)) {
		t.Errorf("KeyOf(Named) = %v, want a *UsageError", err)
	}
}
