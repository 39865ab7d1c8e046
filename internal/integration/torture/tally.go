package torture

import (
	"time"

	"github.com/cacheme/cacheme"
	"github.com/cacheme/cacheme/internal/latency"
)

// Tally is what a run counts.
type Tally struct {
	Reads, Writes int // Gets that returned, and writes
	kinds         map[string]int
	tiers         map[string]int
	outcomes      map[Outcome]int
	errors        map[string]int // of failed writes
	keptWrites    int
	loads         map[int]uint64 // by process
	blind         int            // claims of which nobody can say how old they may be

	killedHeld, killedBare int // writes that were committed by a process that was killed in the midst, with and without its hold

	windows, steps, unproven int // of the registers

	violations int
	window     int           // reads older than promised in a failover's window
	windowAge  time.Duration // the oldest of them
	oldest     map[string]time.Duration
	oldReads   map[string]int

	calm, out latency.Counts // of Gets with Redis, and without
}

func newTally() *Tally {
	return &Tally{
		kinds: map[string]int{}, tiers: map[string]int{}, outcomes: map[Outcome]int{}, errors: map[string]int{},
		loads: map[int]uint64{}, oldest: map[string]time.Duration{}, oldReads: map[string]int{},
	}
}

func (t *Tally) read(r *Read, outage bool) {
	t.Reads++
	t.kinds[r.Kind]++
	switch {
	case r.Stale:
		t.tiers["stale"]++
	case r.Tier != "":
		t.tiers[string(r.Tier)]++
	}
	took := time.Duration(r.End - r.Start)
	if outage {
		t.out.Add(took)
	} else {
		t.calm.Add(took)
	}
}

func (t *Tally) wrote(o *op, e End) {
	t.Writes++
	t.outcomes[e.Outcome]++
	if e.Kept {
		t.keptWrites++
	}
	if e.Error != "" {
		t.errors[o.Kind+": "+e.Error]++
	}
}

func (t *Tally) state(process int, s State) { t.loads[process] = max(t.loads[process], s.Loads) }

// aged notes a value that had been replaced when the read began, and what allows that.
func (t *Tally) aged(r *Read, j judged) {
	if j.by == nil || j.broken != nil {
		return
	}
	why := "joined a load while redis was away"
	switch {
	case j.by.kept && j.by.process != r.Process && (j.by.promised == 0 || j.by.promised > r.Start):
		why = "its invalidation was kept"
	case r.Tier == cacheme.TierNear:
		why = "near"
	case r.Stale:
		why = "stale"
	case j.by.own == 0:
		why = "its write failed"
	}
	t.oldReads[why]++
	t.oldest[why] = max(t.oldest[why], j.old)
}

func (t *Tally) inWindow(v *violation) {
	t.window++
	t.windowAge = max(t.windowAge, time.Duration(v.read.Start-v.missed.promised))
}

// Operations are all that were checked.
func (t *Tally) Operations() int { return t.Reads + t.Writes }
