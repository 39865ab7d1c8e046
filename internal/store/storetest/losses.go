package storetest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/store"
)

// record reads the record of losses: since, epoch, count of evicted keys, hold time.
func (w *world) record() []string {
	w.Helper()
	parts := strings.Split(w.raw(w.prefix+"meta:watch"), "|")
	if len(parts) != 4 {
		w.Fatalf("the record of losses is %q", parts)
	}
	return parts
}

// evictOne changes the record as if the server had evicted a key since it was written.
func (w *world) evictOne() {
	w.Helper()
	parts := w.record()
	evicted, err := strconv.Atoi(parts[2])
	w.must("the record's count", err)
	parts[2] = strconv.Itoa(evicted - 1)
	w.must("SET", w.rdb.Set(w.Context(), w.prefix+"meta:watch", strings.Join(parts, "|"), redis.KeepTTL).Err())
}

// calm returns a store of a process that has known Redis to lose nothing for two hold times.
func (w *world) calm() *store.Store {
	w.Helper()
	s := w.store(holdOf(w.hold))
	w.epoch(s)
	w.pass(2 * w.hold)
	return s
}

func losing() group {
	// cold begins a load under a token that nobody has, and says until when it may be kept.
	cold := func(w *world, s *store.Store) (until, probation uint64) {
		w.Helper()
		begun := w.want(s, store.Want{Tokens: []string{w.token()}, Doubtful: true})
		if begun.Tokens[0].Until == 0 {
			w.Errorf("a missing token was made without a probation: %+v", begun.Tokens[0])
		}
		return begun.Until, begun.Tokens[0].Until
	}
	onProbation := func(w *world, s *store.Store) {
		w.Helper()
		if until, probation := cold(w, s); until != probation {
			w.Errorf("a load under a cold key may be kept until %d, want the probation's %d", until, probation)
		}
	}
	return group{"losses", []check{
		{"the record says since when nothing was lost, and lives on", anything, func(w *world) {
			before := w.now()
			s := w.store()
			epoch := w.epoch(s)
			record := w.record()
			since, _ := strconv.ParseUint(record[0], 10, 64)
			if since < before || since > w.now() || record[1] != epoch.String() || record[3] != "10000" {
				w.Errorf("record %q of epoch %v, written after %d", record, epoch, before)
			}
			w.pass(time.Millisecond)
			w.epoch(w.store())
			if again := w.record(); fmt.Sprint(again) != fmt.Sprint(record) {
				w.Errorf("another process made %q of %q", again, record)
			}
			if ttl := w.ttl(w.prefix + "meta:watch"); ttl < 23*time.Hour {
				w.Errorf("PTTL of the record = %v", ttl)
			}
		}},
		{"a missing token is on probation while the record is young", anything, func(w *world) {
			onProbation(w, w.store())
		}},
		{"a missing token is new where nothing was lost for two hold times", oneServer, func(w *world) {
			if until, _ := cold(w, w.calm()); until != 0 {
				w.Errorf("a load under a new token may be kept until %d, want without limit", until)
			}
		}},
		{"where the server was not asked a probation holds", anything, func(w *world) {
			begun := w.want(w.calm(), store.Want{Tokens: []string{w.token()}})
			if begun.Until == 0 || begun.Until != begun.Tokens[0].Until {
				w.Errorf("Until = %d, want the token's %d", begun.Until, begun.Tokens[0].Until)
			}
		}},
		{"a load that begins after the probation is kept without limit", anything, func(w *world) {
			s, key := w.store(holdOf(w.hold)), w.token()
			w.invalidate(s, key)
			w.want(s, store.Want{Tokens: []string{key}, Life: time.Hour}) // lives longer than two hold times
			w.pass(w.hold)
			w.evictOne()
			if begun := w.want(s, store.Want{Tokens: []string{key}, Doubtful: true}); begun.Until != 0 {
				w.Errorf("Until = %d of a load that began at %d", begun.Until, begun.Start)
			}
		}},
		{"the earliest probation counts", anything, func(w *world) {
			s, first, second := w.store(), w.token(), w.token()
			w.touch(s, first)
			w.pass(time.Millisecond)
			begun := w.want(s, store.Want{Tokens: []string{second, first}, Doubtful: true})
			if begun.Until != begun.Tokens[1].Until || begun.Until >= begun.Tokens[0].Until {
				w.Errorf("Until = %d of tokens %+v", begun.Until, begun.Tokens)
			}
		}},
		{"an eviction starts the record anew and keeps the probation", oneServer, func(w *world) {
			s := w.calm()
			before := w.record()
			w.evictOne()
			onProbation(w, s)
			after := w.record()
			if after[0] <= before[0] || after[2] != before[2] {
				w.Errorf("record %q, want it newer than %q with the server's count", after, before)
			}
		}},
		{"losses are asked for after the tokens were read", anything, func(w *world) {
			rdb := w.client()
			s := w.storeOn(rdb, holdOf(w.hold))
			w.epoch(s)
			w.pass(2 * w.hold)
			w.interpose(rdb, w.evictOne)
			onProbation(w, s)
		}},
		{"a flush starts the record anew and keeps the probation", oneOwnServer, func(w *world) {
			s := w.calm()
			before := w.record()
			w.must("FLUSHALL", w.rdb.FlushAll(w.Context()).Err())
			onProbation(w, s)
			if after := w.record(); after[0] <= before[0] {
				w.Errorf("record %q, want it newer than %q", after, before)
			}
		}},
		{"another run starts the record anew", restarts, func(w *world) {
			s := w.calm()
			before := w.record()
			w.restart()
			onProbation(w, s)
			if after := w.record(); after[0] <= before[0] || after[1] == before[1] {
				w.Errorf("record %q, want it newer than %q, of another epoch", after, before)
			}
		}},
		{"the greater hold time wins", anything, func(w *world) {
			for _, hold := range []time.Duration{20 * time.Second, 30 * time.Second, 10 * time.Second} {
				s := w.store(holdOf(hold))
				w.epoch(s)
				if got := s.Hold(); got < hold || hold == 10*time.Second && got != 30*time.Second {
					w.Errorf("Hold() of a process that asked for %v = %v", hold, got)
				}
			}
			if got := w.record()[3]; got != "30000" {
				w.Errorf("the record's hold = %s ms, want 30000", got)
			}
		}},
		{"a load learns a greater hold time and lengthens its probations", anything, func(w *world) {
			s := w.store()
			w.epoch(s)
			w.epoch(w.store(holdOf(time.Minute)))
			key := w.token()
			before := w.now()
			begun := w.want(s, store.Want{Tokens: []string{key}, Doubtful: true})
			if got := s.Hold(); got != time.Minute {
				w.Errorf("Hold() = %v, want the other's %v", got, time.Minute)
			}
			want := before + uint64(time.Minute.Microseconds())
			if begun.Until < want || begun.Tokens[0].Until != begun.Until {
				w.Errorf("Until = %d of %+v, want at least %d", begun.Until, begun.Tokens[0], want)
			}
			if got := w.see(s, key); got != begun.Tokens[0] {
				w.Errorf("Read() = %+v, want %+v", got, begun.Tokens[0])
			}
		}},
	}}
}
