package integration_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
)

// nearReader is a process that waits for replicas and has one page near, whose truth is a number.
type nearReader struct {
	t     *testing.T
	cache *cacheme.Cache
	truth *atomic.Int64
}

func newNearReader(t *testing.T, rdb redis.UniversalClient, prefix string, waits int, truth *atomic.Int64) *nearReader {
	t.Helper()
	o := cacheme.Options{
		Prefix: prefix, WaitReplicas: waits, Near: cacheme.NearOptions{Lag: nearLag}, Hold: hold, Budget: 200 * time.Millisecond, WriteBudget: time.Second,
	}
	return &nearReader{t, suite.NewCache(t, rdb, o, nearPage{}, pageChanged{}), truth}
}

// read gets the page, and tells where it came from.
func (n *nearReader) read() (version int64, tier cacheme.Tier) {
	b, err := cacheme.Bind(n.cache, func(context.Context, nearPage) (int64, error) { return n.truth.Load(), nil })
	check(n.t, err)
	r, err := b.GetResult(n.t.Context(), nearPage{ID: 1})
	if err != nil {
		n.t.Errorf("Get() = %v", err)
	}
	return r.Value, r.Tier
}

func (n *nearReader) isNear(what string) {
	n.t.Helper()
	within(n.t, 20*time.Second, "the page is near "+what, func() bool {
		v, tier := n.read()
		return tier == cacheme.TierNear && v == n.truth.Load()
	})
}

// A primary is replaced, and still answers a process that has a page near: its pings too, so that its link looks alive. Nobody
// tells it of writes. Expected: without WaitReplicas it serves what is near for as long as that lasts; with it for a second
// at most, and nothing is near after.
func TestReplicas_bound_what_is_near_of_a_primary_that_was_replaced(t *testing.T) {
	t.Parallel()
	const window = 3 * time.Second
	for name, waits := range map[string]int{"nobody waits": 0, "one replica of two": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newTrio(t)
			var truth atomic.Int64
			prefix := suite.Prefix()
			behind := newNearReader(t, r.first.Client(), prefix, waits, &truth)
			behind.isNear("at first")
			time.Sleep(hold + hold/5) // what was cold is kept for one hold time only
			behind.isNear("to stay")
			r.replace(t)
			behind.read() // the last moment at which it may think that all is well is before this one
			ahead := newNearReader(t, r.second.Client(), prefix, waits, &truth)
			truth.Store(1)
			within(t, 15*time.Second, "somebody can write at the new primary", func() bool {
				return ahead.cache.Invalidate(t.Context(), pageChanged{ID: 1}) == nil
			})
			var old time.Duration
			var last cacheme.Tier
			for began := time.Now(); time.Since(began) < window; time.Sleep(time.Millisecond) {
				at := time.Since(began)
				version, tier := behind.read()
				if version < 1 {
					old = at
				}
				last = tier
			}
			t.Logf("old for %v, and in the end from %s", old, last)
			switch {
			case waits == 0 && (old < window-time.Second || last != cacheme.TierNear):
				t.Errorf("what is near was old for %v and then came from %s: nothing was shown", old, last)
			case waits > 0 && (old > bound || last == cacheme.TierNear):
				t.Errorf("what is near was old for %v and then came from %s, want at most %v, and nothing near", old, last, bound)
			}
		})
	}
}

// The replicas of a primary are slow, and at times say nothing for longer than a write has. Expected: what is near in another
// process is at most Lag behind a write that has returned, also with ErrFewReplicas; while nobody vouches for the primary
// nothing is near, and then everything is as it was.
func TestReplicas_that_are_slow_keep_what_is_near_bounded(t *testing.T) {
	t.Parallel()
	server := kit.Redis(t)
	replica := server.Replica(t)
	awaitReplica(t, server)
	var truth atomic.Int64
	prefix := suite.Prefix()
	writer := newNearReader(t, server.Client(), prefix, 1, &truth)
	reader := newNearReader(t, server.Client(), prefix, 1, &truth)
	reader.isNear("at first")
	told, kept := 0, 0
	for round := range int64(12) {
		pause := time.Duration(round%4) * 600 * time.Millisecond // the last one outlasts the writer, and the trust
		replica.Pause()
		resumed := make(chan struct{})
		time.AfterFunc(pause, func() {
			defer close(resumed)
			replica.Continue()
		})
		truth.Add(1)
		version := truth.Load()
		began := time.Now()
		err := writer.cache.Invalidate(t.Context(), pageChanged{ID: 1})
		took := time.Since(began)
		bounded := err == nil || errors.Is(err, cacheme.ErrFewReplicas) // else the primary was not even asked, see P7
		switch {
		case err == nil:
			told++
		case bounded:
			kept++
		}
		if own, _ := writer.read(); own < version {
			t.Errorf("a process does not see its own write: version %d, want %d", own, version)
		}
		for returned := time.Now(); time.Since(returned) < nearLag+200*time.Millisecond; time.Sleep(time.Millisecond) {
			due := time.Since(returned) >= nearLag
			if got, tier := reader.read(); due && bounded && got < version {
				t.Errorf("%v after a write that took %v and returned %v: version %d from %s, want %d", time.Since(returned), took, err, got, tier, version)
			}
		}
		_, tier := reader.read()
		if silent := time.Since(began); tier == cacheme.TierNear && silent > bound && silent < pause {
			t.Errorf("%v after its replica fell silent a primary is believed", silent)
		}
		<-resumed
		within(t, 20*time.Second, "what was kept is delivered", func() bool { writer.read(); return writer.cache.Stats().Pending == 0 })
		reader.isNear("again")
	}
	t.Logf("%d of 12 writes were acknowledged, %d reached the primary alone", told, kept)
	if told == 0 || kept == 0 {
		t.Error("nothing was shown")
	}
}
