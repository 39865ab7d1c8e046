package storetest

import (
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/store"
)

// operations are all that is ever done to a token.
func operations() []struct {
	name string
	do   func(w *world, s *store.Store, key string)
} {
	return []struct {
		name string
		do   func(w *world, s *store.Store, key string)
	}{
		{"touch", func(w *world, s *store.Store, key string) { w.touch(s, key) }},
		{"invalidate", func(w *world, s *store.Store, key string) { w.invalidate(s, key) }},
		{"hold", func(w *world, s *store.Store, key string) { w.place(s, "W1", key) }},
		{"commit", func(w *world, s *store.Store, key string) { w.release(s, "W1", store.Commit, key) }},
		{"doubt", func(w *world, s *store.Store, key string) { w.release(s, "W1", store.Doubt, key) }},
	}
}

// damages are ways in which a record can be none.
func damages() map[string]func(record string) string {
	replace := func(old, with string) func(string) string {
		return func(r string) string { return strings.Replace(r, old, with, 1) }
	}
	return map[string]func(record string) string{
		"nothing":             func(string) string { return "" },
		"noise":               func(string) string { return "\x00\xff|\n|not a record" },
		"a hold's first part": func(r string) string { return "h" + r[1:41] },
		"another state":       func(r string) string { return "x" + r[1:] },
		"half a token":        func(r string) string { return r[:20] },
		"half a past":         func(r string) string { return r[:len(r)-1] },
		"a longer past":       func(r string) string { return r + "0" },
		"another separator":   replace("|", ":"),
		"no holders":          func(r string) string { return "h" + r[1:] + "|0|" },
		"half a deadline":     func(r string) string { return "h" + r[1:] + "|0|W1:17000" },
		"a time of letters":   func(r string) string { return r[:11] + strings.Repeat("x", 16) + r[27:] },
		"another run's epoch": func(r string) string { return r[:2] + "AAAAAAAA" + r[10:] },
	}
}

func garbage() group {
	checks := []check{
		{"a record that is none is missing, to readers and to scripts", anything, func(w *world) {
			s := w.store()
			for name, damage := range damages() {
				key := w.token()
				w.invalidate(s, key)
				record := w.raw(key)
				w.must("SET", w.rdb.Set(w.Context(), key, damage(record), redis.KeepTTL).Err())
				if w.raw(key) == record {
					w.Fatalf("%s: not damaged", name)
				}
				if got := w.see(s, key); got.Exists || got.Held {
					w.Errorf("%s: a reader sees %+v", name, got)
				}
				if begun := w.want(s, store.Want{Tokens: []string{key}}); !begun.Created[0] || !begun.Tokens[0].Exists {
					w.Errorf("%s: Begin = %+v, want a new token", name, begun.Tokens[0])
				}
			}
		}},
		{"another type under a token's key is missing to a reader", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.must("RPUSH", w.rdb.RPush(w.Context(), key, "x").Err())
			if got := w.see(s, key); got.Exists {
				w.Errorf("a list is %+v", got)
			}
		}},
		{"another type under a token's key survives a rollback of nobody's hold", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.must("RPUSH", w.rdb.RPush(w.Context(), key, "x").Err())
			w.release(s, "W1", store.Rollback, key)
			if got := w.see(s, key); got.Exists {
				w.Errorf("a rollback made %+v of a list", got)
			}
		}},
		{"another type under a lease's key is no lease", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			w.must("RPUSH", w.rdb.RPush(w.Context(), store.LeaseKey(entry), "x").Err())
			if got := w.fill(s, store.Fill{Entry: entry, Owner: "A", Store: true}); got.Mine {
				w.Errorf("Fill under a list for a lease = %+v", got)
			}
			w.must("Renew", s.Renew(w.Context(), patience, life, "A", []string{entry}))
			if b := w.want(s, store.Want{Entry: entry, Owner: "A"}); !b.Mine {
				w.Errorf("the lease was refused")
			}
		}},
		{"another type under an entry's key is told, and replaced", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			w.must("RPUSH", w.rdb.RPush(w.Context(), entry, "x").Err())
			values, err := s.Read(w.Context(), patience, []string{entry})
			w.must("Read", err)
			if text, ok := values.Text(0); ok {
				w.Errorf("a list reads as %q", text)
			}
			if b := w.want(s, store.Want{Entry: entry, Owner: "A"}); !b.Mine || !b.Garbage {
				w.Errorf("Begin = %+v, want the lease, and garbage", b)
			}
			if got := w.fill(s, store.Fill{Entry: entry, Owner: "A", Store: true, Bytes: []byte("a")}); !got.Stored || w.raw(entry) != "a" {
				w.Errorf("Fill = %+v, entry %q", got, w.raw(entry))
			}
			if b := w.want(s, store.Want{Entry: entry, Owner: "A", Seen: "a"}); b.Garbage || !b.Mine {
				w.Errorf("Begin on an entry = %+v, want the lease, and no garbage", b)
			}
		}},
		{"another type under the record of losses is replaced", anything, func(w *world) {
			w.must("RPUSH", w.rdb.RPush(w.Context(), w.prefix+"meta:watch", "x").Err())
			w.touch(w.store(), w.token())
			w.record()
		}},
	}
	for _, op := range operations() {
		checks = append(checks, check{"another type under a token's key is replaced by a " + op.name, anything, func(w *world) {
			s, key := w.store(), w.token()
			w.must("RPUSH", w.rdb.RPush(w.Context(), key, "x").Err())
			op.do(w, s, key)
			if got := w.see(s, key); !got.Exists || got.Until == 0 {
				w.Errorf("after a %s: %+v, want a record on probation", op.name, got)
			}
			if w.ttl(key) <= 0 {
				w.Errorf("after a %s: PTTL = %v", op.name, w.ttl(key))
			}
		}})
	}
	return group{"garbage", checks}
}
