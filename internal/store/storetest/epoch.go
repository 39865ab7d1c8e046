package storetest

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/store"
)

// interpose runs f once, directly before the client's next pipeline of scripts is sent.
func (w *world) interpose(rdb redis.UniversalClient, f func()) {
	rdb.AddHook(&interposed{run: sync.OnceFunc(f)})
}

type interposed struct{ run func() }

func (*interposed) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (*interposed) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (i *interposed) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if cmds[0].Name() == "evalsha" {
			i.run()
		}
		return next(ctx, cmds)
	}
}

func (w *world) epoch(s *store.Store) store.Epoch {
	w.Helper()
	values, err := s.Read(w.Context(), patience, []string{w.token()})
	w.must("Read", err)
	return values.Epoch()
}

func epochs() group {
	return group{"epoch", []check{
		{"all processes agree on the run of Redis", anything, func(w *world) {
			if a, b := w.epoch(w.store()), w.epoch(w.store()); a != b || a == (store.Epoch{}) {
				w.Errorf("epochs %v and %v, want one", a, b)
			}
		}},
		{"a server that tells its run is not blind", anything, func(w *world) {
			s := w.store()
			if w.epoch(s); s.Blind() {
				w.Errorf("Blind() = true")
			}
		}},
		{"tokens of another run are missing", restarts, func(w *world) {
			s, key := w.store(), w.token()
			w.touch(s, key)
			before := w.epoch(s)
			w.restart()
			if w.raw(key) == "" {
				w.Fatalf("the server came back without its keys")
			}
			if got := w.see(s, key); got.Exists {
				w.Errorf("a token of the last run: %+v, want it missing", got)
			}
			if after := w.epoch(s); after == before {
				w.Errorf("the epoch is still %v", after)
			}
		}},
		{"a hold of another run is missing", restarts, func(w *world) {
			s, key := w.store(), w.token()
			w.place(s, "W1", key)
			w.restart()
			if got := w.see(s, key); got.Exists || got.Held {
				w.Errorf("a hold of the last run: %+v, want it missing", got)
			}
			w.release(s, "W1", store.Rollback, key)
			if got := w.see(s, key); got.Exists {
				w.Errorf("after the rollback: %+v, want it missing", got)
			}
		}},
		{"a touch makes a token anew in another run", restarts, func(w *world) {
			s, key := w.store(), w.token()
			before := w.touch(s, key)
			w.restart()
			begun := w.want(s, store.Want{Tokens: []string{key}, Doubtful: true})
			if got := begun.Tokens[0]; !begun.Created[0] || got.Token == before.Token || got.Until == 0 || begun.Until != got.Until {
				w.Errorf("Begin = %+v, want a new token on probation", begun)
			}
		}},
		{"an invalidation during a change of run is done again", restarts, func(w *world) {
			rdb := w.client()
			s, key := w.storeOn(rdb), w.token()
			before := w.epoch(s)
			w.interpose(rdb, w.restart)
			at := w.invalidate(s, key)
			if got := w.see(s, key); !got.Exists || got.Token.Time != at || w.epoch(s) == before {
				w.Errorf("after Invalidate at %d: %+v", at, got)
			}
		}},
		{"a hold placed during a change of run is placed again", restarts, func(w *world) {
			rdb := w.client()
			s, key := w.storeOn(rdb), w.token()
			w.epoch(s)
			w.interpose(rdb, w.restart)
			w.place(s, "W1", key)
			if got := w.see(s, key); !got.Held {
				w.Errorf("after PlaceHold: %+v, want held", got)
			}
		}},
		{"a load begun during a change of run begins again", restarts, func(w *world) {
			rdb := w.client()
			s, key := w.storeOn(rdb), w.token()
			before := w.epoch(s)
			w.interpose(rdb, w.restart)
			begun := w.want(s, store.Want{Tokens: []string{key}})
			if begun.Epoch == before || !begun.Mine || !begun.Tokens[0].Exists {
				w.Errorf("Begin = %+v, want the lease and a token in another epoch than %v", begun, before)
			}
			if got := w.see(s, key); got != begun.Tokens[0] {
				w.Errorf("Read() = %+v, want %+v", got, begun.Tokens[0])
			}
		}},
	}}
}

func blindness() []check {
	return []check{
		{"a server without INFO is blind", anything, func(w *world) {
			s := w.store()
			if w.epoch(s); !s.Blind() {
				w.Errorf("Blind() = false")
			}
		}},
		{"all caches of a process agree on an epoch of their own", anything, func(w *world) {
			if a, b := w.epoch(w.store()), w.epoch(w.store()); a != b || a == (store.Epoch{}) {
				w.Errorf("epochs %v and %v, want one", a, b)
			}
		}},
		{"there is no excuse from probation", anything, func(w *world) {
			s, key := w.store(holdOf(w.hold)), w.token()
			w.epoch(s)
			w.pass(4 * w.hold)
			begun := w.want(s, store.Want{Tokens: []string{key}, Doubtful: true})
			if begun.Until == 0 || begun.Until != begun.Tokens[0].Until {
				w.Errorf("Until = %d, want the token's %d", begun.Until, begun.Tokens[0].Until)
			}
		}},
		{"tokens work all the same", anything, func(w *world) {
			s, key := w.store(), w.token()
			before := w.touch(s, key)
			w.invalidate(s, key)
			if got := w.see(w.store(), key); !got.Exists || got.Token == before.Token {
				w.Errorf("after Invalidate: %+v", got)
			}
		}},
	}
}
