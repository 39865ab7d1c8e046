package storetest

import (
	"fmt"
	"slices"

	"github.com/cacheme/cacheme/internal/store"
)

func scanning() group {
	scan := func(w *world, s *store.Store, pattern string) []string {
		w.Helper()
		var keys []string
		for key, err := range s.Scan(w.Context(), patience, pattern) {
			w.must("Scan", err)
			keys = append(keys, key)
		}
		slices.Sort(keys)
		return slices.Compact(keys) // SCAN may tell a key twice
	}
	put := func(w *world, s *store.Store, main, field string) string {
		w.Helper()
		entry := s.EntryKey(main, field)
		w.want(s, store.Want{Entry: entry, Owner: "A"})
		w.fill(s, store.Fill{Entry: entry, Owner: "A", Store: true, Bytes: []byte("a")})
		return entry
	}
	return group{"scan", []check{
		{"a scan yields live entries and nothing else", anything, func(w *world) {
			s := w.store()
			want := []string{put(w, s, "user:7", ""), put(w, s, "user:8", ""), put(w, s, "book:7", "owner")}
			w.want(s, store.Want{Entry: s.EntryKey("user:9", "")})      // a lease
			w.want(s, store.Want{Entry: s.EntryKey("book:7", "pages")}) // a lease of a part
			w.invalidate(s, w.token())
			slices.Sort(want)
			if got := scan(w, s, "*"); !slices.Equal(got, want) {
				w.Errorf("Scan(*) = %q, want %q", got, want)
			}
		}},
		{"a scan keeps to its pattern", anything, func(w *world) {
			s := w.store()
			want := []string{put(w, s, "user:7", ""), put(w, s, "user:7", "name")}
			put(w, s, "user:77", "")
			put(w, s, "book:7", "")
			if got := scan(w, s, "user:7}*"); !slices.Equal(got, want) {
				w.Errorf("Scan(user:7}*) = %q, want %q", got, want)
			}
		}},
		{"a scan keeps to its prefix, whatever stands in it", anything, func(w *world) {
			prefix := func(p string) func(*store.Options) {
				return func(o *store.Options) { o.Prefix += p }
			}
			odd := w.store(prefix(`a[b]*?\:`))
			want := []string{put(w, odd, "user:7", "")}
			for _, other := range []string{"", `ab*?\:`, `a[b]xx\:`, "ab:", `a[b]*?\:{x}`} {
				put(w, w.store(prefix(other)), "user:7", "")
			}
			if got := scan(w, odd, "user:*"); !slices.Equal(got, want) {
				w.Errorf("Scan = %q, want %q", got, want)
			}
		}},
		{"a scan yields every one of many entries", anything, func(w *world) {
			s := w.store()
			pipe := w.rdb.Pipeline()
			for i := range 3000 {
				pipe.Set(w.Context(), s.EntryKey(fmt.Sprintf("user:%d", i), ""), "a", life)
			}
			_, err := pipe.Exec(w.Context())
			w.must("SET", err)
			if got := scan(w, s, "*"); len(got) != 3000 {
				w.Errorf("Scan yielded %d of 3000", len(got))
			}
		}},
		{"a scan stops when it is told to", anything, func(w *world) {
			s := w.store()
			put(w, s, "user:7", "")
			put(w, s, "user:8", "")
			seen := 0
			for range s.Scan(w.Context(), patience, "*") {
				seen++
				break
			}
			if seen != 1 {
				w.Errorf("%d keys were yielded to who wanted one", seen)
			}
		}},
	}}
}
