package cachetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cacheme/cacheme"
)

// Entry is a node with its loader: what RequireInvalidates and RequireUntouched watch. Make one with EntryOf.
type Entry struct {
	node  cacheme.Declaration
	warm  func(testing.TB, *Cache)
	fresh func(testing.TB, *Cache) bool
}

// EntryOf is the entry that node has when load has loaded it.
func EntryOf[N cacheme.NodeOf[V], V any](node N, load func(context.Context, N) (V, error)) Entry {
	return Entry{
		node:  node,
		warm:  func(t testing.TB, c *Cache) { t.Helper(); warm(t, c, node, load) },
		fresh: func(t testing.TB, c *Cache) bool { t.Helper(); return isFresh(t, c, node, load) },
	}
}

// RequireFresh ends the test unless what Get returns for node, from the cache or not, is what load returns now. What
// load says is not found (sql.ErrNoRows, cacheme.ErrNotFound) has to be not found for Get as well. Values are the
// same where go-cmp says so: by an Equal method, which times have, else field by field.
//
//	cachetest.RequireFresh(t, cache, Shelf{User: 7}, store.LoadShelf)
func RequireFresh[N cacheme.NodeOf[V], V any](t testing.TB, c *Cache, node N, load func(context.Context, N) (V, error)) {
	t.Helper()
	ctx := t.Context()
	cached, err := cacheme.GetFrom(ctx, c.Cache, node, load)
	if err != nil && !isNotFound(err) {
		t.Fatalf("cachetest: %s: Get = %v", c.describe(node), err)
	}
	loaded, loadErr := load(cacheme.Bypass(ctx), node)
	if loadErr != nil && !isNotFound(loadErr) {
		t.Fatalf("cachetest: %s: its loader fails: %v", c.describe(node), loadErr)
	}
	var differs string
	switch {
	case err != nil && loadErr != nil:
		return
	case err != nil:
		differs = fmt.Sprintf("Get says that it is not found, and its loader returns %+v", loaded)
	case loadErr != nil:
		differs = fmt.Sprintf("Get returns %+v, and its loader says that it is not found", cached)
	default:
		diff := cmp.Diff(cached, loaded, cmp.Exporter(func(reflect.Type) bool { return true }))
		if diff == "" {
			return
		}
		differs = "Get and its loader differ (-Get +loader):\n" + strings.TrimSpace(diff)
	}
	t.Fatalf("cachetest: %s is not fresh: %s\nSomething that it depends on was written and is not declared, or was written"+
		" past the cache: RequireInvalidates with that write tells which.", c.describe(node), differs)
}

// RequireInvalidates ends the test unless write makes the entries wrong. Before the write it loads each of them and sees
// to it that it is cached and fresh; one that cannot be ends the test as well.
//
//	cachetest.RequireInvalidates(t, cache, func() { store.Rename(ctx, 7, "Persuasion") },
//		cachetest.EntryOf(Shelf{User: 7}, store.LoadShelf))
func RequireInvalidates(t testing.TB, c *Cache, write func(), entries ...Entry) {
	t.Helper()
	touched := c.around(t, write, entries)
	var left []string
	for _, e := range entries {
		if e.fresh(t, c) {
			left = append(left, c.describe(e.node)+" is still fresh after the write, want it made wrong")
		}
	}
	if left != nil {
		t.Fatalf("cachetest: %s\n%s\nIf what was written concerns it, name that in its InvalidNodes or ResultInvalidNodes;"+
			" if nothing was made wrong, write through the database that bunhooks.Install returned, or call Invalidate.",
			strings.Join(left, "\n"), touched)
	}
}

// RequireUntouched ends the test unless all entries stay fresh over write, so that reading them loads nothing. It warms
// them as RequireInvalidates does.
func RequireUntouched(t testing.TB, c *Cache, write func(), entries ...Entry) {
	t.Helper()
	touched := c.around(t, write, entries)
	var gone []string
	for _, e := range entries {
		if !e.fresh(t, c) {
			gone = append(gone, c.describe(e.node)+" is not fresh after the write, want it untouched: a Get would load it again")
		}
	}
	if gone != nil {
		t.Fatalf("cachetest: %s\n%s\nIf that does not concern it, let it depend on less: rows in place of tables, the columns"+
			" that it reads, the side of a relation that it shows.", strings.Join(gone, "\n"), touched)
	}
}

// around warms the entries, writes, and tells what that made wrong.
func (c *Cache) around(t testing.TB, write func(), entries []Entry) (touched string) {
	t.Helper()
	if len(entries) == 0 {
		t.Fatal("cachetest: no entry to watch; give one such as cachetest.EntryOf(Shelf{User: 7}, store.LoadShelf)")
	}
	for _, e := range entries {
		e.warm(t, c)
	}
	before := c.tokens(t)
	write()
	return told(before, c.tokens(t))
}

// warms is how often a node is loaded until it is fresh. What depends on its result may need a second load: the first
// cannot know whether that changed meanwhile.
const warms = 2

func warm[N cacheme.NodeOf[V], V any](t testing.TB, c *Cache, node N, load func(context.Context, N) (V, error)) {
	t.Helper()
	for range warms {
		if _, err := cacheme.GetFrom(t.Context(), c.Cache, node, load); err != nil && !isNotFound(err) {
			t.Fatalf("cachetest: %s: Get = %v, before the write", c.describe(node), err)
		}
		if isFresh(t, c, node, load) {
			return
		}
	}
	reason := c.seen.refused(c.keyOf(node))
	if reason == "" {
		reason = "what is not found is cached only where Meta.Negative is set; Skip, Disable and a transaction's context leave the cache out"
	}
	t.Fatalf("cachetest: %s is not cached after a Get, before the write: %s", c.describe(node), reason)
}

func isFresh[N cacheme.NodeOf[V], V any](t testing.TB, c *Cache, node N, load func(context.Context, N) (V, error)) bool {
	t.Helper()
	bound, err := cacheme.Bind(c.Cache, load)
	if err != nil {
		t.Fatal(err)
	}
	r, err := bound.Peek(t.Context(), node)
	switch {
	case err == nil:
		return !r.Stale
	case errors.Is(err, cacheme.ErrNoEntry):
		return false
	case isNotFound(err):
		return true
	}
	t.Fatalf("cachetest: %s: Peek = %v", c.describe(node), err)
	return false
}

func isNotFound(err error) bool {
	return errors.Is(err, cacheme.ErrNotFound) || errors.Is(err, sql.ErrNoRows)
}

// describe names a node and its key.
func (c *Cache) describe(node cacheme.Declaration) string {
	c.t.Helper()
	return fmt.Sprintf("%T (key %s)", node, c.keyOf(node))
}
