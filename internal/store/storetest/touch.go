package storetest

import (
	"strings"
	"time"

	"github.com/cacheme/cacheme/internal/store"
)

// seenField is where a record says whether a load adopted its token.
const seenField = 4

func (w *world) adopted(key string) bool {
	w.Helper()
	parts := strings.Split(w.raw(key), "|")
	return len(parts) > seenField && parts[seenField] == "1"
}

func touching() group {
	return group{"touch", []check{
		{"a touch creates a missing token", anything, func(w *world) {
			s, key := w.store(), w.token()
			begun := w.want(s, store.Want{Tokens: []string{key}})
			got := begun.Tokens[0]
			if !begun.Created[0] || !got.Exists || got.Held || got.Token.IsZero() {
				w.Errorf("Begin on a missing token = %+v, created %v; want a token, created", got, begun.Created[0])
			}
			if seen := w.see(s, key); seen != got {
				w.Errorf("Read() = %+v, want what Begin returned: %+v", seen, got)
			}
		}},
		{"a touch leaves a token that is there", anything, func(w *world) {
			key := w.token()
			first := w.touch(w.store(), key)
			begun := w.want(w.store(), store.Want{Tokens: []string{key}})
			if begun.Created[0] || begun.Tokens[0] != first {
				w.Errorf("second Begin = %+v, created %v; want %+v, not created", begun.Tokens[0], begun.Created[0], first)
			}
		}},
		{"tokens made at once by two processes are one token", anything, func(w *world) {
			key, found := w.token(), make(chan store.Dependency, 2)
			for _, s := range []*store.Store{w.store(), w.store()} {
				go func() {
					begun, err := s.Begin(w.Context(), patience, time.Second, []store.Want{
						{Entry: w.prefix + "{e}", Owner: store.NewOwner(), Tokens: []string{key}, Life: life},
					})
					if err != nil {
						w.Errorf("Begin: %v", err)
						begun = []store.Begun{{Tokens: make([]store.Dependency, 1)}}
					}
					found <- begun[0].Tokens[0]
				}()
			}
			if a, b := <-found, <-found; a.Token != b.Token || a.Token.IsZero() {
				w.Errorf("two Begins found %v and %v, want one token", a.Token, b.Token)
			}
		}},
		{"a touch extends the life of a token", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.want(s, store.Want{Tokens: []string{key}, Life: time.Minute})
			w.want(s, store.Want{Tokens: []string{key}, Life: time.Hour})
			if got := w.ttl(key); got < 59*time.Minute {
				w.Errorf("PTTL after a touch for an hour = %v", got)
			}
		}},
		{"a touch never shortens the life of a token", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.want(s, store.Want{Tokens: []string{key}, Life: time.Hour})
			w.invalidate(s, key) // so that the next touch writes
			w.want(s, store.Want{Tokens: []string{key}, Life: time.Minute})
			w.want(s, store.Want{Tokens: []string{key}, Life: time.Minute})
			if got := w.ttl(key); got < 59*time.Minute {
				w.Errorf("PTTL after touches for an hour and for a minute = %v", got)
			}
		}},
		{"a touch notes that a load adopted the token", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.invalidate(s, key)
			if w.adopted(key) {
				w.Errorf("%s is adopted before any load", w.raw(key))
			}
			w.touch(s, key)
			if !w.adopted(key) {
				w.Errorf("%s is not adopted after a load", w.raw(key))
			}
		}},
		{"a touch under a hold adopts nothing", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.invalidate(s, key)
			w.place(s, "W1", key)
			if got := w.touch(s, key); !got.Held {
				w.Errorf("Begin under a hold = %+v, want held", got)
			}
			if w.adopted(key) {
				w.Errorf("%s is adopted under a hold", w.raw(key))
			}
		}},
		{"a touch keeps what others wrote beside the token", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.touch(s, key)
			w.invalidate(s, key)
			before := w.see(s, key)
			if before.First == 0 || before.Base == 0 || before.Until == 0 {
				w.Fatalf("an invalidated token on probation = %+v, want First, Base and Until", before)
			}
			if after := w.touch(s, key); after != before {
				w.Errorf("Begin = %+v, want %+v", after, before)
			}
			if after := w.see(s, key); after != before {
				w.Errorf("after Begin: %+v, want %+v", after, before)
			}
		}},
		{"a touch makes no token where a hold found none", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.place(s, "W1", key)
			begun := w.want(s, store.Want{Tokens: []string{key}})
			if got := begun.Tokens[0]; begun.Created[0] || !got.Held || !got.Token.IsZero() {
				w.Errorf("Begin = %+v, created %v; want held, no token before", got, begun.Created[0])
			}
		}},
		{"a touch settles a lapsed hold", anything, func(w *world) {
			s, key := w.store(holdOf(w.hold)), w.token()
			before := w.touch(s, key)
			w.place(s, "W1", key)
			w.pass(w.hold)
			if got := w.touch(s, key); got.Held || got.Token == before.Token || got.Token.IsZero() {
				w.Errorf("Begin past the deadline = %+v, want a new token, not held", got)
			}
		}},
	}}
}

func invalidating() group {
	return group{"invalidate", []check{
		{"an invalidation gives a new token", anything, func(w *world) {
			s, key := w.store(), w.token()
			before := w.touch(s, key)
			at := w.invalidate(s, key)
			got := w.see(s, key)
			if !got.Exists || got.Held || got.Token == before.Token || got.Token.Time != at {
				w.Errorf("after Invalidate at %d: %+v, want a new token of that time", at, got)
			}
		}},
		{"an invalidation reaches each key", anything, func(w *world) {
			s, keys := w.store(), []string{w.token(), w.token(), w.token()}
			times, err := s.Invalidate(w.Context(), patience, store.Mark{}, keys)
			w.must("Invalidate", err)
			for i, key := range keys {
				if got := w.see(s, key); got.Token.Time != times[i] || times[i] == 0 {
					w.Errorf("key %d: %+v, want a token of %d", i, got, times[i])
				}
			}
		}},
		{"an invalidation makes a token where there was none", anything, func(w *world) {
			s, key := w.store(), w.token()
			at := w.invalidate(s, key)
			got := w.see(s, key)
			if !got.Exists || got.Held || got.Token.IsZero() {
				w.Errorf("after Invalidate of nothing: %+v, want a token", got)
			}
			if want := at + uint64(longHold.Microseconds()); got.Until != want {
				w.Errorf("probation until %d, want one hold time after the finding: %d", got.Until, want)
			}
		}},
		{"a token that nobody loads under lives for two hold times", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.invalidate(s, key)
			if got := w.ttl(key); got < longHold*3/2 || got > 2*longHold {
				w.Errorf("PTTL = %v, want about %v", got, 2*longHold)
			}
		}},
		{"an invalidation never shortens the life of a token", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.want(s, store.Want{Tokens: []string{key}, Life: time.Hour})
			w.invalidate(s, key)
			if got := w.ttl(key); got < 59*time.Minute {
				w.Errorf("PTTL = %v, want the hour that a load asked for", got)
			}
		}},
		{"an invalidation makes a held token dirty", anything, func(w *world) {
			s, key := w.store(), w.token()
			before := w.touch(s, key)
			w.place(s, "W1", key)
			w.invalidate(s, key)
			if got := w.see(s, key); !got.Held || !got.Dirty || got.Token != before.Token {
				w.Errorf("after Invalidate under a hold: %+v, want held, dirty, and the token before", got)
			}
			w.release(s, "W1", store.Rollback, key)
			if got := w.see(s, key); got.Held || got.Token == before.Token {
				w.Errorf("after the rollback: %+v, want a new token", got)
			}
		}},
		{"an invalidation keeps a probation", anything, func(w *world) {
			s, key := w.store(), w.token()
			before := w.touch(s, key)
			w.pass(time.Millisecond)
			w.invalidate(s, key)
			if got := w.see(s, key); got.Until != before.Until || got.Until == 0 {
				w.Errorf("probation until %d, want %d", got.Until, before.Until)
			}
		}},
		{"two invalidations with no load between them count from the first", anything, func(w *world) {
			s, key := w.store(), w.token()
			loaded := w.touch(s, key)
			first := w.invalidate(s, key)
			w.pass(time.Millisecond)
			w.invalidate(s, key)
			if got := w.see(s, key); got.First != first || got.Base != loaded.Token.Nonce {
				w.Errorf("First, Base = %d, %x; want %d, %x", got.First, got.Base, first, loaded.Token.Nonce)
			}
		}},
		{"an invalidation after a load counts anew", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.touch(s, key)
			w.invalidate(s, key)
			loaded := w.touch(s, key)
			w.pass(time.Millisecond)
			second := w.invalidate(s, key)
			if got := w.see(s, key); got.First != second || got.Base != loaded.Token.Nonce {
				w.Errorf("First, Base = %d, %x; want %d, %x", got.First, got.Base, second, loaded.Token.Nonce)
			}
		}},
		{"an undelivered invalidation is delivered as any other", anything, func(w *world) {
			s, key := w.store(), w.token()
			before := w.touch(s, key)
			times, err := s.Deliver(w.Context(), patience, store.Mark{}, []string{key})
			w.must("Deliver", err)
			if got := w.see(s, key); got.Token == before.Token || got.Token.Time != times[0] {
				w.Errorf("after Deliver at %d: %+v", times[0], got)
			}
		}},
	}}
}
