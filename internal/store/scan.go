package store

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// scanCount is how many keys one SCAN step looks at: large enough that round trips do not count, small enough that the
// server is not held up (about 0.1 ms a step).
const scanCount = 1000

// Scan yields the Redis keys of live entries whose part behind the prefix and the opening brace matches the glob
// pattern. A key may be yielded twice, as SCAN allows. Each step has its own budget. On a cluster all masters are
// scanned, one after the other.
func (s *Store) Scan(ctx context.Context, budget time.Duration, pattern string) iter.Seq2[string, error] {
	return s.scan(ctx, budget, pattern, func(key string) string { return key })
}

// ScanLoading is Scan that also yields the keys of entries that are only being loaded: of those there is a lease alone.
func (s *Store) ScanLoading(ctx context.Context, budget time.Duration, pattern string) iter.Seq2[string, error] {
	return s.scan(ctx, budget, pattern, func(key string) string { return strings.TrimSuffix(key, leaseSuffix) })
}

func (s *Store) scan(ctx context.Context, budget time.Duration, pattern string, entryOf func(key string) string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		match := escapeGlob(s.prefix) + "{" + pattern
		nodes, err := s.masters(ctx, budget)
		if err != nil {
			yield("", err)
			return
		}
		for _, node := range nodes {
			if !s.scanNode(ctx, budget, node, match, entryOf, yield) {
				return
			}
		}
	}
}

func (s *Store) scanNode(ctx context.Context, budget time.Duration, node redis.UniversalClient, match string, entryOf func(key string) string, yield func(string, error) bool) bool {
	type step struct {
		keys   []string
		cursor uint64
	}
	var cursor uint64
	for {
		next, err := call(ctx, s, budget, func(ctx context.Context) (step, error) {
			keys, cursor, err := node.Scan(ctx, cursor, match, scanCount).Result()
			return step{keys, cursor}, err
		})
		if err != nil {
			return yield("", err) && false
		}
		for _, key := range next.keys {
			entry := entryOf(key)
			if _, ok := s.DisplayKey(entry); ok && !yield(entry, nil) {
				return false
			}
		}
		if cursor = next.cursor; cursor == 0 {
			return true
		}
	}
}

// masters are the servers that have keys, in the order of their addresses.
func (s *Store) masters(ctx context.Context, budget time.Duration) ([]redis.UniversalClient, error) {
	servers, err := call(ctx, s, budget, s.Servers)
	if err != nil {
		return nil, err
	}
	var nodes []redis.UniversalClient
	for _, addr := range slices.Sorted(maps.Keys(servers)) {
		nodes = append(nodes, servers[addr])
	}
	return nodes, nil
}

func escapeGlob(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(text)
}
