package storetest

import (
	"time"

	"github.com/cacheme/cacheme/internal/store"
)

// marking is how a token leads to the write that made it.
func marking() group {
	// release ends a hold under a mark.
	release := func(w *world, s *store.Store, m store.Mark, owner string, outcome store.Outcome, keys ...string) {
		w.Helper()
		_, err := s.Release(w.Context(), patience, m, owner, outcome, keys)
		w.must("Release", err)
	}
	invalidate := func(w *world, s *store.Store, m store.Mark, keys ...string) {
		w.Helper()
		_, err := s.Invalidate(w.Context(), patience, m, keys)
		w.must("Invalidate", err)
	}
	records := func(w *world, s *store.Store, nonces ...uint64) map[uint64]string {
		w.Helper()
		found, err := s.Records(w.Context(), patience, nonces)
		w.must("Records", err)
		texts := map[uint64]string{}
		for n, b := range found {
			texts[n] = string(b)
		}
		return texts
	}
	return group{"marking", []check{
		{"all tokens of a write lead to its record", anything, func(w *world) {
			s, a, b := w.store(), w.token(), w.token()
			invalidate(w, s, s.NewMark([]byte("a write")), a, b)
			one, other := w.see(s, a).Token, w.see(s, b).Token
			if one.Nonce != other.Nonce || store.OriginOf(one.Nonce) != store.ByWrite {
				w.Errorf("nonces of one write: %s and %s, want one, of a write", store.NonceText(one.Nonce), store.NonceText(other.Nonce))
			}
			// Another process reads it.
			if got := records(w, w.store(), one.Nonce)[one.Nonce]; got != "a write" {
				w.Errorf("record = %q", got)
			}
		}},
		{"what a load made is told from what a write made", anything, func(w *world) {
			s, key := w.store(), w.token()
			if got := store.OriginOf(w.touch(s, key).Token.Nonce); got != store.ByLoad {
				w.Errorf("a new token is by %c", got)
			}
			w.invalidate(s, key)
			if got := store.OriginOf(w.see(s, key).Token.Nonce); got != store.BySilence {
				w.Errorf("that of a write without a record is by %c", got)
			}
		}},
		{"a hold's token is that of the write that made it wrong, whoever ends it", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.touch(s, key)
			w.place(s, "W1", key)
			w.place(s, "W2", key)
			release(w, s, s.NewMark([]byte("W2 committed")), "W2", store.Commit, key)
			held := w.see(s, key)
			if got := records(w, s, held.Writer)[held.Writer]; got != "W2 committed" {
				w.Errorf("while it is held the writer's record = %q", got)
			}
			release(w, s, store.Mark{}, "W1", store.Rollback, key)
			n := w.see(s, key).Token.Nonce
			if got := records(w, s, n)[n]; got != "W2 committed" {
				w.Errorf("record = %q, want that of W2", got)
			}
		}},
		{"of several writes under a hold the last one counts", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.place(s, "W1", key)
			w.place(s, "W2", key)
			release(w, s, s.NewMark([]byte("first")), "W2", store.Commit, key)
			invalidate(w, s, s.NewMark([]byte("second")), key)
			release(w, s, store.Mark{}, "W1", store.Rollback, key)
			n := w.see(s, key).Token.Nonce
			if got := records(w, s, n)[n]; got != "second" {
				w.Errorf("record = %q, want that of the second", got)
			}
		}},
		{"a lapse is nobody's write", anything, func(w *world) {
			s, key := w.store(holdOf(w.hold)), w.token()
			w.touch(s, key)
			w.place(s, "W1", key)
			w.pass(w.hold)
			n := w.touch(s, key).Token.Nonce // settles it
			if got := store.OriginOf(n); got != store.ByLapse || len(records(w, s, n)) > 0 {
				w.Errorf("the token is by %c, with the record %v", got, records(w, s, n))
			}
		}},
		{"a record that another took the place of is forgotten", anything, func(w *world) {
			s, key := w.store(), w.token()
			invalidate(w, s, s.NewMark([]byte("a write")), key)
			n := w.see(s, key).Token.Nonce
			for range 1<<16 - 1 {
				s.NewMark(nil)
			}
			invalidate(w, s, s.NewMark([]byte("another write")), key)
			last := w.see(s, key).Token.Nonce
			if got := records(w, s, n, last); len(got) != 1 || got[last] != "another write" {
				w.Errorf("records = %v, want that of the other write alone", got)
			}
			all := w.keys(w.prefix + "meta:write:*")
			if len(all) != 1 {
				w.Errorf("%d records are kept, want 1: %q", len(all), all)
			}
			for _, record := range all {
				if life := w.ttl(record); life <= 0 || life > 24*time.Hour {
					w.Errorf("%s lives for %v", record, life)
				}
			}
		}},
	}}
}
