package storetest

import (
	"strings"
	"time"

	"github.com/cacheme/cacheme/internal/envelope"
	"github.com/cacheme/cacheme/internal/store"
)

func leasing() group {
	return group{"lease", []check{
		{"a lease is not given while somebody has it", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			if b := w.want(s, store.Want{Entry: entry, Owner: "A"}); !b.Mine {
				w.Errorf("a free lease was refused")
			}
			if b := w.want(w.store(), store.Want{Entry: entry, Owner: "B"}); b.Mine {
				w.Errorf("B got the lease that A has")
			}
			if got := w.raw(store.LeaseKey(entry)); got != "A" {
				w.Errorf("the lease is %q's, want A's", got)
			}
		}},
		{"a lease that is mine already is mine again", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			w.want(s, store.Want{Entry: entry, Owner: "A"})
			if b := w.want(s, store.Want{Entry: entry, Owner: "A"}); !b.Mine {
				w.Errorf("the owner's second call was refused")
			}
		}},
		{"each entry of a Begin has its own lease", anything, func(w *world) {
			s, taken, free := w.store(), w.entry(), w.entry()
			w.want(s, store.Want{Entry: taken, Owner: "A"})
			begun, err := s.Begin(w.Context(), patience, time.Second, []store.Want{
				{Entry: taken, Owner: "B", Life: life}, {Entry: free, Owner: "B", Life: life},
			})
			w.must("Begin", err)
			if begun[0].Mine || !begun[1].Mine {
				w.Errorf("Mine = %v, %v; want false, true", begun[0].Mine, begun[1].Mine)
			}
		}},
		{"force takes a lease over", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			w.want(s, store.Want{Entry: entry, Owner: "A"})
			if b := w.want(s, store.Want{Entry: entry, Owner: "B", Force: true}); !b.Mine {
				w.Errorf("force was refused")
			}
			if got := w.fill(s, store.Fill{Entry: entry, Owner: "A", Store: true, Bytes: []byte("a")}); got.Mine || got.Stored {
				w.Errorf("the old owner's Fill = %+v", got)
			}
		}},
		{"a lease is not given where another entry was stored since the caller looked", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			old, young := strings.Repeat("old", 20), strings.Repeat("new", 20)
			put := func(text, seen string) {
				w.Helper()
				w.want(s, store.Want{Entry: entry, Owner: "A", Seen: seen})
				if got := w.fill(s, store.Fill{Entry: entry, Owner: "A", Store: true, Bytes: []byte(text)}); !got.Stored {
					w.Fatalf("Fill = %+v", got)
				}
			}
			head := func(text string) string { return text[:envelope.HeadSize] }
			put(old, "")
			if b := w.want(s, store.Want{Entry: entry, Owner: "B"}); b.Mine {
				w.Errorf("who saw nothing got the lease of a stored entry")
			}
			put(young, head(old))
			if b := w.want(s, store.Want{Entry: entry, Owner: "B", Seen: head(old)}); b.Mine {
				w.Errorf("who saw the old entry got the lease of the new one")
			}
			if w.exists(store.LeaseKey(entry)) {
				w.Errorf("a refusal left a lease")
			}
			if b := w.want(s, store.Want{Entry: entry, Owner: "B", Force: true}); !b.Mine {
				w.Errorf("force was refused")
			}
			if b := w.want(s, store.Want{Entry: entry, Owner: "B"}); !b.Mine {
				w.Errorf("the owner's second call was refused")
			}
		}},
		{"a lease ends by itself", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			w.wantFor(s, 50*time.Millisecond, store.Want{Entry: entry, Owner: "A"})
			w.pass(50 * time.Millisecond)
			w.until("the lease is free", func() bool {
				return w.want(s, store.Want{Entry: entry, Owner: "B"}).Mine
			})
		}},
		{"a lease that outlives any that is given is nobody's", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			w.wantFor(s, 4*time.Minute, store.Want{Entry: entry, Owner: "A"})
			if w.wantFor(s, time.Minute, store.Want{Entry: entry, Owner: "B"}).Mine {
				w.Errorf("B got the lease of A, whose leases are longer than B's")
			}
			w.wantFor(s, time.Hour, store.Want{Entry: entry, Owner: "A"})
			if !w.wantFor(s, time.Minute, store.Want{Entry: entry, Owner: "B"}).Mine {
				w.Errorf("B did not get a lease of an hour, where a clock was set back")
			}
		}},
		{"two loads of a Begin that want one entry are not both given its lease", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			begun, err := s.Begin(w.Context(), patience, time.Second, []store.Want{
				{Entry: entry, Owner: "A", Life: life}, {Entry: entry, Owner: "B", Life: life},
			})
			w.must("Begin", err)
			if !begun[0].Mine || begun[1].Mine || w.raw(store.LeaseKey(entry)) != "A" {
				w.Errorf("Mine = %v, %v and the lease %q's; want it to be A's", begun[0].Mine, begun[1].Mine, w.raw(store.LeaseKey(entry)))
			}
		}},
		{"a renewal extends a lease that is mine", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			w.wantFor(s, 10*time.Second, store.Want{Entry: entry, Owner: "A"})
			w.must("Renew", s.Renew(w.Context(), patience, time.Minute, "A", []string{entry}))
			if got := w.ttl(store.LeaseKey(entry)); got < 50*time.Second {
				w.Errorf("PTTL of the lease = %v, want about a minute", got)
			}
		}},
		{"a renewal leaves another's lease alone, and makes none", anything, func(w *world) {
			s, entry, free := w.store(), w.entry(), w.entry()
			w.wantFor(s, 10*time.Second, store.Want{Entry: entry, Owner: "A"})
			w.must("Renew", s.Renew(w.Context(), patience, time.Minute, "B", []string{entry, free}))
			if got := w.ttl(store.LeaseKey(entry)); got > 10*time.Second {
				w.Errorf("B's renewal gave A's lease %v", got)
			}
			if w.exists(store.LeaseKey(free)) {
				w.Errorf("a renewal made a lease")
			}
		}},
		{"a load starts at Redis's time, in the run of Redis that answered", anything, func(w *world) {
			s, before := w.store(), w.now()
			b := w.want(s, store.Want{})
			if after := w.now(); b.Start < before || b.Start > after {
				w.Errorf("Start = %d, want within %d and %d", b.Start, before, after)
			}
			values, err := s.Read(w.Context(), patience, []string{w.entry()})
			w.must("Read", err)
			if b.Epoch != values.Epoch() || b.Epoch == (store.Epoch{}) {
				w.Errorf("Epoch = %v, Read has %v", b.Epoch, values.Epoch())
			}
		}},
	}}
}

func filling() group {
	return group{"fill", []check{
		{"a fill stores and gives the lease back", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			w.want(s, store.Want{Entry: entry, Owner: "A"})
			got := w.fill(s, store.Fill{Entry: entry, Owner: "A", Store: true, Bytes: []byte("a\x00\xff"), Life: life})
			if got != (store.Filled{Mine: true, Stored: true}) {
				w.Errorf("Fill = %+v", got)
			}
			values, err := s.Read(w.Context(), patience, []string{entry, store.LeaseKey(entry)})
			w.must("Read", err)
			if text, ok := values.Text(0); !ok || text != "a\x00\xff" {
				w.Errorf("entry = %q, %v", text, ok)
			}
			if _, ok := values.Text(1); ok {
				w.Errorf("the lease is still taken")
			}
			if ttl := w.ttl(entry); ttl <= 0 || ttl > life {
				w.Errorf("PTTL of the entry = %v, want at most %v", ttl, life)
			}
		}},
		{"a fill without the lease stores nothing", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			w.want(s, store.Want{Entry: entry, Owner: "A"})
			w.drop(store.LeaseKey(entry))
			got := w.fill(s, store.Fill{Entry: entry, Owner: "A", Store: true, Bytes: []byte("old")})
			if got != (store.Filled{}) || w.exists(entry) {
				w.Errorf("Fill = %+v, entry %q", got, w.raw(entry))
			}
		}},
		{"a fill under another's lease leaves it alone", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			w.want(s, store.Want{Entry: entry, Owner: "B"})
			got := w.fill(s, store.Fill{Entry: entry, Owner: "A", Store: true, Bytes: []byte("old")})
			if got != (store.Filled{}) || w.exists(entry) || w.raw(store.LeaseKey(entry)) != "B" {
				w.Errorf("Fill = %+v, entry %q, lease of %q", got, w.raw(entry), w.raw(store.LeaseKey(entry)))
			}
		}},
		{"a fill that is not to store only gives the lease back", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			w.want(s, store.Want{Entry: entry, Owner: "A"})
			w.fill(s, store.Fill{Entry: entry, Owner: "A", Store: true, Bytes: []byte("first")})
			w.want(s, store.Want{Entry: entry, Owner: "A", Seen: "first"})
			got := w.fill(s, store.Fill{Entry: entry, Owner: "A", Bytes: []byte("second")})
			if got != (store.Filled{Mine: true}) || w.raw(entry) != "first" || w.exists(store.LeaseKey(entry)) {
				w.Errorf("Fill = %+v, entry %q, lease of %q", got, w.raw(entry), w.raw(store.LeaseKey(entry)))
			}
		}},
		{"a fill on probation lives until its end", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			b := w.want(s, store.Want{Entry: entry, Owner: "A"})
			until := b.Start + uint64((20 * time.Second).Microseconds())
			w.fill(s, store.Fill{Entry: entry, Owner: "A", Store: true, Bytes: []byte("a"), Until: until})
			if ttl := w.ttl(entry); ttl <= 0 || ttl > 20*time.Second {
				w.Errorf("PTTL = %v, want at most the 20s of the probation", ttl)
			}
		}},
		{"a probation never lengthens a fill", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			b := w.want(s, store.Want{Entry: entry, Owner: "A"})
			until := b.Start + uint64(time.Hour.Microseconds())
			w.fill(s, store.Fill{Entry: entry, Owner: "A", Store: true, Bytes: []byte("a"), Until: until})
			if ttl := w.ttl(entry); ttl <= 0 || ttl > life {
				w.Errorf("PTTL = %v, want at most %v", ttl, life)
			}
		}},
		{"a fill past its probation stores nothing", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			b := w.want(s, store.Want{Entry: entry, Owner: "A"})
			got := w.fill(s, store.Fill{Entry: entry, Owner: "A", Store: true, Bytes: []byte("a"), Until: b.Start - 1})
			if got != (store.Filled{Mine: true}) || w.exists(entry) || w.exists(store.LeaseKey(entry)) {
				w.Errorf("Fill = %+v, entry %q, lease of %q", got, w.raw(entry), w.raw(store.LeaseKey(entry)))
			}
		}},
		{"a removal takes the lease too", anything, func(w *world) {
			s, entry, other := w.store(), w.entry(), w.entry()
			w.want(s, store.Want{Entry: entry, Owner: "A"})
			w.fill(s, store.Fill{Entry: entry, Owner: "A", Store: true, Bytes: []byte("first")})
			w.want(s, store.Want{Entry: entry, Owner: "A", Seen: "first"})
			removed, err := s.Remove(w.Context(), patience, []string{entry, other})
			w.must("Remove", err)
			if removed != 1 {
				w.Errorf("Remove = %d, want the 1 that was there", removed)
			}
			got := w.fill(s, store.Fill{Entry: entry, Owner: "A", Store: true, Bytes: []byte("old")})
			if got != (store.Filled{}) || w.exists(entry) {
				w.Errorf("a load from before the removal: Fill = %+v, entry %q", got, w.raw(entry))
			}
		}},
		{"an undelivered removal is a removal as any other", anything, func(w *world) {
			s, entry := w.store(), w.entry()
			w.want(s, store.Want{Entry: entry, Owner: "A"})
			if _, err := s.RemoveAnyway(w.Context(), patience, []string{entry}); err != nil || w.exists(store.LeaseKey(entry)) {
				w.Errorf("RemoveAnyway = %v, lease of %q", err, w.raw(store.LeaseKey(entry)))
			}
		}},
	}}
}

func readingLate() group {
	late := func(w *world, s *store.Store, b store.Begun, key string) store.Late {
		w.Helper()
		got, err := s.ReadLate(w.Context(), patience, b, []string{key}, life)
		w.must("ReadLate", err)
		return got
	}
	return group{"late tokens", []check{
		{"a late token is read as it is", anything, func(w *world) {
			s, key := w.store(), w.token()
			before := w.touch(s, key)
			got := late(w, s, w.want(s, store.Want{}), key)
			if got.Created[0] || got.Tokens[0] != before {
				w.Errorf("ReadLate = %+v, want %+v", got, before)
			}
		}},
		{"a late token that is missing is created and said to be", anything, func(w *world) {
			s, key := w.store(), w.token()
			if got := late(w, s, w.want(s, store.Want{}), key); !got.Created[0] || !got.Tokens[0].Exists || got.Tokens[0].Until == 0 {
				w.Errorf("ReadLate = %+v, want a token, created, on probation", got)
			}
		}},
		{"what was invalidated during the load is not older than Before", anything, func(w *world) {
			s, key := w.store(), w.token()
			w.touch(s, key)
			b := w.want(s, store.Want{})
			w.invalidate(w.store(), key)
			got := late(w, s, b, key)
			if got.Before > b.Start || got.Tokens[0].Token.Time < got.Before {
				w.Errorf("ReadLate = %+v of a load that started at %d", got, b.Start)
			}
		}},
		{"a clock that was set forward during the load does not agree", movedClock, func(w *world) {
			s, key := w.store(), w.token()
			b := w.want(s, store.Want{})
			w.server.(Mover).Pass(time.Hour)
			if got := late(w, s, b, key); got.Agreed {
				w.Errorf("ReadLate = %+v, an hour of Redis's later", got)
			}
		}},
		{"a clock that was set back during the load does not agree", movedClock, func(w *world) {
			s, key := w.store(), w.token()
			b := w.want(s, store.Want{})
			w.server.(Mover).Pass(-time.Hour)
			if got := late(w, s, b, key); got.Agreed {
				w.Errorf("ReadLate = %+v, an hour of Redis's earlier", got)
			}
		}},
		{"two clocks that both run agree", ownClock, func(w *world) {
			s, key := w.store(), w.token()
			b := w.want(s, store.Want{})
			w.pass(20 * time.Millisecond)
			if got := late(w, s, b, key); !got.Agreed {
				w.Errorf("ReadLate = %+v, though no clock stepped", got)
			}
		}},
		{"no token is late for a load of another run of Redis", restarts, func(w *world) {
			rdb := w.client()
			s, key := w.storeOn(rdb), w.token()
			b := w.want(s, store.Want{})
			w.interpose(rdb, w.restart)
			if got := late(w, s, b, key); got.Tokens != nil {
				w.Errorf("ReadLate over a restart = %+v, want no tokens", got)
			}
		}},
	}}
}
