package integration_test

import (
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/integration/kit"
)

// redisFaults are the rows about Redis itself.
var redisFaults = slices.Concat([]fault{
	{
		name:   "restarted empty",
		expect: "loads, and nothing old; all is served from Redis again within a lease and a hold",
		run:    restartedEmpty,
	},
	{
		name:   "restarted from an old snapshot",
		expect: "what another run of Redis wrote counts as missing: loads, and nothing old",
		run:    restartedOld,
	},
	{
		name:   "FLUSHALL at each step of hold, COMMIT, release, load and fill",
		expect: "loads, and nothing old, also where the writer dies before its release: then after its hold",
		run:    flushedAtEachStep,
	},
	{
		name:      "leases, tokens or everything lost at random times",
		expect:    "nothing old",
		elsewhere: "TestFreshness/random_rounds/declared_rows,_a_crowd_and_losses",
	},
	{
		name:   "out of memory with noeviction",
		expect: "Gets load, saves succeed, what could not be told is kept and delivered when memory returns; nothing old",
		run:    outOfMemory,
	},
	{
		name:   "garbage written into it under traffic",
		expect: "entries, tokens, leases, marks and the epoch's record of random bytes or of another type cost loads; nothing old, no error",
		run:    vandalised,
	},
	{
		name:      "garbage for an entry",
		expect:    "a miss that is told and replaced, without a large allocation",
		elsewhere: "TestHostile/an_entry",
	},
	{
		name:      "garbage for a token, a lease, the record of losses",
		expect:    "a load",
		elsewhere: "TestHostile/beside_the_entry",
	},
	{
		name:      "it refuses writes and answers reads",
		expect:    "what this process wrote it reads itself, whatever Redis has",
		elsewhere: "TestOutage/writes_that_fail_while_reads_do_not",
	},
	{
		name:      "near: it stands still",
		expect:    "nothing is near until it goes on",
		elsewhere: "TestNear_faults/a_server_that_stands_still",
	},
	{
		name:      "near: restarted empty",
		expect:    "at most Near.Lag behind, near again",
		elsewhere: "TestNear_faults/a_server_that_comes_back_empty",
	},
	{
		name:      "its keys over many operations",
		expect:    "neither their number nor the size of any grows, and each has a TTL",
		elsewhere: "TestGrowth",
	},
}, evictions())

func (f *fleet) loads() (n uint64) {
	for _, c := range f.caches {
		n += c.Stats().Loads
	}
	return n
}

func restartedEmpty(t *testing.T) {
	t.Parallel()
	server := kit.Redis(t)
	f := newFleet(t, 2, func() redis.UniversalClient { return server.Client() })
	f.settle()
	f.under(habit{}, func() {
		time.Sleep(100 * time.Millisecond)
		server.Kill()
		time.Sleep(100 * time.Millisecond)
		server.Start()
		time.Sleep(500 * time.Millisecond)
	})
	f.servesAgain()
}

func restartedOld(t *testing.T) {
	t.Parallel()
	s := newSnapshot(t, 0)
	s.under(habit{}, s.rewind)
	s.servesAgain()
}

// snapshot is a fleet on a Redis that comes back with what it had some writes ago.
type snapshot struct {
	*fleet
	server *kit.RedisServer
}

func newSnapshot(t *testing.T, off guard.Set) snapshot {
	t.Helper()
	server := kit.Redis(t)
	f := newFleet(t, 2, func() redis.UniversalClient {
		return &guard.Client{UniversalClient: server.Client(), Rules: off}
	})
	f.settle()
	return snapshot{f, server}
}

func (s snapshot) rewind() {
	s.server.Save()
	for id := range int64(shown) {
		_ = s.save(s.caches[0], id) // it has told what it has to
	}
	time.Sleep(100 * time.Millisecond)
	s.server.Kill()
	s.server.Start()
	time.Sleep(500 * time.Millisecond)
}

// The rows can fail: with the rule out that is against a fault, something old is served.
func TestFaults_need_their_rules(t *testing.T) {
	t.Parallel()
	for name, old := range map[string]func(t *testing.T) int64{
		"restarted from an old snapshot": func(t *testing.T) int64 {
			s := newSnapshot(t, guard.Without(guard.EpochBinds))
			s.rewind()
			s.during(habit{edits: 1 << 30}, func() { time.Sleep(200 * time.Millisecond) })
			return s.old.Load()
		},
		"FLUSHALL at a step": func(t *testing.T) int64 {
			p := newPlay(t, step{name: "after the hold", script: "hold", after: true}, true, guard.Without(guard.Probation))
			calm(p)
			p.play()
			return p.old.Load()
		},
		"eviction": func(t *testing.T) int64 {
			b := newBooks(t, "allkeys-random", guard.Without(guard.AbsentIsNotFresh))
			b.halved(2)
			return b.old.Load()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := old(t)
			t.Logf("%d old reads", n)
			if n == 0 {
				t.Error("nothing old was read: the row would not notice")
			}
		})
	}
}
