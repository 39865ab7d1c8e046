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
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/difference"
)

// Entry is what RequireInvalidates and RequireUntouched watch. Make one with EntryOf or BoundEntry.
type Entry struct {
	node cacheme.Declaration
	get  func(context.Context, *Cache) error
}

// EntryOf is the entry that node has when load has loaded it.
func EntryOf[N cacheme.NodeOf[V], V any](node N, load func(context.Context, N) (V, error)) Entry {
	return Entry{
		node: node,
		get: func(ctx context.Context, c *Cache) error {
			_, err := cacheme.GetFrom(ctx, c.Cache, node, load)
			return err
		},
	}
}

// BoundEntry is the entry of a node, or of the arguments of a Memo, that is bound to the cache of the test already.
func BoundEntry[N, V any](b *cacheme.Bound[N, V], node N) Entry {
	return Entry{
		node: b.Node(node),
		get: func(ctx context.Context, _ *Cache) error {
			_, err := b.Get(ctx, node)
			return err
		},
	}
}

// RequireFresh ends the test unless what Get returns for node, from the cache or not, is what load returns now. What
// load says is not found (sql.ErrNoRows, cacheme.ErrNotFound) has to be not found for Get as well. Values are the
// same where they mean the same, as for Options.Verify: by an Equal method, which times have, else field by field; NaN is
// NaN, and nil and empty slices and maps are the same.
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
		first := difference.First(cached, loaded)
		if first == "" {
			return
		}
		diff := cmp.Diff(cached, loaded, cmp.Exporter(func(reflect.Type) bool { return true }), cmpopts.EquateEmpty(), cmpopts.EquateNaNs())
		if diff == "" { // the verdict is not go-cmp's, which may find nothing
			diff = first
		}
		differs = "Get and its loader differ (-Get +loader):\n" + strings.TrimSpace(diff)
	}
	t.Fatalf("cachetest: %s is not fresh: %s\nSomething that it depends on was written and is not declared, or was written"+
		" past the cache: RequireInvalidates with that write tells which.", c.describe(node), differs)
}

// RequireInvalidates ends the test unless write makes the entries wrong, whoever loads them again meanwhile. Before the
// write it loads each of them and sees to it that it is cached and fresh; one that cannot be ends the test as well. An entry
// that was only removed, or expired, was not made wrong.
//
//	cachetest.RequireInvalidates(t, cache, func() { store.Rename(ctx, 7, "Persuasion") },
//		cachetest.EntryOf(Shelf{User: 7}, store.LoadShelf))
func RequireInvalidates(t testing.TB, c *Cache, write func(), entries ...Entry) {
	t.Helper()
	w := c.around(t, write, entries)
	var left []string
	for i, e := range entries {
		switch x := e.state(t, c); {
		case w.wrong(i), x.State == cacheme.StateUndelivered:
		case x.State == cacheme.StateFresh:
			left = append(left, c.describe(e.node)+" is still fresh after the write, want it made wrong")
		default:
			left = append(left, c.describe(e.node)+" is not fresh after the write, and was not made wrong by it: "+x.Reason)
		}
	}
	if left != nil {
		t.Fatalf("cachetest: %s\n%s\nIf what was written concerns it, name that in its InvalidNodes or ResultInvalidNodes;"+
			" if nothing was made wrong, write through the database that bunhooks.Install returned, or call Invalidate.",
			strings.Join(left, "\n"), w.told())
	}
}

// RequireUntouched ends the test unless all entries stay fresh over write, so that reading them loads nothing. It warms
// them as RequireInvalidates does.
func RequireUntouched(t testing.TB, c *Cache, write func(), entries ...Entry) {
	t.Helper()
	w := c.around(t, write, entries)
	var gone []string
	for i, e := range entries {
		switch x := e.state(t, c); {
		case x.State != cacheme.StateFresh:
			gone = append(gone, c.describe(e.node)+" is not fresh after the write, want it untouched: "+x.Reason)
		case w.wrong(i):
			gone = append(gone, c.describe(e.node)+" was made wrong by the write, and loaded again meanwhile; want it untouched")
		}
	}
	if gone != nil {
		t.Fatalf("cachetest: %s\n%s\nIf that does not concern it, let it depend on less: rows in place of tables, the columns"+
			" that it reads, the side of a relation that it shows.", strings.Join(gone, "\n"), w.told())
	}
}

// around warms the entries, writes, and keeps what that made wrong.
func (c *Cache) around(t testing.TB, write func(), entries []Entry) watched {
	t.Helper()
	if len(entries) == 0 {
		t.Fatal("cachetest: no entry to watch; give one such as cachetest.EntryOf(Shelf{User: 7}, store.LoadShelf)")
	}
	w := watched{dependencies: make([][]cacheme.DependencyState, len(entries))}
	for i, e := range entries {
		w.dependencies[i] = e.warm(t, c).Dependencies
	}
	w.before = c.tokens(t)
	write()
	w.after = c.tokens(t)
	return w
}

// warms is how often a node is loaded until it is fresh. What depends on its result may need a second load: the first
// cannot know whether that changed meanwhile.
const warms = 2

// warm loads the entry until it is fresh.
func (e Entry) warm(t testing.TB, c *Cache) *cacheme.Explanation {
	t.Helper()
	var reason string
	for range warms {
		if err := e.get(t.Context(), c); err != nil && !isNotFound(err) {
			t.Fatalf("cachetest: %s: Get = %v, before the write", c.describe(e.node), err)
		}
		x := e.state(t, c)
		if x.State == cacheme.StateFresh {
			return x
		}
		if reason = x.Refused; reason == "" {
			reason = x.Reason
		}
	}
	t.Fatalf("cachetest: %s is not cached after a Get, before the write: %s", c.describe(e.node), reason)
	return nil
}

// state is what has become of the entry.
func (e Entry) state(t testing.TB, c *Cache) *cacheme.Explanation {
	t.Helper()
	x, err := c.Explain(kitContext(), e.node)
	if err != nil {
		t.Fatalf("cachetest: %s: %v", c.describe(e.node), err)
	}
	if x.State == cacheme.StateAway {
		// Nobody knows what it is: neither fresh nor wrong.
		t.Fatalf("cachetest: %s: %s", c.describe(e.node), x.Reason)
	}
	return x
}

func isNotFound(err error) bool {
	return errors.Is(err, cacheme.ErrNotFound) || errors.Is(err, sql.ErrNoRows)
}

// describe names a node and its key, if it has one.
func (c *Cache) describe(node cacheme.Declaration) string {
	key, err := c.KeyOf(node)
	if err != nil {
		return typeName(node)
	}
	return fmt.Sprintf("%s (key %s)", typeName(node), key)
}

// typeName is the node's type; what is bound has one that says nothing.
func typeName(node cacheme.Declaration) string {
	if t := reflect.TypeOf(node); t.PkgPath() != reflect.TypeFor[cacheme.Cache]().PkgPath() {
		return t.String()
	}
	return "the entry"
}
