package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cacheme/cacheme"
)

// report is what came out of a run.
type report struct {
	mu sync.Mutex
	*tally

	shops  []*shop
	began  time.Time
	before counts
	during counts
	took   time.Duration

	storyWrong int // steps of the story that did not go as told
	swept      int
	sweptWrong []string
	keys       int
	immortal   []string // keys without a TTL
	commands   int
}

// counts are what the caches count.
type counts struct{ loads, invalidations, verified, unverified, violations uint64 }

func count(shops []*shop) (n counts) {
	for _, s := range shops {
		stats := s.cache.Stats()
		n.loads += stats.Loads
		n.invalidations += stats.Invalidations
		n.verified += stats.Verified
		n.unverified += stats.Unverified
		n.violations += stats.Violations
	}
	return n
}

func newReport(shops []*shop) *report {
	return &report{tally: newTally(), shops: shops, before: count(shops), began: time.Now()}
}

// add takes over what a reader or writer counted.
func (r *report) add(t *tally) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tally.add(t)
}

// stop ends the time that the report is about.
func (r *report) stop() {
	r.took = time.Since(r.began)
	now, then := count(r.shops), r.before
	r.during = counts{
		now.loads - then.loads, now.invalidations - then.invalidations,
		now.verified - then.verified, now.unverified - then.unverified, now.violations - then.violations,
	}
}

// sweep compares every entry that the cache would serve with the database. Nobody may write meanwhile.
func (r *report) sweep(ctx context.Context, s *shop) error {
	for _, k := range kinds {
		err := k.sweep(ctx, s, func(key string, right bool) {
			r.swept++
			if !right {
				r.sweptWrong = append(r.sweptWrong, key)
			}
		})
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
	}
	return nil
}

// inspect looks for keys that Redis would keep for ever.
func (r *report) inspect(ctx context.Context, server *redisServer) error {
	r.commands = server.commands()
	return server.keys(ctx, func(some []string) error {
		pipe := server.client.Pipeline()
		ttls := make([]*redis.DurationCmd, len(some))
		for i, key := range some {
			ttls[i] = pipe.PTTL(ctx, key)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		r.keys += len(some)
		for i, key := range some {
			if ttls[i].Val() == -1 { // there, and without a TTL
				r.immortal = append(r.immortal, key)
			}
		}
		return nil
	})
}

// faulty reports whether anything was not as promised.
func (r *report) faulty() bool {
	return len(r.violations)+int(r.during.violations)+len(r.sweptWrong)+len(r.immortal)+len(r.errors)+r.storyWrong > 0
}

func (r *report) print(out *page) {
	all := r.total()
	out.titlef("Report")
	out.linef("%-16s %9s %9s %9s", "node", "reads", "hit rate", "stale")
	for i, k := range kinds {
		n := r.kinds[i]
		out.linef("%-16s %9d %9s %9d", k.name, n.reads, percent(n.cached, n.reads), n.stale)
	}
	out.linef("%-16s %9d %9s %9d", "all", all.reads, percent(all.cached, all.reads), all.stale)
	out.linef("")
	out.linef("%-28s %d in %v, %.0f a second", "reads", all.reads, r.took.Round(time.Millisecond), float64(all.reads)/r.took.Seconds())
	out.linef("%-28s %d committed, %d rolled back, %d refused by the database", "writes", r.writes, r.undone, r.refused)
	out.counts("  by the way taken", r.paths)
	out.counts("  by transaction", r.manners)
	out.linef("%-28s %d, of one query each", "loads", r.during.loads)
	out.linef("%-28s %d", "queries saved", all.reads-int(r.during.loads))
	for _, tier := range []cacheme.Tier{cacheme.TierRedis, cacheme.TierSource} {
		l := r.latency[tier]
		out.linef("%-28s p50 %v, p99 %v", "latency from "+string(tier), l.Quantile(.5), l.Quantile(.99))
	}
	out.linef("%-28s %d", "invalidations", r.during.invalidations)
	if r.commands >= 0 {
		out.linef("%-28s %d in all", "redis commands", r.commands)
	}
	out.linef("%-28s %d", "stale reads, as allowed", all.stale)
	out.linef("")
	out.verdict("stale reads found", len(r.violations), fmt.Sprintf("of %d checked", all.reads), r.violations)
	if n := r.during; n.verified+n.unverified+n.violations > 0 {
		out.verdict("wrong hits verified", int(n.violations), fmt.Sprintf("of %d; nothing to be told of %d more", n.verified+n.violations, n.unverified), nil)
	}
	out.verdict("wrong entries at the end", len(r.sweptWrong), fmt.Sprintf("of %d compared with the database", r.swept), r.sweptWrong)
	out.verdict("keys without a TTL", len(r.immortal), fmt.Sprintf("of %d in redis", r.keys), r.immortal)
	out.verdict("steps not as told", r.storyWrong, "", nil)
	errors := make([]string, len(r.errors))
	for i, err := range r.errors {
		errors[i] = err.Error()
	}
	out.verdict("errors", len(errors), "", errors)
}

func percent(part, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(of))
}

// verdict prints a count that has to be 0, and where it is not what it counts: the first few.
func (p *page) verdict(what string, n int, of string, examples []string) {
	colour := green
	if n > 0 {
		colour = red
	}
	p.linef("%-28s %s %s", what, p.paint(colour, fmt.Sprint(n)), of)
	for _, example := range examples[:min(5, len(examples))] {
		p.linef("  %s", example)
	}
}

// counts prints what was counted, some in a line.
func (p *page) counts(what string, n map[string]int) {
	const inLine = 5
	for names := range slices.Chunk(slices.Sorted(maps.Keys(n)), inLine) {
		for i, name := range names {
			names[i] = fmt.Sprintf("%s %d", name, n[name])
		}
		p.linef("%-28s %s", what, strings.Join(names, ", "))
		what = ""
	}
}
