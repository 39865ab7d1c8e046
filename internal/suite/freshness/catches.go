package freshness

import (
	"math/rand/v2"
	"testing"

	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/suite"
)

// catch is a rule that chance alone shows to be needed, in rounds of a kind.
type catch struct {
	name string
	off  broken
	mix  mix
}

// maxCatchRounds bounds the search.
const maxCatchRounds = 10_000

// catches are played by one process with a crowd of readers and slow loads, where the rules about sharing have the most
// to do.
func catches() []catch {
	hits := func(s subject, d deed, far ...trip) mix {
		return mix{subject: s, instances: 1, readers: 8, deeds: []deed{d}, ids: 8, slow: 4, far: far}
	}
	loads := func(s subject, d deed, far ...trip) mix {
		m := hits(s, d, far...)
		m.wrong = true
		return m
	}
	// The moment between the late read and the end is what counts here, and not a long load before it.
	ends := loads(result(), invalidate, late, fill)
	ends.slow = 1
	// Somebody has to come between another writer's word and the end of a hold, while a load from before still runs.
	held := loads(row(), doubt)
	held.slow = 12
	return []catch{
		{"equal tokens", without(guard.EqualTokens), hits(row(), invalidate)},
		{"fill under own lease", withoutLua("fill", "if holder ~= ARGV[at] then return 0 end", ""), loads(exact(), invalidate)},
		{"trip sent after arrival", without(guard.TripSentAfterArrival), hits(row(), invalidate, look)},
		{"join on equal tokens", without(guard.JoinOnEqualTokens), loads(row(), invalidate)},
		{"join on same lease", without(guard.JoinOnSameLease), loads(exact(), invalidate)},
		{"join never under a hold", without(guard.JoinNeverUnderHold), held},
		{"join before the late read", without(guard.JoinBeforeLateRead), ends},
		{"join only what is valid", without(guard.JoinOnlyValid), loads(result(), invalidate)},
		{"next load: began after arrival", without(guard.NextLoadAfterArrival), loads(row(), invalidate)},
	}
}

// RandomCatches plays random rounds with a rule out until a promise breaks, which has to happen soon.
func RandomCatches(t *testing.T, open suite.Open) {
	server := open(t)
	for _, c := range catches() {
		t.Run(c.name, func(t *testing.T) { //nolint:paralleltest // one at a time: see Run
			seed := rand.Uint64()
			n, broke := playRounds(t, server, c.mix, c.off, maxCatchRounds, seed)
			if broke == nil {
				t.Fatalf("no promise broke in %d rounds, seed %d", n, seed)
			}
			t.Logf("round %d: %v", n, broke)
		})
	}
}
