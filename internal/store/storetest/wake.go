package storetest

import (
	"time"

	"github.com/cacheme/cacheme/internal/store"
)

func waking() group {
	return group{"wake", []check{
		{"a fill wakes all who wait for it in other processes", anything, func(w *world) {
			s, waiting, entry := w.store(), w.store(), w.entry()
			w.want(s, store.Want{Entry: entry, Owner: "A"})
			_, first := w.woken(waiting, entry)
			woken, second := w.woken(waiting, entry)
			defer second()
			first() // he has gone; the other still waits
			if lease := w.raw(store.LeaseKey(entry)); lease == "A" || store.OwnerOf(lease) != "A" {
				w.Errorf("the lease is %q, want A's with a mark", lease)
			}
			w.until("the waiting process is woken", func() bool {
				// Nothing tells when the subscription stands.
				w.fill(s, store.Fill{Entry: entry, Owner: "A"})
				w.want(s, store.Want{Entry: entry, Owner: "A"})
				w.must("mark", w.rdb.Append(w.Context(), store.LeaseKey(entry), "!").Err())
				select {
				case <-woken:
					return true
				default:
					return false
				}
			})
		}},
		{"a fill tells nobody where nobody waits", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			heard := w.hear()
			w.want(s, store.Want{Entry: entry, Owner: "A"})
			w.fill(s, store.Fill{Entry: entry, Owner: "A", Store: true, Bytes: []byte("a")})
			other := w.entry()
			w.want(s, store.Want{Entry: other, Owner: "A"})
			_, done := w.woken(w.store(), other)
			defer done()
			w.fill(s, store.Fill{Entry: other, Owner: "A"})
			select {
			case got := <-heard:
				if got != other {
					w.Errorf("first told of %q, want of %q, for which somebody waits", got, other)
				}
			case <-time.After(patience):
				w.Errorf("nobody is told of %q, for which somebody waits", other)
			}
		}},
		{"who waits for what is over is woken at once", anything, func(w *world) {
			s := w.store()
			woken, done := w.woken(s, w.entry())
			defer done()
			select {
			case <-woken:
			default:
				w.Errorf("nobody has the lease, and the wait is not over")
			}
		}},
		{"marks of those who wait survive a takeover and a renewal, and make no lease", anything, func(w *world) {
			s, entry, free := w.store(), w.entry(), w.entry()
			w.want(s, store.Want{Entry: entry, Owner: "A"})
			for _, e := range []string{entry, free} {
				_, done := w.woken(s, e)
				done()
			}
			w.must("Renew", s.Renew(w.Context(), patience, time.Minute, "A", []string{entry}))
			if got := w.ttl(store.LeaseKey(entry)); got < 50*time.Second {
				w.Errorf("PTTL of the marked lease = %v, want about a minute", got)
			}
			if b := w.want(s, store.Want{Entry: entry, Owner: "B"}); b.Mine {
				w.Errorf("B got the marked lease that A has")
			}
			w.want(s, store.Want{Entry: entry, Owner: "B", Force: true})
			if got := w.raw(store.LeaseKey(entry)); got != "B!" {
				w.Errorf("the lease is %q, want B's with the mark", got)
			}
			if w.exists(store.LeaseKey(free)) {
				w.Errorf("who waits made a lease")
			}
			if got := w.fill(s, store.Fill{Entry: entry, Owner: "B"}); !got.Mine {
				w.Errorf("Fill = %+v under a marked lease", got)
			}
		}},
	}}
}
