package cacheme

import (
	"math/rand/v2"
	"testing"

	"github.com/cacheme/cacheme/internal/envelope"
	"github.com/cacheme/cacheme/internal/store"
)

// Whatever a look shows, the state is fresh if and only if Get would serve the entry as such; and what a state says is so.
func TestStateAgreesWithDecide(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	seen := map[State]int{}
	chance := func(percent int) bool { return random.IntN(100) < percent }
	dependency := func() store.Dependency {
		d := store.Dependency{Exists: true, Token: under}
		switch roll := random.IntN(100); {
		case roll < 10:
			return store.Dependency{}
		case roll < 20:
			d.Token = other
		case roll < 25:
			d.Token = store.Token{}
		}
		if d.Held = chance(10); d.Held {
			d.Dirty = chance(50)
		}
		return d
	}
	for range 20_000 {
		s := right()
		s.tokens[0], s.results[0] = dependency(), dependency()
		s.entry.Born = chance(5)
		if chance(5) {
			s.epoch = store.Epoch{9}
		}
		if chance(10) {
			s.now = began + ttl + seconds
		}
		if chance(5) {
			s.entry.Declared = append(s.entry.Declared, envelope.Token{})
		}
		if chance(5) {
			s.entry, s.results = nil, nil
		}
		if chance(30) {
			s.lease = "somebody"
		}
		v := decide(s, policy{}, false, false, 0)
		state := stateOf(s, glimpse{sight: s}, v)
		seen[state]++
		if (state == StateFresh) != s.fresh(0) {
			t.Fatalf("seed %d: %+v is %q, and fresh: %v", seed, s, state, s.fresh(0))
		}
		if state == StateExpired && !s.expired() {
			t.Fatalf("seed %d: %+v is called expired, and is not", seed, s)
		}
		if s.entry == nil {
			continue
		}
		for i, d := range append(s.tokens, s.results...) {
			u := loadedUnder(s.entry, min(i, len(s.entry.Declared)+len(s.entry.Results)-1))
			if (tokenState(d, u) == tokenEqual) != equal(d, u, 0) {
				t.Fatalf("seed %d: the state of %+v under %+v is not what equal says", seed, d, u)
			}
		}
	}
	for _, state := range []State{StateFresh, StateExpired, StateMadeWrong, StateHeld, StateTokenGone, StateBornInvalid, StateOtherRun, StateForeign, StateAbsent} {
		if seen[state] == 0 {
			t.Errorf("seed %d: %q did not come up", seed, state)
		}
	}
}
