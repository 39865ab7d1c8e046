package storetest

import (
	"time"

	"github.com/cacheme/cacheme/internal/store"
)

func holding() group {
	return group{"hold", []check{
		{"a held token remembers the token before", anything, func(w *world) {
			s, key := w.store(), w.token()
			before := w.touch(s, key)
			w.place(s, "W1", key)
			if got := w.see(s, key); !got.Exists || !got.Held || got.Dirty || got.Lapsed || got.Token != before.Token {
				w.Errorf("under a hold: %+v, want held, clean, with %v", got, before.Token)
			}
		}},
		{"a commit gives a new token", anything, func(w *world) {
			s, key := w.store(), w.token()
			before := w.touch(s, key)
			w.place(s, "W1", key)
			w.release(s, "W1", store.Commit, key)
			got := w.see(s, key)
			if got.Held || got.Token == before.Token || got.Token.IsZero() {
				w.Errorf("after a commit: %+v, want a new token", got)
			}
			if got.First != got.Token.Time || got.Base != before.Token.Nonce {
				w.Errorf("First, Base = %d, %x; want %d, %x", got.First, got.Base, got.Token.Time, before.Token.Nonce)
			}
		}},
		{"a rollback brings the token before back", anything, func(w *world) {
			s, key := w.store(), w.token()
			before := w.touch(s, key)
			w.place(s, "W1", key)
			w.release(s, "W1", store.Rollback, key)
			if got := w.see(s, key); got != before {
				w.Errorf("after a rollback: %+v, want %+v", got, before)
			}
		}},
		{"a doubt keeps the hold and makes it dirty", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.touch(s, key)
			w.place(s, "W1", key)
			w.release(s, "W1", store.Doubt, key)
			if got := w.see(s, key); !got.Held || !got.Dirty {
				w.Errorf("after a COMMIT without an answer: %+v, want held and dirty", got)
			}
			if got := w.touch(s, key); !got.Held {
				w.Errorf("a reader before the deadline finds %+v, want it held", got)
			}
		}},
		{"a doubt ends at its deadline", anything, func(w *world) {
			s, key := w.store(holdOf(w.hold)), w.token()
			before := w.touch(s, key)
			w.place(s, "W1", key)
			w.release(s, "W1", store.Doubt, key)
			w.pass(w.hold)
			if got := w.touch(s, key); got.Held || got.Token == before.Token {
				w.Errorf("past the deadline of a doubt: %+v, want a new token", got)
			}
		}},
		{"dirt outlives its holder", anything, func(w *world) {
			s, key := w.store(), w.token()
			before := w.touch(s, key)
			w.place(s, "W1", key)
			w.place(s, "W2", key)
			w.release(s, "W2", store.Commit, key)
			if got := w.see(s, key); !got.Held || !got.Dirty || got.Token != before.Token {
				w.Errorf("after one of two commits: %+v, want held and dirty", got)
			}
			w.release(s, "W1", store.Rollback, key)
			if got := w.see(s, key); got.Held || got.Token == before.Token {
				w.Errorf("after the other's rollback: %+v, want a new token", got)
			}
		}},
		{"a rollback under another's hold leaves that hold", anything, func(w *world) {
			s, key := w.store(), w.token()
			before := w.touch(s, key)
			w.place(s, "W1", key)
			w.place(s, "W2", key)
			w.release(s, "W1", store.Rollback, key)
			if got := w.see(s, key); !got.Held || got.Dirty || got.Token != before.Token {
				w.Errorf("after W1's rollback: %+v, want W2's hold, clean", got)
			}
			w.release(s, "W2", store.Commit, key)
			if got := w.see(s, key); got.Held || got.Token == before.Token {
				w.Errorf("after W2's commit: %+v, want a new token", got)
			}
		}},
		{"the last clean holder brings the token before back", anything, func(w *world) {
			s, key := w.store(), w.token()
			before := w.touch(s, key)
			w.place(s, "W1", key)
			w.place(s, "W2", key)
			w.release(s, "W1", store.Rollback, key)
			w.release(s, "W2", store.Rollback, key)
			if got := w.see(s, key); got != before {
				w.Errorf("after two rollbacks: %+v, want %+v", got, before)
			}
		}},
		{"a rollback leaves no token where there was none", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.place(s, "W1", key)
			w.release(s, "W1", store.Rollback, key)
			if w.exists(key) {
				w.Errorf("after a hold on nothing was rolled back: %q", w.raw(key))
			}
		}},
		{"a commit makes a token where there was none", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.place(s, "W1", key)
			w.release(s, "W1", store.Commit, key)
			if got := w.see(s, key); !got.Exists || got.Held || got.Token.IsZero() || got.Until == 0 {
				w.Errorf("after a hold on nothing was committed: %+v, want a token on probation", got)
			}
		}},
		{"a commit that finds its hold gone invalidates", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.touch(s, key)
			w.place(s, "W1", key)
			w.drop(key)
			loaded := w.touch(s, key)
			w.release(s, "W1", store.Commit, key)
			if got := w.see(s, key); !got.Exists || got.Held || got.Token == loaded.Token {
				w.Errorf("after the commit: %+v, want another token than %v", got, loaded.Token)
			}
		}},
		{"a commit that finds nothing makes a token", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.place(s, "W1", key)
			w.drop(key)
			w.release(s, "W1", store.Commit, key)
			if got := w.see(s, key); !got.Exists || got.Held || got.Until == 0 {
				w.Errorf("after the commit: %+v, want a token on probation", got)
			}
		}},
		{"a rollback that finds its hold gone does nothing", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.touch(s, key)
			w.place(s, "W1", key)
			w.drop(key)
			w.release(s, "W1", store.Rollback, key)
			if w.exists(key) {
				w.Errorf("a rollback made %q", w.raw(key))
			}
			w.place(s, "W1", key)
			w.drop(key)
			loaded := w.touch(s, key)
			w.release(s, "W1", store.Rollback, key)
			if got := w.see(s, key); got != loaded {
				w.Errorf("after the rollback: %+v, want %+v", got, loaded)
			}
		}},
		{"a doubt that finds its hold gone holds anew", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.place(s, "W1", key)
			w.drop(key)
			loaded := w.touch(s, key)
			w.release(s, "W1", store.Doubt, key)
			if got := w.see(s, key); !got.Held || !got.Dirty || got.Token != loaded.Token {
				w.Errorf("after the doubt: %+v, want held and dirty", got)
			}
		}},
		{"an owner who holds again is one holder", anything, func(w *world) {
			s, key := w.store(), w.token()
			before := w.touch(s, key)
			w.place(s, "W1", key)
			w.place(s, "W1", key)
			w.release(s, "W1", store.Rollback, key)
			if got := w.see(s, key); got != before {
				w.Errorf("after two holds and one release: %+v, want %+v", got, before)
			}
		}},
		{"an owner who holds again has a new deadline", anything, func(w *world) {
			s, key := w.store(holdOf(w.hold)), w.token()
			w.touch(s, key)
			w.place(s, "W1", key)
			// Another prefix: the deadline is longer without everybody's hold time being so.
			longer := w.store(func(o *store.Options) { o.Prefix += "other:" })
			w.place(longer, "W1", key)
			w.pass(w.hold)
			if _, moved := w.server.(Mover); moved {
				return // there the two hold times are one
			}
			if got := w.touch(s, key); !got.Held {
				w.Errorf("past the first deadline: %+v, want held", got)
			}
		}},
		{"a hold on a missing token starts a probation", anything, func(w *world) {
			s, key := w.store(), w.token()
			from := w.now()
			w.place(s, "W1", key)
			hold := uint64(longHold.Microseconds())
			if got := w.see(s, key).Until; got < from+hold || got > w.now()+hold {
				w.Errorf("probation until %d, want a hold time after %d", got, from)
			}
		}},
		{"a hold and its commit keep a probation", anything, func(w *world) {
			s, key := w.store(), w.token()
			before := w.touch(s, key)
			w.pass(time.Millisecond)
			w.place(s, "W1", key)
			if got := w.see(s, key).Until; got != before.Until {
				w.Errorf("under the hold: probation until %d, want %d", got, before.Until)
			}
			w.release(s, "W1", store.Commit, key)
			if got := w.see(s, key).Until; got != before.Until || got == 0 {
				w.Errorf("after the commit: probation until %d, want %d", got, before.Until)
			}
		}},
		{"a held key outlives its deadline", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.place(s, "W1", key)
			if got := w.ttl(key); got < longHold*3/2 {
				w.Errorf("PTTL under a hold of %v = %v, want another hold time on top", longHold, got)
			}
		}},
		{"a writer's deadline is before Redis's", anything, func(w *world) {
			s := w.store()
			from := time.Now()
			deadline, err := s.PlaceHold(w.Context(), patience, "W1", []string{w.token()})
			w.must("PlaceHold", err)
			// Redis counts from when the command arrived, which is before now.
			if deadline.Before(from.Add(longHold)) || deadline.After(time.Now().Add(longHold)) {
				w.Errorf("deadline %v after the call, want %v", deadline.Sub(from), longHold)
			}
		}},
	}}
}

func lapsing() group {
	return group{"lapse", []check{
		{"a lapse is dirty", anything, func(w *world) {
			s, key := w.store(holdOf(w.hold)), w.token()
			before := w.touch(s, key)
			w.place(s, "W1", key)
			w.pass(w.hold)
			got := w.touch(s, key)
			if got.Held || got.Token == before.Token {
				w.Errorf("past the deadline: %+v, want a new token", got)
			}
			if got.Base != 0 || got.First == 0 {
				w.Errorf("First, Base = %d, %x; want a time, and a base that nothing was loaded under", got.First, got.Base)
			}
		}},
		{"a hold is not settled before its deadline", anything, func(w *world) {
			s, key := w.store(), w.token()
			before := w.touch(s, key)
			w.place(s, "W1", key)
			for range 3 {
				if got := w.touch(s, key); !got.Held || got.Dirty || got.Token != before.Token {
					w.Fatalf("before the deadline: %+v, want held and clean", got)
				}
			}
			w.release(s, "W1", store.Rollback, key)
			if got := w.see(s, key); got != before {
				w.Errorf("after the rollback: %+v, want %+v", got, before)
			}
		}},
		{"a hold lapses by Redis's clock and no other", movedClock, func(w *world) {
			s, key := w.store(holdOf(5*time.Millisecond)), w.token()
			w.touch(s, key)
			deadline, err := s.PlaceHold(w.Context(), patience, "W1", []string{key})
			w.must("PlaceHold", err)
			<-time.After(time.Until(deadline)) // by the process's clock it is over
			if got := w.touch(s, key); !got.Held {
				w.Errorf("while Redis's clock stands: %+v, want held", got)
			}
			w.pass(5 * time.Millisecond)
			if got := w.touch(s, key); got.Held {
				w.Errorf("when Redis's clock has moved: %+v, want settled", got)
			}
		}},
		{"an invalidation settles a lapsed hold", anything, func(w *world) {
			s, key := w.store(holdOf(w.hold)), w.token()
			w.touch(s, key)
			w.place(s, "W1", key)
			w.pass(w.hold)
			at := w.invalidate(s, key)
			if got := w.see(s, key); got.Held || got.Token.Time != at {
				w.Errorf("after Invalidate: %+v, want a token of %d", got, at)
			}
		}},
		{"another's hold settles a lapsed one, whose dirt stays", anything, func(w *world) {
			s, key := w.store(holdOf(w.hold)), w.token()
			before := w.touch(s, key)
			w.place(s, "W1", key)
			w.pass(w.hold)
			patient := w.store(func(o *store.Options) { o.Prefix += "other:" })
			w.place(patient, "W2", key)
			w.release(patient, "W2", store.Rollback, key)
			if got := w.see(s, key); got.Held || got.Token == before.Token {
				w.Errorf("after W2's rollback: %+v, want a new token, for W1 may have committed", got)
			}
		}},
		{"only the holder whose deadline passed goes", anything, func(w *world) {
			s, key := w.store(holdOf(w.hold)), w.token()
			w.touch(s, key)
			patient := w.store(func(o *store.Options) { o.Prefix, o.Hold = o.Prefix+"other:", time.Minute })
			w.place(s, "W1", key)
			w.place(patient, "W2", key)
			w.pass(w.hold)
			if got := w.touch(s, key); !got.Held || !got.Dirty {
				w.Errorf("past W1's deadline: %+v, want W2's hold, dirty", got)
			}
			w.release(patient, "W2", store.Rollback, key)
			if got := w.see(s, key); got.Held {
				w.Errorf("after W2's rollback: %+v, want a token", got)
			}
		}},
		{"a reader sees that a deadline may have passed", anything, func(w *world) {
			s, key := w.store(holdOf(w.hold)), w.token()
			w.touch(s, key)
			w.place(s, "W1", key)
			w.pass(w.hold + time.Second/10)
			w.invalidate(s, w.token()) // brings the process's idea of Redis's clock up to date
			if got := w.see(s, key); !got.Held || !got.Lapsed {
				w.Errorf("past the deadline: %+v, want held and lapsed", got)
			}
		}},
		{"a hold on nothing that lapses leaves a token", anything, func(w *world) {
			s, key := w.store(holdOf(w.hold)), w.token()
			w.place(s, "W1", key)
			w.pass(w.hold)
			begun := w.want(s, store.Want{Tokens: []string{key}})
			if got := begun.Tokens[0]; begun.Created[0] || !got.Exists || got.Held {
				w.Errorf("past the deadline: %+v, created %v; want the settled hold", got, begun.Created[0])
			}
		}},
		{"a commit past its deadline invalidates", anything, func(w *world) {
			s, key := w.store(holdOf(w.hold)), w.token()
			w.touch(s, key)
			w.place(s, "W1", key)
			w.pass(w.hold)
			settled := w.touch(s, key)
			w.release(s, "W1", store.Commit, key)
			if got := w.see(s, key); got.Held || got.Token == settled.Token {
				w.Errorf("after the late commit: %+v, want another token than %v", got, settled.Token)
			}
		}},
	}}
}
