package storetest

import (
	"time"

	"github.com/cacheme/cacheme/internal/store"
)

const (
	// tokenBytes is what a token may cost, key and all.
	tokenBytes = 200
	// holderBytes is what a holder adds, for as long as it holds.
	holderBytes = 50
)

func keeping() group {
	return group{"keeping", []check{
		{"nothing lacks a life", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			for _, op := range operations() {
				op.do(w, s, w.token())
			}
			w.want(s, store.Want{Entry: entry, Owner: "A"})
			w.fill(s, store.Fill{Entry: entry, Owner: "A", Store: true, Bytes: []byte("a")})
			w.want(s, store.Want{Entry: entry, Owner: "A", Seen: "a"}) // leaves its lease
			keys := 0
			for _, key := range w.keys(w.prefix + "*") {
				keys++
				if w.ttl(key) <= 0 {
					w.Errorf("%s lives for ever", key)
				}
			}
			if keys < len(operations())+3 {
				w.Errorf("only %d keys were looked at", keys)
			}
		}},
		{"every script heals after the server forgot it", ownServer, func(w *world) {
			s := w.store()
			forget := func() { w.must("SCRIPT FLUSH", w.rdb.ScriptFlush(w.Context()).Err()) }
			for _, op := range operations() {
				key := w.token()
				forget()
				op.do(w, s, key)
				if got := w.see(s, key); !got.Exists {
					w.Errorf("a %s after SCRIPT FLUSH left %+v", op.name, got)
				}
			}
			entry := w.entry()
			forget()
			if b := w.want(s, store.Want{Entry: entry, Owner: "A"}); !b.Mine {
				w.Errorf("no lease after SCRIPT FLUSH")
			}
			forget()
			w.must("Renew", s.Renew(w.Context(), patience, time.Hour, "A", []string{entry}))
			if got := w.ttl(store.LeaseKey(entry)); got < 50*time.Minute {
				w.Errorf("PTTL of a lease renewed after SCRIPT FLUSH = %v", got)
			}
			forget()
			if got := w.fill(s, store.Fill{Entry: entry, Owner: "A", Store: true, Bytes: []byte("a")}); !got.Stored {
				w.Errorf("Fill after SCRIPT FLUSH = %+v", got)
			}
			forget()
			w.epoch(w.store()) // writes the record of losses
		}},
		{"a token takes at most 200 bytes, whatever its past", realMemory, func(w *world) {
			s := w.store()
			const key = "CM:row:book:12345678901:invalid"
			size := func(when string, holders int64) {
				w.Helper()
				n, err := w.rdb.MemoryUsage(w.Context(), key).Result()
				w.must("MEMORY USAGE", err)
				w.Logf("%s: %d bytes, %q", when, n, w.raw(key))
				if most := tokenBytes + holders*holderBytes; n > most {
					w.Errorf("%s: a token takes %d bytes, want at most %d", when, n, most)
				}
			}
			w.touch(s, key)
			size("new", 0)
			for range 10 {
				w.invalidate(s, key)
			}
			size("invalidated", 0)
			w.touch(s, key)
			w.invalidate(s, key)
			size("loaded and invalidated", 0)
			first, second := store.NewOwner(), store.NewOwner()
			w.place(s, first, key)
			size("held", 1)
			w.place(s, second, key)
			size("held by two", 2)
			w.release(s, first, store.Commit, key)
			w.release(s, second, store.Commit, key)
			size("committed", 0)
		}},
	}}
}
