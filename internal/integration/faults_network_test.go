package integration_test

import (
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/integration/kit"
	"github.com/cacheme/cacheme/internal/suite"
)

// networkFaults are the rows about what lies between a process and Redis.
var networkFaults = []fault{
	gone("Redis refused", (*proxied).Refuse, noMore),
	gone("Redis black-holed", (*proxied).BlackHole, noMore),
	gone("Redis slow by 0.1 s", func(r *proxied) { r.Delay(100 * time.Millisecond) }, noMore),
	gone("Redis slow by 0.5 s", func(r *proxied) { r.Delay(500 * time.Millisecond) }, noMore),
	gone("Redis slow by 1 s", func(r *proxied) { r.Delay(time.Second) }, noMore),
	gone("Redis slow by 5 s", func(r *proxied) { r.Delay(5 * time.Second) }, noMore),
	gone("Redis stopped by SIGSTOP", (*proxied).Pause, (*proxied).Continue),
	{
		name:      "Redis away from the start",
		expect:    "Gets load within their budget, and caching begins when Redis comes",
		elsewhere: "TestOutage/a_read/never_meets_a_process_that_has_not_reached_Redis_yet",
	},
	{
		name:      "Redis away, a hundred callers at once",
		expect:    "one load in each process",
		elsewhere: "TestOutage/a_read/of_100_callers_at_once_comes_from_one_load_of",
	},
	{
		name:      "Redis away, and a client that would wait for ever",
		expect:    "a caller's deadline holds for each call of the package",
		elsewhere: "TestOutage/a_deadline_of_the_caller/bounds",
	},
	{
		name:      "Redis away when a process ends",
		expect:    "Close tells what it could not deliver, and keeps to its context",
		elsewhere: "TestOutage/a_write/that_is_still_kept_is_told_by_Close",
	},
	{
		name:      "Redis back",
		expect:    "what was kept is delivered before anything is read",
		elsewhere: "TestOutage/a_write/comes_before_any_read_on_return",
	},
	torn("request cut before it arrives", "is not executed; what was to be told is kept and told, nothing is old, no Get waits for longer than a lease", func(r *proxied, _ int) { r.TearRequests(0) }),
	torn("request cut in its midst", "the same", func(r *proxied, n int) { r.TearRequests(1 + n%300) }),
	torn("reply cut", "was executed, and nobody heard: what it told is told once more, nothing is old, no Get waits for longer than a lease that nobody knows to have", func(r *proxied, _ int) { r.TearReplies(0) }),
	torn("reply torn in its midst", "its connection is not used again: no value comes to another key, nothing is old", func(r *proxied, n int) { r.TearReplies(1 + n%300) }),
	torn("connections cut", "nothing old", func(r *proxied, _ int) { r.Cut() }),
	{
		name:   "half-open connections",
		expect: "each costs one budget and is given up, new ones are made; nothing old",
		run:    halfOpen,
	},
	{
		name:      "near: pub/sub lost",
		expect:    "at most Near.Lag behind, and near again on a new subscription",
		elsewhere: "TestNear_faults/a_subscription_that_is_killed",
	},
	{
		name:      "near: pub/sub half-open",
		expect:    "at most Near.Lag behind, then not near until word arrives again",
		elsewhere: "TestNear_faults/a_link_on_which_nothing_arrives",
	},
	{
		name:      "near: slow subscriber",
		expect:    "the server ends the subscription; as when it is lost",
		elsewhere: "TestNear_faults/a_subscriber_that_is_too_slow",
	},
}

// What a Get may take over its load while Redis is gone, how soon the breaker has to open, and to close again.
const (
	getLimit   = 50 * time.Millisecond
	openLimit  = time.Second
	closeLimit = 2 * time.Second
)

// noMore is the end of what the proxy alone does.
func noMore(*proxied) {}

// gone is a row in which Redis cannot be used for a while, by processes with the default budgets.
func gone(name string, by, end func(*proxied)) fault {
	return fault{
		name: name,
		expect: "p99 of Get at most the load and 50 ms, saves succeed, the breaker opens within 1 s and closes within 2 s of the return; " +
			"nothing that changed meanwhile is served old",
		run: func(t *testing.T) {
			t.Parallel()
			r := breakable(t)
			f := newFleetOf(t, shown, 2, cacheme.Options{Hold: hold}, func() redis.UniversalClient { return kit.Client(t, r.Proxy.Addr()) })
			f.hits()
			var began, healed time.Time
			var opened, closed, late time.Duration
			all := f.under(habit{}, func() {
				time.Sleep(100 * time.Millisecond)
				began = time.Now()
				machine := suite.Late()
				by(r)
				seen := map[*cacheme.Cache]bool{} // slow is not gone: a breaker closes now and then
				opened = f.until("the breakers are open", func() bool {
					for _, c := range f.caches {
						if c.Stats().Away {
							seen[c] = true
						}
					}
					return len(seen) == len(f.caches)
				})
				time.Sleep(time.Second + time.Second/2)
				healed, late = time.Now(), machine()
				check(t, r.Heal())
				end(r)
				closed = f.until("the breakers are closed", func() bool {
					return !slices.ContainsFunc(f.caches, func(c *cacheme.Cache) bool { return c.Stats().Away })
				})
			})
			gets, saves := all.gets.between(began, healed), all.saves.between(began, healed)
			p99, half, p99Save := gets.but(100), gets.but(2), saves.but(100)
			t.Logf("%d Gets: half within %v, 99 %% within %v, the slowest %v; %d saves: 99 %% within %v, %d kept; opened after %v, closed after %v",
				len(gets), half, p99, gets.slowest(), len(saves), p99Save, all.kept, opened, closed)
			gets.quick(t, late)
			if opened > openLimit {
				t.Errorf("the breakers were open after %v, want at most %v", opened, openLimit)
			}
			if closed > closeLimit {
				t.Errorf("the breakers were closed after %v, want at most %v", closed, closeLimit)
			}
		},
	}
}

// torn is a row in which the way to Redis breaks in one way again and again, a little later each time.
func torn(name, expect string, by func(r *proxied, n int)) fault {
	return fault{name: name, expect: expect, run: func(t *testing.T) {
		t.Parallel()
		r := breakable(t)
		f := newFleetOf(t, shown, 2, cacheme.Options{Hold: hold}, func() redis.UniversalClient { return kit.Client(t, r.Proxy.Addr()) })
		f.join(r.Client()) // whose way is whole
		f.hits()
		all := f.under(habit{}, func() {
			for n := range suite.Count(2000) {
				by(r, n*7)
				time.Sleep(3 * time.Millisecond)
				check(t, r.Heal())
				time.Sleep(7 * time.Millisecond)
			}
		})
		errors := uint64(0)
		for _, c := range f.caches {
			errors += c.Stats().RedisErrors
		}
		t.Logf("%d Gets, %d hits, the slowest %v; %d saves, %d kept; %d failed round trips",
			len(all.gets), all.hits, all.gets.slowest(), len(all.saves), all.kept, errors)
		if errors == 0 {
			t.Error("no round trip failed: the fault was none")
		}
		all.bounded(t)
	}}
}

// bounded wants no Get to have waited for longer than for one lease: one that was taken, and nobody heard of it.
func (t toll) bounded(test *testing.T) {
	test.Helper()
	if slowest := t.gets.slowest(); slowest > defaultLease+time.Second {
		test.Errorf("the slowest Get took %v, want at most a lease of %v and a second for the machine", slowest, defaultLease)
	}
}

// halfOpen has a router forget all connections, again and again.
func halfOpen(t *testing.T) {
	t.Parallel()
	r := breakable(t)
	f := newFleetOf(t, shown, 2, cacheme.Options{Hold: hold}, func() redis.UniversalClient { return kit.Client(t, r.Proxy.Addr()) })
	f.hits()
	var longest time.Duration
	all := f.under(habit{}, func() {
		for range suite.Count(200) {
			r.Strand()
			time.Sleep(50 * time.Millisecond)
			hits := func() (n uint64) {
				for _, c := range f.caches {
					n += c.Stats().Hits
				}
				return n
			}
			before := hits()
			longest = max(longest, f.until("there are hits again", func() bool { return hits() > before }))
			r.Cut() // nobody else would ever end what is dead
		}
	})
	t.Logf("%d Gets, 99 %% within %v, the slowest %v; hits again after at most %v", len(all.gets), all.gets.but(100), all.gets.slowest(), longest)
	all.bounded(t)
	if longest > closeLimit {
		t.Errorf("hits again after %v, want at most %v", longest, closeLimit)
	}
}
