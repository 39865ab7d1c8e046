package torture

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Report is what came of a run.
type Report struct {
	Settings

	Took      time.Duration
	Violation *violation // the first; nil: there was none
	Tally     *Tally

	judge  *judge
	faults map[string]int
	began  Time
}

// Count is how many violations there were.
func (r *Report) Count() int { return r.Tally.violations }

// Command is how to repeat the run.
func (r *Report) Command() string {
	return fmt.Sprintf("make torture RUN=TestTorture FOR=%v SEED=%d TOPOLOGY=%s DATABASE=%s", r.For, r.Seed, r.Topology, r.Database)
}

func (r *Report) String() string {
	t := r.Tally
	var b strings.Builder
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-28s %s\n", what, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(&b, "torture: %s, %s, %d processes of their own and %d inside, %v\n  %s\n",
		r.Topology, r.Database, r.Children, r.Inside, r.Took.Round(time.Second), r.Command())
	line("operations", "%d checked: %d gets, %d writes; %.0f a second", t.Operations(), t.Reads, t.Writes, float64(t.Operations())/r.Took.Seconds())
	line("  gets", "%s", counts(t.kinds))
	line("  answered by", "%s", counts(t.tiers))
	line("  writes", "%s; %d invalidations kept", counts(t.outcomes), t.keptWrites)
	for _, name := range slices.Sorted(maps.Keys(t.errors)) {
		line("  failed", "%d: %s", t.errors[name], name)
	}
	loads := uint64(0)
	for _, n := range t.loads {
		loads += n
	}
	line("loads", "%d", loads)
	line("faults", "%s", counts(r.faults))
	line("killed in a commit", "%d held, %d without a hold", t.killedHeld, t.killedBare)
	for _, why := range slices.Sorted(maps.Keys(t.oldest)) {
		line("old as is allowed", "%s: %d values, %v at most", why, t.oldReads[why], t.oldest[why].Round(time.Microsecond))
	}
	if t.blind > 0 {
		line("not to be judged", "%d values without the time of their load, while redis was away", t.blind)
	}
	line("a failover's window", "%d old values, %v at most", t.window, t.windowAge.Round(time.Microsecond))
	line("porcupine", "%d operations in %d windows of one key; %d more could not be judged", t.steps, t.windows, t.unproven)
	line("get, with redis", "p50 %v, p99 %v of %d", t.calm.Quantile(.5), t.calm.Quantile(.99), t.calm.Len())
	line("get, without", "p50 %v, p99 %v of %d", t.out.Quantile(.5), t.out.Quantile(.99), t.out.Len())
	line("violations", "%d", t.violations)
	if r.Violation != nil {
		b.WriteString(r.story(r.Violation))
	}
	return b.String()
}

// counts are what was counted, the most first.
func counts[K ~string](n map[K]int) string {
	keys := slices.SortedFunc(maps.Keys(n), func(a, b K) int { return cmp.Or(cmp.Compare(n[b], n[a]), cmp.Compare(a, b)) })
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = fmt.Sprintf("%s %d", k, n[k])
	}
	return strings.Join(parts, ", ")
}
