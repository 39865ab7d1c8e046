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

// Entry is what RequireInvalidates and RequireUntouched watch. Make one with EntryOf or BoundEntry.
type Entry struct {
	node func() cacheme.Declaration
	get  func(context.Context, *Cache) error
	peek func(context.Context, *Cache) (stale bool, err error)
}

// EntryOf is the entry that node has when load has loaded it.
func EntryOf[N cacheme.NodeOf[V], V any](node N, load func(context.Context, N) (V, error)) Entry {
	return Entry{
		node: func() cacheme.Declaration { return node },
		get: func(ctx context.Context, c *Cache) error {
			_, err := cacheme.GetFrom(ctx, c.Cache, node, load)
			return err
		},
		peek: func(ctx context.Context, c *Cache) (bool, error) {
			b, err := cacheme.Bind(c.Cache, load)
			if err != nil {
				return false, err
			}
			r, err := b.Peek(ctx, node)
			return r.Stale, err
		},
	}
}

// BoundEntry is the entry of a node, or of the arguments of a Memo, that is bound to the cache of the test already.
func BoundEntry[N, V any](b *cacheme.Bound[N, V], node N) Entry {
	return Entry{
		node: func() cacheme.Declaration { return b.Node(node) },
		get: func(ctx context.Context, _ *Cache) error {
			_, err := b.Get(ctx, node)
			return err
		},
		peek: func(ctx context.Context, _ *Cache) (bool, error) {
			r, err := b.Peek(ctx, node)
			return r.Stale, err
		},
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
			left = append(left, c.describe(e.node())+" is still fresh after the write, want it made wrong")
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
			gone = append(gone, c.describe(e.node())+" is not fresh after the write, want it untouched: a Get would load it again")
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

// warm loads the entry until it is fresh.
func (e Entry) warm(t testing.TB, c *Cache) {
	t.Helper()
	for range warms {
		if err := e.get(t.Context(), c); err != nil && !isNotFound(err) {
			t.Fatalf("cachetest: %s: Get = %v, before the write", c.describe(e.node()), err)
		}
		if e.fresh(t, c) {
			return
		}
	}
	reason := c.seen.refused(c.keyOf(e.node()))
	if reason == "" {
		reason = "what is not found is cached only where Meta.Negative is set; Skip, Disable and a transaction's context leave the cache out"
	}
	t.Fatalf("cachetest: %s is not cached after a Get, before the write: %s", c.describe(e.node()), reason)
}

// fresh reports whether Get would serve the entry without a load.
func (e Entry) fresh(t testing.TB, c *Cache) bool {
	t.Helper()
	stale, err := e.peek(t.Context(), c)
	switch {
	case err == nil:
		return !stale
	case errors.Is(err, cacheme.ErrNoEntry):
		return false
	case isNotFound(err):
		return true
	}
	t.Fatalf("cachetest: %s: Peek = %v", c.describe(e.node()), err)
	return false
}

func isNotFound(err error) bool {
	return errors.Is(err, cacheme.ErrNotFound) || errors.Is(err, sql.ErrNoRows)
}

// describe names a node and its key.
func (c *Cache) describe(node cacheme.Declaration) string {
	c.t.Helper()
	return fmt.Sprintf("%s (key %s)", typeName(node), c.keyOf(node))
}

// typeName is the node's type; what is bound has one that says nothing.
func typeName(node cacheme.Declaration) string {
	if t := reflect.TypeOf(node); t.PkgPath() != reflect.TypeFor[cacheme.Cache]().PkgPath() {
		return t.String()
	}
	return "the entry"
}
