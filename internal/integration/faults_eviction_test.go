package integration_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/guard"
	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
)

// policies are those by which Redis decides what to evict.
var policies = []string{
	"noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
}

// evictions are a row for each policy.
func evictions() (rows []fault) {
	for _, policy := range policies {
		rows = append(rows, fault{
			name:   "eviction by " + policy,
			expect: "20 000 books, 2 % edits and memory for half of them: 0 old reads, and no error",
			run:    func(t *testing.T) { evicted(t, policy) },
		})
	}
	return rows
}

func evicted(t *testing.T, policy string) {
	t.Parallel()
	b := newBooks(t, policy, 0)
	all := b.halved(50)
	b.rests()
	b.isFresh()
	stats := b.admin.InfoMap(t.Context(), "stats")
	keys := stats.Item("Stats", "evicted_keys")
	t.Logf("%d reads, %.1f %% hits, %d loads; %d edits, %d of them kept; %s keys evicted; all would take %d kB, it has half",
		len(all.gets), 100*float64(all.hits)/float64(len(all.gets)), b.loads(), len(all.saves), all.kept, keys, b.full>>10)
	if policy != "noeviction" && keys == "0" {
		t.Error("nothing was evicted: the fault was none")
	}
	if policy == "noeviction" && all.kept == 0 {
		t.Error("no edit was refused: the fault was none")
	}
}

// books are a fleet whose Redis has its pages, and what is known of its memory.
type books struct {
	*fleet
	admin redis.UniversalClient
	full  int64 // bytes of all pages
}

func newBooks(t *testing.T, policy string, off guard.Set) books {
	t.Helper()
	server := kit.Redis(t, "--maxmemory-policy", policy)
	f := newFleetOf(t, int64(suite.Count(20_000)), 2, suite.Patient(cacheme.Options{Hold: hold}), func() redis.UniversalClient {
		return &guard.Client{UniversalClient: server.Client(suite.PatientClient), Rules: off}
	})
	b := books{fleet: f, admin: kit.Admin(t, server.Addr())}
	empty := b.memory("used_memory_dataset")
	b.hits()
	b.full = b.memory("used_memory_dataset") - empty
	return b
}

func (b books) memory(what string) int64 {
	b.t.Helper()
	n, err := strconv.ParseInt(b.admin.InfoMap(b.t.Context(), "memory").Item("Memory", what), 10, 64)
	check(b.t, err)
	return n
}

func (b books) limit(bytes int64) {
	b.t.Helper()
	check(b.t, b.admin.ConfigSet(context.Background(), "maxmemory", strconv.FormatInt(bytes, 10)).Err())
}

// halved reads and writes with half of the memory that the pages take.
func (b books) halved(edits int) toll {
	b.t.Helper()
	return b.during(habit{edits: edits, hasty: true}, func() {
		// What connections take while they are busy is not what is to be scarce.
		time.Sleep(200 * time.Millisecond)
		b.limit(b.memory("used_memory") - b.full/2)
		reads := b.reads.Load() + int64(4*len(b.versions))
		for b.reads.Load() < reads {
			time.Sleep(time.Millisecond)
		}
		b.limit(0)
	})
}

// outOfMemory takes all memory for a second.
func outOfMemory(t *testing.T) {
	t.Parallel()
	server := kit.Redis(t, "--maxmemory-policy", "noeviction")
	f := newFleetOf(t, shown, 2, cacheme.Options{Hold: hold}, func() redis.UniversalClient { return server.Client() })
	b := books{fleet: f, admin: kit.Admin(t, server.Addr())}
	b.settle()
	var full, again time.Time
	var late time.Duration
	all := b.under(habit{}, func() {
		b.limit(1)
		full = time.Now()
		machine := suite.Late()
		time.Sleep(time.Second)
		b.limit(0)
		again, late = time.Now(), machine()
		b.until("nothing is kept", func() bool { return f.caches[0].Stats().Pending+f.caches[1].Stats().Pending == 0 })
		t.Logf("delivered %v after the memory was back", time.Since(again))
	})
	gets, saves := all.gets.between(full, again), all.saves.between(full, again)
	t.Logf("%d Gets, 99 %% within %v; %d saves, 99 %% within %v, %d kept", len(gets), gets.but(100), len(saves), saves.but(100), all.kept)
	if all.kept == 0 {
		t.Error("no save was refused: the fault was none")
	}
	gets.quick(t, late)
	b.servesAgain()
}
