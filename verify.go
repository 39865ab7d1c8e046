package cacheme

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// VerifyOptions have a share of the hits compared with what their loaders give now, in the background: the number of
// violations (expected: 0) becomes a metric. The zero value verifies nothing and costs nothing.
//
// The loader of a sampled hit is called once more after its Get has returned, with the context values of that Get and none
// of its deadline, and past the cache, as by Bypass. So loaders must do nothing but load, and what they refer to must not change
// after the call. Only where the value differs is the loader called a second time, Settle later, and only what was the same
// fresh entry all the while counts as a violation. Whoever waits for a value never waits for this.
//
// A hit counts as verified by EventVerified, as wrong by EventViolation, and otherwise by EventUnverified; Stats has all
// three. What it cannot see: docs/verify.md.
type VerifyOptions struct {
	// Share is the part of the fresh hits that is verified, 0 to 1: 0.001 is one of a thousand. Zero: none.
	Share float64
	// PerSecond is how many hits are verified in a second at most. Defaults to 10.
	PerSecond int
	// Concurrency is how many are verified at the same time. Defaults to 1.
	Concurrency int
	// Pending is how many sampled hits may wait; those beyond it are not verified. Defaults to 100.
	Pending int
	// Settle is how long a value has to be wrong for, at least, to be a violation. It has to be longer than an invalidation takes to
	// arrive: with bunhooks.AfterCommit that is some time after the COMMIT. Defaults to 1 s.
	Settle time.Duration
}

// withDefaults sets every zero field but Share, and tells what is wrong with that.
func (o *VerifyOptions) withDefaults(atLeast func(string, *int, int), positive func(string, *time.Duration, time.Duration)) (wrong []string) {
	if !(o.Share >= 0 && o.Share <= 1) { // NaN is neither
		wrong = append(wrong, fmt.Sprintf("Verify.Share is %v; write a part of the hits, from 0 to 1", o.Share))
	}
	atLeast("Verify.PerSecond", &o.PerSecond, 10)
	atLeast("Verify.Concurrency", &o.Concurrency, 1)
	atLeast("Verify.Pending", &o.Pending, 100)
	positive("Verify.Settle", &o.Settle, time.Second)
	return wrong
}

// samples reports whether a hit on a node is to be verified. A nil verifier verifies nothing.
func (f *verifier) samples(r *request) bool {
	return f != nil && !r.call.refill && r.plan.meta.Verify != Off && rand.Float64() < f.c.options.Verify.Share
}
