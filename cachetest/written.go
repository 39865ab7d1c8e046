package cachetest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/store"
)

// tokens returns the token that the last write made of each dependency that Redis knows, by the dependency's name:
// row:book:7, table:books.
func (c *Cache) tokens(t testing.TB) map[string]store.Token {
	t.Helper()
	ctx := t.Context()
	prefix := strings.TrimSuffix(c.record, recordKey)
	keys, err := c.admin.Keys(ctx, escaped(prefix)+"*").Result()
	if err != nil {
		t.Fatalf("cachetest: %v", err)
	}
	tokens := map[string]store.Token{}
	for _, key := range keys {
		name, ok := store.TokenNameOf(prefix, key)
		if !ok {
			continue
		}
		record, err := c.admin.Get(ctx, key).Result()
		if err != nil {
			t.Fatalf("cachetest: %v", err)
		}
		tokens[name] = store.LastWritten(record)
	}
	return tokens
}

// escaped makes a pattern of KEYS that matches text alone.
func escaped(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(text)
}

// watched is what became of the dependencies of some entries over a write.
type watched struct {
	dependencies  [][]cacheme.DependencyState // of each entry, before
	before, after map[string]store.Token
}

// wrong reports whether the write made the entry wrong: one of its dependencies has another token than before.
func (w *watched) wrong(entry int) bool {
	return slices.ContainsFunc(w.dependencies[entry], func(d cacheme.DependencyState) bool { return w.isWritten(d.Name) })
}

// isWritten is false for what is gone: FLUSHALL is no write.
func (w *watched) isWritten(dependency string) bool {
	token, there := w.after[dependency]
	return there && token != w.before[dependency]
}

// told says what the write made wrong.
func (w *watched) told() string {
	wrong := slices.DeleteFunc(slices.Sorted(maps.Keys(w.after)), func(name string) bool { return !w.isWritten(name) })
	if len(wrong) == 0 {
		return "The write made nothing wrong."
	}
	return "The write made wrong: " + strings.Join(wrong, ", ") + "."
}
