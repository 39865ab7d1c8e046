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

// maxCatchRounds bounds the search. Each rule is caught within the first tenth of it as a rule.
const maxCatchRounds = 5000

func catches() []catch {
	crowd := func(s subject, deeds ...deed) mix {
		return mix{subject: s, instances: 2, readers: 12, deeds: deeds, ids: 8, far: true}
	}
	return []catch{
		{"equal tokens", without(guard.TokenEquality), crowd(row(), invalidate)},
		{"fill under own lease", withoutLua("fill", "if holder ~= ARGV[1] then return {0, 0} end", ""), crowd(exact(), invalidate)},
		{"trip sent after arrival", without(guard.ShareOnlyLaterTrips), crowd(row(), invalidate)},
		{"join on equal tokens", without(guard.JoinSameTokens), crowd(row(), invalidate)},
		{"join on same lease", without(guard.JoinSameLease), crowd(exact(), invalidate)},
		{"join never under a hold", without(guard.JoinHeldNever), crowd(row(), doubt, invalidate)},
		{"join before the late read", without(guard.JoinBeforeLateRead), crowd(result(), invalidate)},
		{"join only what is valid", without(guard.JoinNotBornInvalid), crowd(result(), invalidate)},
		{"next load: began after arrival", without(guard.NextLoadBeganAfterArrival), crowd(row(), invalidate)},
	}
}

// RandomCatches plays random rounds with a rule out until a promise breaks, which has to happen soon.
func RandomCatches(t *testing.T, open suite.Open) {
	server := open(t)
	for _, c := range catches() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			n, broke := playRounds(t, server, c.mix, c.off, maxCatchRounds, seed)
			if broke == nil {
				t.Fatalf("no promise broke in %d rounds, seed %d", n, seed)
			}
			t.Logf("round %d: %v", n, broke)
		})
	}
}
