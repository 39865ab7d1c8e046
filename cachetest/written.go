package cachetest

import (
	"slices"
	"strings"
	"testing"

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

// told says which dependencies have another token than before.
func told(before, after map[string]store.Token) string {
	var wrong []string
	for name, token := range after {
		if before[name] != token {
			wrong = append(wrong, name)
		}
	}
	if wrong == nil {
		return "The write made nothing wrong."
	}
	slices.Sort(wrong)
	return "The write made wrong: " + strings.Join(wrong, ", ") + "."
}
