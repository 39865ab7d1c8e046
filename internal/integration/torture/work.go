package torture

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cacheme/cacheme"
)

// undoneBit tells the stamp of what is taken back from the other one of the same write.
const undoneBit = 1

// write is a write under way, in the context of all that it does.
type write struct {
	stamp int64
	kept  atomic.Bool
}

// underway is the key of the write in a context.
type underway struct{}

// newStamp is like no other of the run.
func (p *process) newStamp() int64 {
	const perProcess = 1 << 40
	return int64(p.Number)*perProcess + p.strokes.Add(1)<<1
}

// read makes one Get.
func (p *process) read(ctx context.Context, k kind, id int64, dice *rand.Rand) {
	start := p.now()
	reads, err := k.ask(ctx, p, id, dice)
	end := p.now()
	if err != nil {
		reads = []Read{{Failed: err.Error()}}
	}
	for i := range reads {
		r := &reads[i]
		if r.ID == 0 {
			r.ID = id
		}
		r.Kind, r.Start, r.End, r.Process = k.name, start, end, p.Number
		since := start
		if len(r.Loads) > 0 && r.Loads[0].Process == p.Number {
			r.Joined = r.Tier == cacheme.TierSource || r.Tier == "" && p.loads.workedAt(r.Loads[0], start-Time(4*budget))
			since = min(since, r.Loads[0].Began)
		}
		// A flight begins without Redis when a look has failed, which is before its load.
		r.Away = p.health.awaySince(since - Time(4*budget))
		p.tell(Record{Read: r})
	}
}

// write makes one write.
func (p *process) write(ctx context.Context, d deed, dice *rand.Rand) {
	w := &write{stamp: p.newStamp()}
	s := &stroke{stamp: w.stamp, other: w.stamp | undoneBit, dice: dice}
	for range 1 + dice.IntN(3) {
		s.ids = append(s.ids, draw(dice, things))
	}
	slices.Sort(s.ids)
	s.ids = slices.Compact(s.ids)
	p.tell(Record{Write: &Write{Stamp: w.stamp, Kind: d.name, Things: d.stamps.of(s.ids), Start: p.now()}})
	p.health.begin(w)
	err := d.do(context.WithValue(ctx, underway{}, w), p, s)
	p.health.end(w)
	end := End{Stamp: w.stamp, At: p.now(), Outcome: Committed, Kept: w.kept.Load()}
	switch {
	case errors.Is(err, errUndone):
		end.Outcome = Undone
	case err != nil:
		end.Outcome, end.Error = Failed, err.Error()
	}
	if end.Kept {
		p.health.owe(end.At)
	}
	p.tell(Record{End: &end})
}

// watch tells that what was kept is delivered, and now and then how much was loaded.
func (p *process) watch(ctx context.Context) {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for loadsTold := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
		s := State{Loads: p.loads.count(), Upto: p.now()}
		if p.health.owes() && p.cache.Stats().Pending == 0 {
			s.Drained = true
			p.health.paid(s.Upto)
		}
		s.At = p.now()
		if s.Drained || time.Since(loadsTold) > time.Second {
			p.tell(Record{State: &s})
			loadsTold = time.Now()
		}
	}
}
