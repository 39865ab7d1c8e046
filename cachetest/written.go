package cachetest

import (
	"slices"
	"strings"
	"testing"
)

// tokenSuffix ends the Redis key of a dependency's token.
const tokenSuffix = ":invalid"

// tokens returns the token of each dependency that Redis knows, by the dependency's name: row:book:7, table:books.
func (c *Cache) tokens(t testing.TB) map[string]string {
	t.Helper()
	ctx := t.Context()
	prefix := strings.TrimSuffix(c.record, recordKey)
	keys, err := c.admin.Keys(ctx, escaped(prefix)+"*"+tokenSuffix).Result()
	if err != nil {
		t.Fatalf("cachetest: %v", err)
	}
	tokens := make(map[string]string, len(keys))
	for _, key := range keys {
		token, err := c.admin.Get(ctx, key).Result()
		if err != nil {
			t.Fatalf("cachetest: %v", err)
		}
		tokens[strings.TrimSuffix(strings.TrimPrefix(key, prefix), tokenSuffix)] = moment(token)
	}
	return tokens
}

// never is the time at which a dependency that no write made wrong became so.
const never = "0000000000000000"

// moment is what a write changes in the record of a token, as internal/store/lua/token.lua lays it out: its time and
// nonce. Reads change other fields, or make the token. Empty: no write made it wrong so far.
func moment(record string) string {
	const timeAt, nonceAt, firstAt = 2, 3, 5
	fields := strings.Split(record, "|")
	if len(fields) <= firstAt || fields[firstAt] == never {
		return ""
	}
	return fields[timeAt] + fields[nonceAt]
}

// escaped makes a pattern of KEYS that matches text alone.
func escaped(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(text)
}

// told says which dependencies have another token than before.
func told(before, after map[string]string) string {
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
