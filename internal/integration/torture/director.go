package torture

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// director breaks one thing after the other, on the goroutine of the test, as the servers of the kit want it.
type director struct {
	t     testing.TB
	place *place
	bench *bench
	cast  *cast
	dice  *rand.Rand
	ctx   context.Context //nolint:containedctx // of the run: what is broken is healed when it ends
	did   map[string]int
}

// breakage is something that a director can do.
type breakage struct {
	name   string
	weight int
	in     []string // topologies; nil: all
	do     func(d *director, f Fault)
}

func (b breakage) is() (string, int) { return b.name, b.weight }

// direct breaks things until the run is over, with pauses in which all is well.
func (d *director) direct(all []breakage, rest time.Duration) {
	mine := slices.DeleteFunc(all, func(b breakage) bool { return b.in != nil && !slices.Contains(b.in, d.place.topology) })
	for d.ctx.Err() == nil {
		d.wait(d.between(rest/4, rest))
		if d.ctx.Err() != nil || len(mine) == 0 {
			continue
		}
		b := choose(d.dice, mine)
		d.did[b.name]++
		b.do(d, Fault{Name: b.name, process: -1})
	}
}

// wait waits, and less where the run ends.
func (d *director) wait(long time.Duration) {
	select {
	case <-d.ctx.Done():
	case <-time.After(long):
	}
}

func (d *director) between(least, most time.Duration) time.Duration {
	return least + time.Duration(d.dice.Int64N(int64(most-least)+1))
}
